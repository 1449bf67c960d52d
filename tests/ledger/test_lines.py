"""Money lines: what the events of the worked example are posted as."""

from __future__ import annotations

from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from quantmind.events import Fill, Funding, Latch, Part, Transfer
from quantmind.ledger.lines import Line, fill_lines, funding_lines, lines, opening_lines

BTC = "BTC/USDT:USDT"
POSITION = f"position:{BTC}"


def amounts(*entries):
    return tuple(Line(account, D(amount)) for account, amount in entries)


def test_a_buy_of_example_12():
    assert fill_lines(BTC, D("0.400"), D(50_000), D(10), D(0)) == amounts(
        (POSITION, "20000"), ("clearing", "-20000"), ("fees", "10"), ("wallet", "-10")
    )


def test_the_sell_of_example_12():
    assert fill_lines(BTC, D("-0.400"), D(50_600), D("10.12"), D(240)) == amounts(
        (POSITION, "-20000"),
        ("clearing", "20240"),
        ("realised", "-240"),
        ("fees", "10.12"),
        ("wallet", "-10.12"),
        ("clearing", "-240"),
        ("wallet", "240"),
    )


def test_funding_of_example_11():
    assert funding_lines(D("-2.02")) == amounts(("funding", "2.02"), ("wallet", "-2.02"))


def test_a_start():
    assert opening_lines(D(10_000)) == amounts(("wallet", "10000"), ("capital", "-10000"))
    assert opening_lines(D(0)) == ()


def test_the_lines_of_facts():
    fill = Fill(1, "f", "o", BTC, "sell", D("0.4"), D(50_600), D("10.12"), D(240), D(0), D(0), 0, "", "x")
    assert lines(fill) == fill_lines(BTC, D("-0.4"), D(50_600), D("10.12"), D(240))
    parts = (Part("a", D("0.4"), D("-2.02")),)
    funding = Funding(2, "u", BTC, D("0.0001"), D(50_500), D("0.4"), D("-2.02"), parts, 0, "", "x")
    assert lines(funding) == funding_lines(D("-2.02"))


def test_what_moves_no_money_of_the_account_has_none():
    parts = (Part("a", D("0.1"), D(0)), Part("b", D("-0.1"), D(5)))
    assert lines(Transfer(1, "x", BTC, D(50_000), parts, 0, "")) == ()
    assert lines(Latch(2, "max_drawdown", "flatten", "", 0, "")) == ()


money = st.decimals("-1E9", "1E9", places=8)


@given(st.decimals("-1000", "1000", places=3), st.decimals("0.1", "1E6", places=1), money, money)
def test_they_sum_to_0(quantity, price, fee, realised):
    assert sum(line.amount for line in fill_lines(BTC, quantity, price, fee, realised)) == 0
    assert sum(line.amount for line in funding_lines(fee)) == 0

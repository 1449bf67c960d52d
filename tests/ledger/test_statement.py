"""Statements: the worked account, from its facts alone."""

from __future__ import annotations

import json
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.events import Fill, Funding, Latch, Part, Transfer, Valuation
from quantmind.ledger.statement import statement

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


def fill(symbol, quantity, price, fee, realised, *parts):
    quantity = D(quantity)
    side = "buy" if quantity > 0 else "sell"
    return Fill(
        0, "f", "o", symbol, side, abs(quantity), D(price), D(fee), D(realised), D(0), D(0), 0, "", "x", False, parts
    )


def part(strategy, quantity, realised=0, fee=0):
    return Part(strategy, D(quantity), D(realised), D(fee))


def valuation(**prices):
    return Valuation(0, 0, D(0), tuple(({"btc": BTC, "eth": ETH}[name], float(p)) for name, p in prices.items()))


ROUND_TRIP = [
    fill(BTC, "0.400", 50_000, 10, 0, part("momentum", "0.400", 0, 10)),
    valuation(btc=50_500),
    Funding(0, "u", BTC, D("0.0001"), D(50_500), D("0.4"), D("-2.02"), (part("momentum", "0.4", "-2.02"),), 0, "", "x"),
    fill(BTC, "-0.400", 50_600, "10.12", 240, part("momentum", "-0.400", 240, "10.12")),
    valuation(btc=50_700),
]


class TestLedgerExamples11And12:
    def test_the_symbol_and_the_account(self):
        told = statement(D(10_000), ROUND_TRIP)
        (row,) = told.symbols
        assert (row.realised, row.unrealised, row.fees, row.funding) == (240, 0, D("20.12"), D("-2.02"))
        assert row.pnl == told.total.pnl == D("217.86")
        assert (row.quantity, row.fills, row.trades) == (0, 2, 1)
        assert told.equity == D("10217.86")

    def test_the_only_strategy_has_all(self):
        told = statement(D(10_000), ROUND_TRIP)
        (row,) = told.strategies
        assert row.strategy == "momentum"
        assert (row.pnl, row.fees, row.drawdown) == (told.total.pnl, told.total.fees, told.symbols[0].drawdown)

    def test_an_open_position_is_valued_at_the_last_valuation(self):
        told = statement(D(10_000), ROUND_TRIP[:3])
        assert told.total.unrealised == 200
        assert told.total.realised == 0
        assert told.equity == D("10187.98")


class TestOpposedStrategiesExample4:
    FACTS = (
        Transfer(0, "x", BTC, D(50_000), (part("a", "0.160"), part("b", "-0.160")), 0, ""),
        valuation(btc=50_500),
        valuation(btc=50_250),
    )

    def test_their_profits_sum_to_nothing(self):
        told = statement(D(10_000), self.FACTS)
        a, b = told.strategies
        assert (a.pnl, b.pnl) == (40, -40)
        assert (a.drawdown, b.drawdown) == (40, 80)
        assert (told.symbols[0].pnl, told.symbols[0].quantity, told.total.drawdown) == (0, 0, 0)


class TestDrawdown:
    def test_all_symbols_are_valued_at_the_same_moment(self):
        facts = [
            fill(BTC, "1", 1_000, 0, 0, part("a", "1")),
            fill(ETH, "-10", 100, 0, 0, part("a", "-10")),
            valuation(btc=1_200, eth=100),  # + 200
            valuation(btc=1_100, eth=95),  # + 100 + 50: the account fell by 50
            valuation(btc=1_300, eth=95),  # + 300 + 50
            valuation(btc=1_250, eth=110),  # + 250 - 100: fell by 200
        ]
        told = statement(D(1_000), facts)
        assert [row.drawdown for row in told.symbols] == [100, 150]
        assert told.total.drawdown == 200
        assert told.drawdown_part == D("0.148148148")

    def test_the_largest_fall_and_the_largest_part_are_different_ones(self):
        facts = [fill(BTC, "1", 1_000, 0, 0, part("a", "1"))]
        facts += [valuation(btc=price) for price in (500, 9_000, 8_000, 8_500)]
        told = statement(D(1_000), facts)
        assert told.total.drawdown == 1_000
        assert told.drawdown_part == D("0.5")

    def test_a_start_with_a_loss_is_a_fall_from_0(self):
        facts = [fill(BTC, "1", 1_000, "0.5", 0, part("a", "1", 0, "0.5")), valuation(btc=990)]
        assert statement(D(1_000), facts).strategies[0].drawdown == D("10.5")

    def test_funding_is_a_fall_at_the_same_price(self):
        facts = [fill(BTC, "1", 1_000, 0, 0, part("a", "1")), valuation(btc=1_000)]
        facts += [Funding(0, "u", BTC, D("0.01"), D(1_000), D(1), D(-10), (part("a", 1, -10),), 0, "", "x")]
        told = statement(D(1_000), [*facts, valuation(btc=1_000)])
        assert told.strategies[0].drawdown == told.total.drawdown == 10

    @given(st.lists(st.tuples(st.integers(-3, 3), st.integers(1, 50)), max_size=30))
    def test_it_is_what_a_plain_loop_finds(self, steps):
        facts, cash, held, peak, worst = [], D(0), 0, D(0), D(0)
        for quantity, price in steps:
            if quantity:
                facts.append(fill(BTC, quantity, price, 1, 0, part("a", quantity, 0, 1)))
                cash -= quantity * price + 1
                held += quantity
            facts.append(valuation(btc=price))
            profit = cash + held * price
            peak = max(peak, profit)
            worst = max(worst, peak - profit)
        told = statement(D(1_000), facts)
        assert told.total.drawdown == worst
        assert all(row.drawdown == worst for row in (*told.strategies, *told.symbols))


class TestCounts:
    def test_a_reversal_ends_a_trade(self):
        facts = [fill(BTC, q, 50_000, 0, 0, part("a", q)) for q in ("0.1", "0.1", "-0.3", "0.05", "0.05")]
        (row,) = statement(D(10_000), facts).symbols
        assert (row.fills, row.trades) == (5, 2)

    def test_other_facts_do_not_count(self):
        told = statement(D(10_000), [Latch(1, "max_drawdown", "flatten", "", 0, "")])
        assert told.strategies == told.symbols == ()
        assert told.equity == 10_000

    def test_a_fill_without_parts_has_a_line_too(self):
        told = statement(D(10_000), [fill(BTC, "0.1", 50_000, 1, 0), valuation(btc=51_000)])
        assert told.strategies[0].strategy == ""
        assert told.strategies[0].pnl == told.total.pnl == 99

    def test_without_a_valuation_the_price_of_the_first_fill_counts(self):
        told = statement(D(10_000), [fill(BTC, "0.1", 50_000, 1, 0, part("a", "0.1", 0, 1))])
        assert told.total.pnl == -1


def test_as_json_is_exact_and_plain():
    told = statement(D("10000.00"), ROUND_TRIP).as_json()
    assert json.loads(json.dumps(told)) == told
    assert told["balance"] == "10000"
    assert told["equity"] == "10217.86"
    assert told["strategies"][0] == {
        "strategy": "momentum",
        "symbol": BTC,
        "quantity": "0",
        "realised": "240",
        "unrealised": "0",
        "fees": "20.12",
        "funding": "-2.02",
        "pnl": "217.86",
        "drawdown": "0",
        "fills": 2,
        "trades": 1,
    }
    assert told["total"]["quantity"] is None


@pytest.mark.parametrize("facts", [ROUND_TRIP, []])
def test_lines_are_a_table(facts):
    header, *rows, last = statement(D(10_000), facts).lines()
    assert header.split()[:3] == ["strategy", "symbol", "quantity"]
    assert rows[-1].startswith("account")
    assert last.startswith("balance 10,000.00, equity ")
    assert last.endswith(" % of the peak")
    assert len({len(row) for row in (header, *rows)}) == 1

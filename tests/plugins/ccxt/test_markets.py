"""Markets: an instrument of the recipe is what the venue trades, or nothing begins."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from quantmind.errors import RecipeError
from quantmind.market.instruments import Instrument
from quantmind_ccxt.markets import check, contract_size

BTC = "BTC/USDT:USDT"
DECIMAL_PLACES, SIGNIFICANT_DIGITS, TICK_SIZE = 2, 3, 4


def market(price=0.1, amount=0.001, **changes):
    return {
        "swap": True, "linear": True, "active": True, "contract": True, "contractSize": 1.0,
        "precision": {"price": price, "amount": amount}, **changes,
    }  # fmt: skip


def faults(told, tick="0.1", step="0.001", mode=TICK_SIZE):
    with pytest.raises(RecipeError) as refusal:
        check([Instrument(BTC, D(tick), D(step))], {BTC: told} if told else {}, mode, "demo")
    return str(refusal.value)


@pytest.mark.parametrize(
    ("told", "mode"),
    [
        (market(), TICK_SIZE),
        (market(1, 3), DECIMAL_PLACES),
        (market(5, 5), SIGNIFICANT_DIGITS),
        (market(None, None), TICK_SIZE),
        (market(amount=1, contractSize=0.001), TICK_SIZE),
        (market(active=None), TICK_SIZE),
    ],
)
def test_the_same_steps_pass(told, mode):
    check([Instrument(BTC, D("0.10"), D("0.001"))], {BTC: told}, mode, "demo")


def test_another_tick_names_both_figures():
    assert faults(market(), tick="0.01") == (
        "instruments: the tick of BTC/USDT:USDT is 0.01 in the recipe and 0.1 at demo: "
        "write BTC/USDT:USDT: {tick: 0.1, ...}"
    )


def test_another_step_and_another_tick_are_told_together():
    told = faults(market(1, 10), mode=TICK_SIZE)
    assert "tick of BTC/USDT:USDT is 0.1 in the recipe and 1 at demo" in told
    assert "step of BTC/USDT:USDT is 0.001 in the recipe and 10 at demo" in told


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (None, "does not list BTC/USDT:USDT"),
        (market(swap=False), "no linear perpetual"),
        (market(linear=False), "no linear perpetual"),
        (market(active=False), "does not trade"),
    ],
)
def test_what_is_not_traded_is_refused(told, why):
    assert why in faults(told)


def test_sizes_of_contracts_are_base_currency():
    assert contract_size(market(contractSize=0.01)) == 0.01
    assert contract_size(market(contractSize=None)) == 1.0
    assert contract_size({"contract": False, "contractSize": 5}) == 1.0

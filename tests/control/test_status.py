"""The status of an account, from its record and for a person."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from quantmind.control.status import Status
from quantmind.events import Trade
from quantmind.kinds import TRADES, Needs, NoOptions, Strategy
from quantmind.pipeline.folder import RunFolder
from quantmind.testing import run_recipe

PEPE = "PEPE/USDT:USDT"
SECOND = 1_000_000_000
RECIPE = {
    "name": "held",
    "instruments": [{PEPE: {"tick": "0.000000001", "step": 1}}],
    "strategies": ["long"],
    "allocator": "equal_weight",
    "risk": {"sizing": [{"fixed_quantity": {"quantity": 100_000_000}}]},
    "executor": {"paper": {"balance": 10_000, "taker_fee": 0}},
}


class Long(Strategy[NoOptions]):
    """Is long from the first trade on."""

    name = "long"

    @classmethod
    def needs(cls, _):
        return Needs((TRADES,))

    def on_trade(self, _):
        return self.signal(1.0)


@pytest.fixture
def stopped(tmp_path):
    """Trade 100,000,000 at 0.00001, of which the price then loses a tenth; returns what is on record."""
    prices = (1e-5, 1e-5, 9e-6)
    events = [Trade(PEPE, index * SECOND, price, 1e9, 1, index) for index, price in enumerate(prices, 1)]
    summary = run_recipe(RECIPE, tmp_path, events=events, components=[Long]).summary
    return Status.read(RunFolder.find(tmp_path, summary.run).journal(), summary.run)


def test_a_drawdown_counts_the_equity_that_is_shown(stopped):
    assert stopped.equity == D("9900")
    assert stopped.drawdown == pytest.approx(0.01)


def test_a_small_price_is_told_with_its_digits(stopped):
    assert (
        f"position  100000000 {PEPE} at 0.0000100000, unrealised -100.0000, no stop, no take-profit" in stopped.lines()
    )
    assert "            100000000 of long at 0.0000100000" in stopped.lines()


def test_of_a_stopped_account_the_time_is_that_of_the_record(stopped):
    assert "event     3, the last on record at 1970-01-01T00:00:03Z" in stopped.lines()

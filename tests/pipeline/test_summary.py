"""The summary of a run."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.events import Accepted, Executed, Share, Target, Trade, Upto
from quantmind.kinds import NoOptions, SizingRule
from quantmind.market.instruments import KNOWN
from quantmind.pipeline.summary import Summary
from quantmind.trader.gate import Gate
from quantmind.trader.journal import Journal
from quantmind.trader.trader import Trader

BTC = "BTC/USDT:USDT"
D = Decimal


class One(SizingRule[NoOptions]):
    """Holds one."""

    name = "one"

    def budget(self, _):
        return D(1)


@pytest.fixture
def trader(tmp_path):
    """A Trader that bought one at 100 for a fee of 0.05, is worth 110 now, and was refused something."""
    journal = Journal(tmp_path, "paper-test", "1000", durable=False)
    trader = Trader([KNOWN[BTC]], [One(NoOptions())], Gate(), journal, D("0.05"))
    trader.on_market(1, Trade(BTC, 1, 100.0, 1.0, 1))
    target = Target(BTC, D(1), (Share("a", D(1)),), 1, "t1", "s1")
    (approved,) = trader.on_upto(Upto(1, (), (target,), ("signal_out_of_range",)))
    order = trader.gate.spend(approved).order
    trader.on_order_event(Accepted(order, 1))
    trader.on_order_event(Executed(order, 2, "x1", D(100), D(1), D("0.05")))
    trader.on_market(2, Trade(BTC, 2, 110.0, 1.0, 1))
    yield trader
    journal.close()


def test_pnl_is_equity_less_what_the_account_began_with(trader):
    summary = Summary.of("r", 2, trader, [], {})
    assert (summary.equity, summary.pnl, summary.fees) == (D("1009.95"), D("9.95"), D("0.05"))
    assert (summary.events, summary.signals, summary.targets, summary.orders, summary.fills) == (
        2,
        0,
        1,
        1,
        1,
    )
    assert summary.refusals == {"signal_out_of_range": 1}
    assert summary.positions == {BTC: 1}
    assert summary.latency_us == {"p50": None, "p99": None}


def test_as_json_no_digit_of_money_is_lost(trader):
    plain = json.loads(json.dumps(Summary.of("r", 2, trader, [2_000], {"slow": "3 events lost"}).as_json()))
    assert plain["pnl"] == "9.95"
    assert plain["equity"] == "1009.95"
    assert D(plain["fees"]) == D("0.05")
    assert {symbol: D(quantity) for symbol, quantity in plain["positions"].items()} == {BTC: 1}
    assert plain["latency_us"] == {"p50": 2.0, "p99": 2.0}
    assert plain["sinks"] == {"slow": "3 events lost"}


def test_for_a_person(trader):
    text = "\n".join(Summary.of("r", 12345, trader, [], {"slow": "3 events lost"}).lines())
    for part in (
        "run r",
        "12,345",
        "signal_out_of_range 1",
        "+9.95",
        "no command",
        "sink slow failed: 3 events",
    ):
        assert part in text


@given(latencies=st.lists(st.integers(0, 10**9), min_size=1))
def test_percentiles_are_by_the_nearest_rank(latencies, tmp_path_factory):
    journal = Journal(tmp_path_factory.mktemp("account"), "paper-test", "1000", durable=False)
    try:
        trader = Trader([KNOWN[BTC]], [One(NoOptions())], Gate(), journal, D("0.05"))
        figures = Summary.of("r", 1, trader, latencies, {}).latency_us
    finally:
        journal.close()
    for percent, name in ((50, "p50"), (99, "p99")):
        smallest = next(
            value
            for value in sorted(latencies)
            if 100 * len([other for other in latencies if other <= value]) >= percent * len(latencies)
        )
        assert figures[name] == smallest / 1_000

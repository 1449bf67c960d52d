"""The summary of a run."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.events import Accepted, Executed, Funded, Instruction, Share, Target, Trade, Upto
from quantmind.kinds import TRADES, NoOptions, SizingRule
from quantmind.kinds.limit import Limit
from quantmind.market.instruments import KNOWN
from quantmind.pipeline.executing import Executing
from quantmind.pipeline.summary import Summary
from quantmind.pipeline.tally import AccountTally
from quantmind.trader.gate import Gate
from quantmind.trader.journal import Journal
from quantmind.trader.rules import Rules
from quantmind.trader.trader import Trader
from quantmind_paper.executor import Paper, PaperOptions

BTC = "BTC/USDT:USDT"
D = Decimal


class One(SizingRule[NoOptions]):
    """Holds one."""

    name = "one"

    def budget(self, _):
        return D(1)


class Watcher(Limit[NoOptions]):
    """Publishes a figure."""

    name = "watcher"
    figures = {"seen": 7.0}  # noqa: RUF012 - a property in the kind


def made(folder):
    journal = Journal(folder, "paper-test", "1000", durable=False)
    limits = [Watcher(NoOptions())]
    rules = Rules({BTC: [One(NoOptions(), KNOWN[BTC])]}, {}, limits)
    trader = Trader([KNOWN[BTC]], ["a"], rules, Gate(limits), journal, D("0.05"))
    paper = Paper(PaperOptions(), [KNOWN[BTC]])
    paper.prepare({BTC: frozenset({TRADES})})
    return journal, trader, Executing(trader, paper, journal)


@pytest.fixture
def executing(tmp_path):
    """A Trader that bought one at 100 for a fee of 0.05, fell to 90, is worth 110 now, and was refused something.

    The operator halted it then, and it received funding of 0.25.
    """
    journal, trader, executing = made(tmp_path)
    trader.on_market(1, Trade(BTC, 1, 100.0, 1.0, 1))
    target = Target(BTC, D(1), (Share("a", D(1)),), 1, "t1", "s1")
    (approved,) = trader.on_upto(Upto(1, (), (target,), ("signal_out_of_range",)))
    order = trader.gate.spend(approved).order
    trader.on_order_event(Accepted(order, 1))
    trader.on_order_event(Executed(order, 2, "x1", D(100), D(1), D("0.05")))
    trader.on_market(2, Trade(BTC, 2, 90.0, 1.0, 1))
    trader.on_market(3, Trade(BTC, 3, 110.0, 1.0, 1))
    trader.on_order_event(Funded(BTC, 3, "u1", D("-0.0025"), D(100), D(1), D("0.25")))
    trader.on_instruction(Instruction("halt", 3))
    yield executing
    journal.close()


def test_pnl_is_equity_less_what_the_account_began_with(executing):
    summary = Summary.of("r", 2, executing, [], {})
    assert (summary.equity, summary.pnl, summary.fees) == (D("1010.20"), D("10.20"), D("0.05"))
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


def test_as_json_no_digit_of_money_is_lost(executing):
    plain = json.loads(json.dumps(Summary.of("r", 2, executing, [2_000], {"slow": "3 events lost"}).as_json()))
    assert D(plain["pnl"]) == D("10.20")
    assert D(plain["equity"]) == D("1010.20")
    assert D(plain["fees"]) == D("0.05")
    assert {symbol: D(quantity) for symbol, quantity in plain["positions"].items()} == {BTC: 1}
    assert plain["latency_us"] == {"p50": 2.0, "p99": 2.0}
    assert plain["sinks"] == {"slow": "3 events lost"}


def test_what_a_stage_leaves_to_who_started_it_is_the_same(executing):
    tally = AccountTally(since=5, signals=3, refusals={"stale": 2})
    summary = msgspec.structs.replace(Summary.of("r", 2, executing, [2_000], {}), account=tally)
    assert Summary.from_json(json.loads(json.dumps(summary.as_json()))) == summary


def test_latches_funding_drawdown_and_figures(executing):
    plain = json.loads(json.dumps(Summary.of("r", 2, executing, [], {}).as_json()))
    assert plain["latches"] == {"halted": "halt"}
    assert plain["funding"] == "0.25"
    assert plain["drawdown"] == pytest.approx(10.05 / 1000, abs=1e-12)
    assert plain["figures"] == {
        "limit.watcher.0.seen": 7.0,
        "executor.paper.fills": 0,
        "executor.paper.decided_by_path": 0,
    }


def test_for_a_person(executing):
    text = "\n".join(Summary.of("r", 12345, executing, [], {"slow": "3 events lost"}).lines())
    for part in (
        "run r",
        "12,345",
        "signal_out_of_range 1",
        "+10.20",
        "not measured",
        "latched   halted (halt)",
        "funding   +0.25",
        "drawdown  1.0",
        "sink slow failed: 3 events",
    ):
        assert part in text


@given(latencies=st.lists(st.integers(0, 10**9), min_size=1))
def test_percentiles_are_by_the_nearest_rank(latencies, tmp_path_factory):
    journal, _, executing = made(tmp_path_factory.mktemp("account"))
    try:
        figures = Summary.of("r", 1, executing, latencies, {}).latency_us
    finally:
        journal.close()
    for percent, name in ((50, "p50"), (99, "p99")):
        smallest = next(
            value
            for value in sorted(latencies)
            if 100 * len([other for other in latencies if other <= value]) >= percent * len(latencies)
        )
        assert figures[name] == smallest / 1_000

"""Latches that were cleared while nothing ran, and limits after a restart: nothing is judged before it has a price."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from quantmind.control import client
from quantmind.control.home import Home
from quantmind.events import Latch
from quantmind.kinds import Limit, NoOptions
from quantmind.kinds.limit import Stop
from quantmind.trader.restart import RESET

D = Decimal
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


class Drawdown(Limit[NoOptions]):
    """Stops trading a tenth below the highest equity there was."""

    name = "drawdown"
    peak = 0.0

    def watch(self, standing):
        equity = standing.equity_now
        self.peak = max(self.peak, equity)
        fall = 1 - equity / self.peak
        return Stop("reduce", f"drawdown {fall:.4f} >= 0.1") if fall >= 0.1 else None

    def reset(self, standing):
        self.peak = standing.equity_now

    def save(self):
        return json.dumps(self.peak)

    def load(self, state):
        self.peak = json.loads(state)


@pytest.fixture
def limit():
    return Drawdown(NoOptions())


@pytest.fixture
def desk(make_desk, limit):
    """10,000 USDT and 0.4 BTC, bought at 50,000, which have fallen by a tenth of the equity since."""
    made = make_desk(limits=[limit])
    made.hold("0.4")
    made.price(52_000.0)
    assert limit.peak == 10_800.0
    made.price(49_000.0)
    assert set(made.trader.latches.set) == {"drawdown"}
    made.trader.chronicle.commit()
    return made


def reset_while_dead(desk, action="reset"):
    """Die without a word; the operator clears latches of the stopped account; come back."""
    desk.journal.close()
    outcome = client.instruct(Home(desk.folder, "r"), action, "looked into it", "")
    desk.start()
    return outcome


def test_the_latch_is_cleared_on_record(desk):
    outcome = reset_while_dead(desk)
    assert (outcome.action, outcome.changed, outcome.latches, outcome.running) == ("reset", ("drawdown",), {}, False)
    assert not desk.trader.latches.set
    (*_, fact) = [fact for _, fact in desk.journal.facts() if isinstance(fact, Latch)]
    assert (fact.name, fact.level, fact.figures) == ("drawdown", None, "looked into it")


def test_the_peak_is_the_equity_at_the_first_price(desk, limit):
    reset_while_dead(desk)
    assert limit.peak == 10_800.0
    desk.price(48_500.0)
    assert limit.peak == 9_400.0
    assert not desk.trader.latches.set
    desk.price(46_000.0)
    assert desk.trader.latches.set["drawdown"].figures == "drawdown 0.1064 >= 0.1"


def test_a_price_of_something_else_is_not_enough(desk, limit):
    reset_while_dead(desk)
    desk.price(2_000.0, ETH)
    assert limit.peak == 10_800.0
    desk.price(48_500.0)
    assert limit.peak == 9_400.0


def test_it_begins_anew_once(desk, limit):
    reset_while_dead(desk)
    desk.restart()
    desk.price(48_500.0)
    assert limit.peak == 9_400.0
    desk.trader.chronicle.commit()
    assert desk.journal.states()[RESET] == "[]"
    limit.peak = 0.0
    desk.restart()
    desk.price(48_600.0)
    desk.price(48_400.0)
    assert limit.peak == 9_440.0


def test_what_was_refused_is_wanted_at_the_first_price(desk):
    desk.target("0.5")
    desk.target("1")
    held = desk.position
    assert held == D("0.4")
    reset_while_dead(desk)
    assert BTC in desk.trader.unpriced


def test_a_resume_leaves_the_latches_of_limits(desk):
    outcome = reset_while_dead(desk, "resume")
    assert (outcome.changed, outcome.latches) == ((), {"drawdown": "reduce"})
    assert set(desk.trader.latches.set) == {"drawdown"}


def test_a_restart_alone_judges_nothing_before_there_is_a_price(make_desk, limit):
    desk = make_desk(limits=[limit])
    desk.hold("0.4")
    desk.price(54_000.0)
    desk.trader.chronicle.commit()
    assert limit.peak == 11_600.0
    desk.restart()
    # The wallet alone is more than a tenth below the peak.
    desk.price(2_000.0, ETH)
    assert not desk.trader.latches.set
    desk.price(53_000.0)
    assert (limit.peak, desk.trader.latches.set) == (11_600.0, {})

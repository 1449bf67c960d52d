"""The line of market events: history first, holes closed, bounded, and bars never dropped."""

from __future__ import annotations

import time

import pytest

from quantmind.events import Bar, History, Numbered, Quote
from quantmind.kinds import bars
from quantmind.pipeline.live import line as lines
from quantmind.pipeline.live.line import Line
from quantmind.pipeline.live.memory import Memory

BTC = "BTC/USDT:USDT"
MINUTE = 60_000_000_000
NOW = time.time_ns() // MINUTE * MINUTE
HISTORY = {(BTC, bars(MINUTE)): 3}


def bar(n):
    return Bar(BTC, NOW + (n - 100) * MINUTE, MINUTE, 100.0, 101.0, 99.0, 100.0 + n % 2, 1.0)


def quote(n):
    return Quote(BTC, NOW - MINUTE + n, 100.0, 101.0, 1.0, 1.0)


class Sound:
    """An inspection that finds fault with negative prices only."""

    def market(self, event):
        return "it is broken" if isinstance(event, Quote) and event.bid < 0 else ""


@pytest.fixture
def told():
    return []


@pytest.fixture
def make(told):
    return lambda history=HISTORY: Line(history, Sound(), lambda *said: told.append(said))


def drained(line):
    found = []
    while (item := line.next()) is not None:
        found.append(item)
    return found


def test_without_history_events_pass_at_once(make):
    line = make({})
    line.numbered(Numbered(1, 1, (quote(1), bar(1))))
    assert drained(line) == [(1, quote(1)), (2, bar(1))]
    assert (line.seq, line.newest) == (2, 2)


def test_history_comes_before_what_has_arrived_meanwhile(make):
    line = make()
    line.numbered(Numbered(7, 4, (bar(4), quote(5), bar(5))))
    assert drained(line) == []
    line.history(History("strategy", 7, 4, 2, (bar(2),)))
    assert drained(line) == []
    line.history(History("strategy", 7, 4, 0, (bar(3), bar(4))))
    assert drained(line) == [(0, bar(2)), (0, bar(3)), (0, bar(4)), (5, quote(5)), (6, bar(5))]


def test_an_empty_history_lets_events_pass(make):
    line = make()
    line.history(History("strategy", 7, 0, 0, ()))
    line.numbered(Numbered(7, 1, (bar(1),)))
    assert drained(line) == [(1, bar(1))]


def test_after_a_hole_only_what_is_missing_comes_from_history(make):
    line = make()
    line.history(History("strategy", 7, 1, 0, (bar(1),)))
    line.numbered(Numbered(7, 2, (bar(2),)))
    assert drained(line) == [(0, bar(1)), (2, bar(2))]
    line.missed()
    line.numbered(Numbered(7, 5, (bar(5),)))
    assert drained(line) == []
    line.history(History("strategy", 7, 5, 0, (bar(3), bar(4), bar(5))))
    assert drained(line) == [(0, bar(3)), (0, bar(4)), (0, bar(5))]


def test_a_feed_that_starts_again_is_a_hole(make):
    line = make()
    line.history(History("strategy", 7, 1, 0, (bar(1),)))
    line.numbered(Numbered(7, 2, (bar(2),)))
    drained(line)
    line.numbered(Numbered(8, 1, (bar(4),)))
    assert drained(line) == []
    line.history(History("strategy", 7, 2, 0, (bar(2),)))
    assert drained(line) == [], "what the feed of before remembered says nothing of the hole"
    line.history(History("strategy", 8, 0, 0, (bar(2), bar(3))))
    assert drained(line) == [(0, bar(3)), (1, bar(4))]
    assert len(line) == 0


def test_beyond_the_bound_the_oldest_go_but_bars_stay(make, told, monkeypatch):
    monkeypatch.setattr(lines, "BOUND", 100)
    line = make({})
    for n in range(1, 301):
        line.numbered(Numbered(1, n, (bar(n) if n % 10 == 0 else quote(n),)))
    waiting = drained(line)
    assert [event for _, event in waiting if isinstance(event, Bar)] == [bar(n) for n in range(10, 301, 10)]
    assert waiting[-1][0] == 300
    assert len(waiting) <= 100
    assert line.dropped == 300 - len(waiting)
    assert sum(count for what, count, _ in told if what == "overload") == line.dropped
    assert not line.overloaded


def test_with_too_many_bars_the_line_says_so_and_keeps_them(make, monkeypatch):
    monkeypatch.setattr(lines, "BOUND", 100)
    line = make({})
    line.numbered(Numbered(1, 1, tuple(bar(n) for n in range(150))))
    assert line.overloaded
    assert len(drained(line)) == 150
    assert not line.overloaded


def test_what_is_not_sound_is_left_out_and_told(make, told):
    line = make({})
    line.numbered(Numbered(1, 1, (quote(1), Quote(BTC, 5, -1.0, 1.0, 1.0, 1.0), quote(3))))
    assert drained(line) == [(1, quote(1)), (3, quote(3))]
    assert told == [("invalid", 1, "it is broken")]


def test_the_memory_keeps_as_many_as_are_asked_for_in_order():
    memory = Memory({(BTC, bars(MINUTE)): 3, (BTC, bars(5 * MINUTE)): 1, ("X", bars(MINUTE)): 0})
    longer = Bar(BTC, NOW, 5 * MINUTE, 1.0, 1.0, 1.0, 1.0, 1.0)
    for event in (bar(1), bar(2), longer, quote(1), bar(3), bar(4)):
        memory.note(event)
    assert memory.events() == [bar(2), longer, bar(3), bar(4)]

"""What ails is logged when it begins and when it is over, and not in between."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.pipeline.ailments import LONGEST, Ailments, named

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
LOST = ("", "feed tape: the tape is not connected")


class Looks:
    """A look each second, at a clock that goes on by itself."""

    def __init__(self, caplog):
        caplog.set_level(logging.WARNING)
        self.caplog = caplog
        self.now = 100.0
        self.ailments = Ailments(lambda: self.now)

    def see(self, *found, seconds=1):
        """Look, for so many seconds; returns what was logged."""
        self.caplog.clear()
        for _ in range(seconds):
            self.ailments.note(found)
            self.now += 1.0
        return self.caplog.messages


@pytest.fixture
def looks(caplog):
    return Looks(caplog)


def test_once_when_it_begins_and_once_when_it_is_over(looks):
    assert looks.see(LOST, seconds=300) == [f"ailing: {LOST[1]}; nothing is entered"]
    assert looks.see(seconds=9) == []
    assert looks.see(seconds=300) == [f"no longer ailing: {LOST[1]}; it was so for 299 s"]


def test_a_start_that_takes_a_moment_is_no_ailment(looks):
    assert looks.see(LOST) == []
    assert looks.see(seconds=300) == []


def test_figures_that_grow_are_the_same_ailment(looks):
    assert looks.see(("", "feed: no market event has come for 11 s"), seconds=2) == [
        "ailing: feed: no market event has come for 11 s; nothing is entered"
    ]
    assert looks.see(("", "feed: no market event has come for 13 s")) == []


def test_two_reasons_are_two_ailments(looks):
    banned = ("", "feed tape: the venue forbids requests for 30 s")
    assert len(looks.see(LOST, seconds=2)) == 1
    assert looks.see(LOST, banned, seconds=2) == [f"ailing: {banned[1]}; nothing is entered"]


def test_symbols_that_have_the_same_are_told_together(looks):
    found = [(f"S{index}", "feed tape: its quotes do not come") for index in range(8)]
    assert looks.see(*found, seconds=2) == [
        "ailing: feed tape: its quotes do not come (S0, S1, S2, S3, S4 and 3 more); nothing is entered"
    ]
    assert looks.see((BTC, "feed tape: it is late"), seconds=2)[0].endswith(f"it is late ({BTC}); nothing is entered")


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), max_size=200))
def test_one_that_comes_and_goes_floods_nobody(
    courses,
):
    messages: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record):
            messages.append(record.getMessage())

    now = [0.0]
    ailments = Ailments(lambda: now[0])
    kept, log = Kept(), logging.getLogger("quantmind.pipeline.ailments")
    log.addHandler(kept)
    try:
        for there, away in courses:
            for found, seconds in (((LOST,), there), ((), away)):
                for _ in range(seconds):
                    ailments.note(found)
                    now[0] += 1.0
    finally:
        log.removeHandler(kept)
    # Away for 10, 20 and 40 s, and then for longer than it ever is.
    assert len(messages) <= 7
    begun = [message.startswith("ailing") for message in messages]
    assert begun == [index % 2 == 0 for index in range(len(begun))]


def test_after_long_enough_it_is_as_if_it_had_never_been(looks):
    for _ in range(3):
        assert len(looks.see(LOST, seconds=5)) == 1
        assert len(looks.see(seconds=int(LONGEST) + 12)) == 1


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("feed tape: it is late", "feed tape: it is late"),
        ("feed: it is late", "feed: it is late"),
        ("no market event has come", "feed: no market event has come"),
        ("feedback is missing", "feed: feedback is missing"),
    ],
)
def test_a_reason_names_its_component_once(reason, told):
    assert named("feed", reason) == told

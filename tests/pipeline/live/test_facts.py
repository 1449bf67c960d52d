"""Facts reach a live stage once each, in the order of their numbers, whatever way they come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quantmind.events import Latch
from quantmind.pipeline.live.facts import MOST_EARLY, FactLine


def fact(number):
    return Latch(number, "max_drawdown", "halt", "0.2 > 0.1", number, "")


def numbers(facts):
    return [each.number for each in facts]


def test_nothing_is_handed_out_before_it_is_known_where_to_begin():
    line = FactLine()
    assert line.take([fact(5), fact(6)]) == []
    assert line.wanted is None
    line.begin(4)
    assert numbers(line.ready()) == [5, 6]


def test_what_was_before_the_beginning_is_left_out():
    line = FactLine()
    line.take([fact(3), fact(5)])
    line.begin(4)
    assert numbers(line.ready()) == [5]
    assert line.take([fact(4)]) == []


def test_a_hole_is_known_from_a_later_fact_or_from_what_is_on_record():
    line = FactLine()
    line.begin(0)
    assert line.wanted is None
    line.take([fact(1), fact(3)])
    assert line.wanted == 2
    assert numbers(line.take([fact(2)])) == [2, 3]
    line.known = 7
    assert line.wanted == 4


def test_what_closes_a_hole_is_taken_however_much_waits_behind_it():
    line = FactLine()
    line.begin(0)
    line.take([fact(n) for n in range(2, MOST_EARLY + 100)])
    assert numbers(line.take([fact(1)]))[:2] == [1, 2]


@given(st.data())
def test_each_once_and_in_order(data):
    count = data.draw(st.integers(0, 40))
    coming = data.draw(st.lists(st.integers(1, max(count, 1)), max_size=120))
    line = FactLine()
    line.begin(0)
    got = []
    for number in coming:
        got += numbers(line.take([fact(number)]))
    while (wanted := line.wanted) is not None:
        got += numbers(line.take([fact(wanted)]))
    assert got == list(range(1, max(coming, default=0) + 1))

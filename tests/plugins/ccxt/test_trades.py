"""Trades: each id once, in order, whatever comes how often and in which order."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from quantmind.events import Trade
from quantmind.testing import until
from quantmind_ccxt.stream import Stream
from quantmind_ccxt.trades import Backfill, TradeSequence


def trade(number):
    return Trade("BTC/USDT:USDT", number, 1.0, 1.0, 1, number)


def rows(*numbers):
    return [(number, trade(number)) for number in numbers]


class Sequence:
    """A sequence, what it gave out, and how often it asked to be mended."""

    def __init__(self, mend=None) -> None:
        self.out = []
        self.asked = 0
        self.stream = Stream("trade", "BTC/USDT:USDT", 1)
        self.sequence = TradeSequence(self.stream, lambda event: self.out.append(event.id), mend or self._mend)

    def _mend(self, _):
        self.asked += 1

    def add(self, *numbers):
        for number in numbers:
            self.sequence.add(number, trade(number))


def test_the_first_trade_begins_the_sequence():
    one = Sequence()
    one.add(700, 701)
    assert one.out == [700, 701]
    assert (one.asked, one.stream.events, one.stream.completeness) == (0, 2, 1.0)


def test_what_comes_after_a_hole_waits_until_it_is_filled():
    one = Sequence()
    one.add(1, 4, 5)
    assert (one.out, one.sequence.hole, one.asked > 0, one.stream.proven) == ([1], 2, True, 0)
    one.sequence.fill(rows(0, 1, 2, 3, 4, 5, 6))
    assert one.out == [1, 2, 3, 4, 5]
    assert (one.stream.backfilled, one.stream.gaps, one.stream.missing, one.stream.proven) == (2, 1, 0, 1)


def test_one_that_was_overtaken_is_put_in_its_place():
    one = Sequence()
    one.add(1, 3, 2, 4)
    assert one.out == [1, 2, 3, 4]
    assert (one.stream.backfilled, one.stream.duplicates) == (0, 0)


def test_twice_told_is_once_given():
    one = Sequence()
    one.add(1, 2, 2, 4, 4, 1)
    one.sequence.fill(rows(1, 2, 3, 4))
    one.add(3)
    assert one.out == [1, 2, 3, 4]
    assert one.stream.duplicates == 4


def test_what_the_venue_no_longer_tells_is_missing_with_its_number():
    one = Sequence()
    one.add(10, 2_000)
    one.sequence.fill(rows(*range(1_500, 2_001)))
    assert one.out == [10, *range(1_500, 2_001)]
    assert (one.stream.missing, one.stream.backfilled) == (1_489, 500)
    assert one.stream.completeness == 502 / (502 + 1_489)


def test_a_number_between_two_that_are_told_was_no_market_trade():
    one = Sequence()
    one.add(1, 5)
    one.sequence.fill(rows(1, 2, 4, 5))
    assert one.out == [1, 2, 4, 5]
    assert one.stream.missing == 0


def test_a_trade_outside_the_book_is_counted_and_not_given_out():
    one = Sequence()
    one.add(1)
    one.sequence.add(2, None)
    one.add(3)
    assert one.out == [1, 3]
    assert one.stream.gaps == 0


def test_an_answer_from_before_the_hole_fills_nothing():
    one = Sequence()
    one.add(1, 5)
    one.sequence.fill(rows(0, 1, 2))
    assert (one.out, one.sequence.hole) == ([1, 2], 2)


def test_who_gives_up_goes_on_with_what_waits():
    one = Sequence()
    one.add(1, 4, 7)
    one.sequence.give_up()
    one.add(8)
    assert one.out == [1, 4, 7, 8]
    assert one.stream.missing == 4


def test_a_lost_connection_without_a_trade_is_looked_into():
    one = Sequence()
    one.add(1)
    one.sequence.doubt()
    assert one.stream.proven == 0
    one.sequence.fill(rows(1, 2, 3))
    one.add(3, 4)
    assert one.out == [1, 2, 3, 4]
    assert (one.stream.proven, one.stream.backfilled, one.sequence.unsure) == (1, 2, False)


def test_the_next_trade_proves_that_a_lost_connection_lost_nothing():
    one = Sequence()
    one.add(1)
    one.sequence.doubt()
    one.add(2)
    assert (one.stream.proven, one.sequence.unsure) == (1, False)


def test_a_venue_that_counts_anew_is_followed():
    one = Sequence()
    one.add(100, 101)
    one.sequence.doubt()
    one.sequence.add(7, Trade("BTC/USDT:USDT", 200, 1.0, 1.0, 1, 7))
    one.add(8, 9)
    assert one.out == [100, 101, 7, 8, 9]
    assert (one.stream.duplicates, one.stream.gaps, one.stream.proven) == (0, 1, 1)


def test_a_quiet_venue_that_counts_anew_is_noticed_too():
    one = Sequence()
    one.add(100, 101)
    one.sequence.doubt()
    one.sequence.fill([(5, Trade("BTC/USDT:USDT", 200, 1.0, 1.0, 1, 5))])
    one.add(6)
    assert one.out == [100, 101, 6]


def test_an_old_trade_after_a_lost_connection_is_no_new_count():
    one = Sequence()
    one.add(100, 101)
    one.sequence.doubt()
    one.add(100)
    one.sequence.fill(rows(99, 100))
    assert one.out == [100, 101]
    assert one.stream.duplicates == 1


@given(st.lists(st.integers(0, 60), max_size=200), st.data())
def test_any_arrivals_come_out_in_order_and_once(arrivals, data):
    one = Sequence()
    one.add(100)
    for number in arrivals:
        one.add(100 + number)
        if data.draw(st.booleans()):
            newest = data.draw(st.integers(100, 160))
            one.sequence.fill(rows(*range(max(100, newest - data.draw(st.integers(0, 30))), newest + 1)))
    one.sequence.give_up()
    assert one.out == sorted(set(one.out))
    # Every number up to the last one is there, or counted as missing.
    assert len(one.out) + one.stream.missing == one.out[-1] - 99
    # What came and was newer than all before it is never lost.
    assert {100 + number for number in arrivals} - set(one.out) <= set(range(100, one.out[-1]))


async def test_missing_trades_are_fetched_until_they_are_there():
    answers = [rows(1, 2), OSError("no way"), rows(1, 2, 3, 4, 5)]

    async def fetch(symbol):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    backfill = Backfill(fetch, 10_000_000_000)
    one = Sequence(backfill.mend)
    one.add(1, 5)
    await until(lambda: not one.sequence.hole)
    assert one.out == [1, 2, 3, 4, 5]
    assert answers == []
    await backfill.close()


async def test_a_venue_that_never_answers_does_not_hold_trades_for_ever():
    async def fetch(symbol):
        await asyncio.Event().wait()

    backfill = Backfill(fetch, 100_000_000)
    one = Sequence(backfill.mend)
    one.add(1, 5)
    await until(lambda: not one.sequence.hole)
    assert one.out == [1, 5]
    assert one.stream.missing == 3
    await backfill.close()

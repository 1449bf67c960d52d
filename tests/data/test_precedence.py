"""The order of market events of one moment, and merging by it."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from quantmind.data.precedence import Precedence
from quantmind.events import Bar, FundingRate, Mark, Quote

BTC, ETH = SYMBOLS = ("BTC/USDT:USDT", "ETH/USDT:USDT")
MINUTE = 60_000_000_000
PRECEDENCE = Precedence(SYMBOLS)


def bar(ts, symbol=BTC, interval=MINUTE):
    return Bar(symbol, ts, interval, 1.0, 1.0, 1.0, 1.0, 1.0)


def test_of_one_moment_come_marks_then_bars_then_funding():
    expected = [
        Mark(BTC, 8, 1.0),
        Mark(ETH, 8, 1.0),
        bar(8),
        bar(8, ETH),
        bar(8, interval=5 * MINUTE),
        bar(8, interval=28_800_000_000_000),
        FundingRate(BTC, 8, 0.0001),
        FundingRate(ETH, 8, 0.0001),
    ]
    for events in itertools.islice(itertools.permutations(expected), 0, None, 997):
        assert sorted(events, key=PRECEDENCE.key) == expected


def test_time_goes_before_everything():
    assert PRECEDENCE.key(FundingRate(ETH, 7, 0.0001)) < PRECEDENCE.key(Mark(BTC, 8, 1.0))


TIME = st.integers(0, 8)
SYMBOL = st.sampled_from(SYMBOLS)
BARS = st.builds(bar, TIME, SYMBOL, st.sampled_from([1, MINUTE]))
POINTS = st.one_of(
    st.builds(Mark, SYMBOL, TIME, st.just(1.0)), st.builds(FundingRate, SYMBOL, TIME, st.sampled_from([0.1, 0.2]))
)


def batches(events, size):
    events = sorted(events, key=PRECEDENCE.key)
    return [events[at : at + size] for at in range(0, len(events), size)]


@given(st.lists(BARS), st.lists(POINTS), st.integers(1, 4), st.integers(1, 4))
def test_merged_streams_are_all_events_in_order(bars, points, first, second):
    merged = PRECEDENCE.merged(iter(batches(bars, first)), iter(batches(points, second)))
    events = list(itertools.chain.from_iterable(merged))
    keys = [PRECEDENCE.key(event) for event in events]
    assert keys == sorted(keys)
    assert sorted(map(repr, events)) == sorted(map(repr, bars + points))


def test_batches_with_nothing_between_are_passed_on():
    given_bars = batches([bar(ts) for ts in range(10)], 5)
    merged = list(PRECEDENCE.merged(iter(given_bars), iter([[Mark(BTC, 7, 1.0)]])))
    assert merged[0] is given_bars[0]
    assert [len(batch) for batch in merged] == [5, 6]


def test_quotes_come_before_the_bars_that_they_are_in():
    assert PRECEDENCE.key(Quote(ETH, 8, 1.0, 2.0, 1.0, 1.0)) < PRECEDENCE.key(bar(8))

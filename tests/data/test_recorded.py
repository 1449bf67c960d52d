"""Bars, mark prices and funding rates of several symbols as one stream."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from quantmind.data.recorded import Recorded
from quantmind.events import Bar, FundingRate, Mark
from quantmind.kinds import FUNDING, MARKS, QUOTES, bars

BTC, ETH = SYMBOLS = ("BTC/USDT:USDT", "ETH/USDT:USDT")
START = datetime(2024, 1, 1, tzinfo=UTC)
NS = 1_704_067_200_000_000_000
HOUR = 3_600_000_000_000
ALL = frozenset({bars(HOUR), MARKS, FUNDING})


def hours(count, every=1, **columns):
    return pl.DataFrame({"date": [START + timedelta(hours=n * every) for n in range(count)], **columns})


@pytest.fixture
def recorded(saved):
    """A day of hourly bars, with marks and funding every 8 hours of BTC alone."""
    prices = [100.0 + n for n in range(24)]
    day = hours(24, open=prices, high=prices, low=prices, close=prices, volume=prices)
    rates = hours(4, 8, rate=[0.0, 0.0001, 0.0002, 0.0003])
    marks = hours(3, 8, open=[1.0, 2.0, 3.0], close=[1.5, 2.5, 3.5])

    def make(start=None, end=None):
        files = {symbol: [saved(day)] for symbol in SYMBOLS}
        return Recorded(
            files,
            HOUR,
            {BTC: [saved(rates, "rates.csv")]},
            {BTC: [saved(marks, "marks.feather")]},
            None if start is None else NS + start * HOUR,
            None if end is None else NS + end * HOUR,
        )

    return make


def events_of(recorded, wanted=ALL, symbols=SYMBOLS):
    selection = recorded.read(symbols, dict.fromkeys(symbols, wanted))
    return list(itertools.chain.from_iterable(selection.batches()))


def short(event):
    kind = {Bar: "bar", Mark: "mark", FundingRate: "funding"}[type(event)]
    return (event.ts - NS) // HOUR, kind, event.symbol[:3]


def test_offers(recorded):
    assert recorded().offers([*SYMBOLS, "X/USDT:USDT"]) == {BTC: ALL, ETH: frozenset({bars(HOUR)})}


def test_at_a_settlement_the_mark_comes_first_then_the_bars_then_the_rate(recorded):
    events = events_of(recorded())
    at = [short(event) for event in events if event.ts == NS + 8 * HOUR]
    assert at == [(8, "mark", "BTC"), (8, "bar", "BTC"), (8, "bar", "ETH"), (8, "funding", "BTC")]
    assert [(event.rate, event.mark) for event in events if isinstance(event, FundingRate)] == [
        (0.0, 0.0),
        (0.0001, 0.0),
        (0.0002, 0.0),
        (0.0003, 0.0),
    ]
    assert [event.price for event in events if isinstance(event, Mark)] == [1.0, 2.0, 3.0, 3.5]
    assert [event.ts for event in events] == sorted(event.ts for event in events)
    assert len(events) == 48 + 4 + 4


def test_a_mark_is_never_known_before_its_time(recorded):
    times = {event.price: (event.ts - NS) // HOUR for event in events_of(recorded()) if isinstance(event, Mark)}
    assert times == {1.0: 0, 2.0: 8, 3.0: 16, 3.5: 24}


def test_a_part_has_the_marks_and_rates_from_start_to_end(recorded):
    events = [short(event) for event in events_of(recorded(8, 16)) if event.symbol == BTC]
    assert events[:3] == [(8, "mark", "BTC"), (8, "funding", "BTC"), (9, "bar", "BTC")]
    assert events[-3:] == [(16, "mark", "BTC"), (16, "bar", "BTC"), (16, "funding", "BTC")]


def test_marks_and_rates_end_with_the_bars_of_their_symbol(recorded, saved):
    prices = [100.0] * 9
    morning = saved(hours(9, **dict.fromkeys(("open", "high", "low", "close", "volume"), prices)), "morning.csv")
    whole = recorded()
    part = Recorded({BTC: [morning], ETH: whole.files[ETH]}, HOUR, whole.funding, whole.marks)
    assert [short(event) for event in events_of(part) if event.symbol == BTC][-3:] == [
        (8, "bar", "BTC"),
        (8, "funding", "BTC"),
        (9, "bar", "BTC"),
    ]


@pytest.mark.parametrize(
    ("wanted", "kinds"), [({FUNDING}, {FundingRate}), ({MARKS}, {Mark}), ({bars(HOUR)}, {Bar}), ((), set())]
)
def test_what_nobody_wants_is_not_read(recorded, wanted, kinds):
    assert {type(event) for event in events_of(recorded(), frozenset(wanted))} == kinds


def test_files_of_what_nobody_wants_are_not_opened(recorded):
    plain = recorded()
    missing = Recorded(plain.files, HOUR, {BTC: ["none.csv"]}, {BTC: ["none.csv"]})
    assert len(events_of(missing, frozenset({bars(HOUR)}))) == 48


def test_history_is_what_was_before_the_start(recorded):
    part = recorded(16)
    assert [short(event) for event in part.history(BTC, bars(HOUR), 2)] == [(15, "bar", "BTC"), (16, "bar", "BTC")]
    assert [event.price for event in part.history(BTC, MARKS, 9)] == [1.0, 2.0]
    assert [event.rate for event in part.history(BTC, FUNDING, 1)] == [0.0001]
    assert part.history(ETH, MARKS, 9) == part.history(BTC, QUOTES, 9) == recorded().history(BTC, MARKS, 9) == []


def test_bars_alone_are_passed_on_as_they_are_read(recorded, saved):
    minutes = 25_000
    closes = [100.0] * minutes
    rows = pl.DataFrame(
        {
            "date": [START + timedelta(minutes=n) for n in range(minutes)],
            **dict.fromkeys(("open", "high", "low", "close", "volume"), closes),
        }
    )
    bars_only = Recorded({BTC: [saved(rows, "minutes.parquet")]}, HOUR // 60)
    selection = bars_only.read([BTC], {BTC: {bars(HOUR // 60)}})
    assert [len(batch) for batch in selection.batches()] == [10_000, 10_000, 5_000]

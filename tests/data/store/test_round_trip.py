"""Every market event comes back exactly as it was, in the order of `Precedence`, with what came before a moment."""

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantmind.data.bars import read_bars
from quantmind.data.precedence import Precedence
from quantmind.data.store import Store, Writer
from quantmind.data.store.layout import Stream, channel_name, channel_of, symbol_name, symbol_of
from quantmind.data.store.tables import COLUMNS
from quantmind.events import Bar, Book, FundingRate, Mark, Quote, Ticker, Trade
from quantmind.events.market import CHANNELS
from quantmind.kinds import BOOKS, FUNDING, MARKS, QUOTES, TICKERS, TRADES, bars

MINUTE = 60_000_000_000
DAY = 86_400_000_000_000
BEGIN = 20_000 * DAY
SYMBOLS = ("BTC/USDT:USDT", "ETH/USDT:USDT")

figures = st.floats(allow_nan=False) | st.just(float("nan")) | st.sampled_from([0.0, -0.0, 1e-300, 5e300])
whole = st.integers(0, 2**63 - 1)
times = st.integers(BEGIN - DAY, BEGIN + DAY) | st.sampled_from([BEGIN - 1, BEGIN, BEGIN + DAY])
symbols = st.sampled_from(SYMBOLS)
levels = st.lists(st.tuples(figures, figures), max_size=3).map(tuple)
received = st.just(0) | st.integers(1, 2**62)
sizes = st.sampled_from([MINUTE, 5 * MINUTE])

quotes = st.builds(Quote, symbols, times, figures, figures, figures, figures, received, whole)
trades = st.builds(Trade, symbols, times, figures, figures, st.sampled_from([1, -1]), whole, received)
candles = st.builds(Bar, symbols, times, sizes, figures, figures, figures, figures, figures, received)
marks = st.builds(Mark, symbols, times, figures, received)
rates = st.builds(FundingRate, symbols, times, figures, figures, received)
books = st.builds(Book, symbols, times, levels, levels, received, whole)
tickers = st.builds(Ticker, symbols, times, figures, figures, figures, figures, figures, figures, received)
events = st.one_of(quotes, trades, candles, marks, rates, books, tickers)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_events=st.lists(events, max_size=40), rows=st.integers(1, 12), compacted=st.booleans())
def test_every_event_comes_back_exactly_and_in_order(given_events, rows, compacted, everything, encoded):
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "store"
        with Writer(folder, rows=rows) as writer:
            for event in given_events:
                writer.write("a venue/x", [event])
            if not compacted:
                writer.flush()
                found = everything(Store(folder), venue="a venue/x")
        if compacted:
            found = everything(Store(folder), venue="a venue/x")
    assert encoded(found) == encoded(given_events)
    key = Precedence(SYMBOLS).key
    assert [key(event) for event in found] == sorted(key(event) for event in given_events)


@settings(max_examples=30, deadline=None)
@given(
    given_events=st.lists(st.one_of(candles, trades), min_size=1, max_size=30),
    span=st.tuples(times, times).map(sorted),
)
def test_a_span_is_by_the_time_of_the_event_and_of_bars_by_their_open(given_events, span, everything, encoded):
    start, end = span
    with tempfile.TemporaryDirectory() as place:
        with Writer(Path(place), rows=7) as writer:
            writer.write("v", given_events)
        found = everything(Store(Path(place)), start=start, end=end)
    expected = [e for e in given_events if start <= e.ts - (e.interval if isinstance(e, Bar) else 0) < end]
    assert encoded(found) == encoded(expected)


def test_every_kind_of_channel_can_be_stored():
    assert {kind: columns.type for kind, columns in COLUMNS.items()} == {k: t for t, k in CHANNELS.items()}
    for kind, columns in COLUMNS.items():
        special = {"interval", "bids", "asks"} if kind in {"bar", "book"} else set()
        fields = {*columns.figures, *columns.whole, "symbol", "ts", "received"} | special
        assert set(columns.type.__struct_fields__) <= fields


@given(
    st.text(max_size=12) | st.from_regex(r"[A-Z0-9-]{1,6}/[A-Z]{1,4}(:[A-Z]{1,4}(-[0-9CP-]{1,8})?)?", fullmatch=True)
)
def test_every_symbol_has_a_folder_of_its_own(symbol):
    name = symbol_name(symbol)
    assert "/" not in name
    assert "\0" not in name
    assert symbol_of(name) == symbol


def test_folders_are_named_as_is_documented():
    stream = Stream("binanceusdm", bars(MINUTE), "BTC/USDT:USDT")
    assert str(stream.path) == "venue=binanceusdm/channel=bar-1m/symbol=BTC-USDT-USDT"
    assert symbol_name("BTC/USDT:USDT-240628") == "BTC-USDT-USDT-240628"
    for channel in (BOOKS, FUNDING, MARKS, QUOTES, TICKERS, TRADES, bars(MINUTE), bars(DAY), bars(7 * DAY)):
        assert channel_of(channel_name(channel)) == channel
    for name in ("bar", "bar-60s", "quotes", "trade-1m", "", "bar-x"):
        assert channel_of(name) is None


@pytest.mark.parametrize("sound", [True, False])
def test_what_has_one_time_keeps_the_order_in_which_it_came(fill, make, everything, sound):
    # Three parts, the second one with late events.
    made = [make.trade(n, ts=make.midnight + 5) for n in (4, 2, 9)]
    made += [make.trade(n, ts=make.midnight + (5 if sound else 3)) for n in (1, 7, 3)]
    made += [make.trade(n, ts=make.midnight + 5) for n in (8, 6)]
    found = [event.id for event in everything(fill(made, rows=3))]
    assert found == ([4, 2, 9, 1, 7, 3, 8, 6] if sound else [1, 7, 3, 4, 2, 9, 8, 6])


def test_of_one_moment_channels_are_in_the_order_in_which_they_were_received(fill, make, everything):
    ts = make.midnight
    quote, trade = Quote(make.btc, ts, 1.0, 2.0, 1.0, 1.0, ts + 2, 1), Trade(make.btc, ts, 1.5, 1.0, 1, 1, ts + 1)
    later = Mark(make.btc, ts, 1.5, ts + 3)
    assert everything(fill([quote, later, trade])) == [trade, quote, later]


@pytest.mark.parametrize("count", [0, 1, 3, 250, 1000])
def test_history_is_the_last_events_before_a_moment(fill, make, count):
    events = [make.trade(n, ts=make.midnight - make.day + n * make.minute * 5) for n in range(400)]
    store = fill(events, rows=90)
    before = events[350].ts
    found = store.history("v", make.btc, TRADES, before, count)
    assert found == ([] if not count else events[:350][-count:])


def test_history_of_bars_has_none_that_is_still_open(fill, make):
    store = fill([make.bar(n) for n in range(10)])
    opens_6 = make.midnight + 6 * make.minute
    assert store.history("v", make.btc, bars(make.minute), opens_6, 2) == [make.bar(4), make.bar(5)]
    assert store.history("v", make.btc, bars(make.minute), opens_6 - 1, 2) == [make.bar(3), make.bar(4)]
    assert store.history("v", make.btc, bars(make.minute), opens_6 + make.minute // 2, 1) == [make.bar(5)]


def test_it_tells_what_it_has(fill, make):
    store = fill([make.bar(0), make.bar(3), make.quote(1), make.trade(2, symbol=make.eth)])
    assert store.venues() == ["v"]
    assert store.offers("v", [make.btc, make.eth, "XRP/USDT:USDT"]) == {
        make.btc: {bars(make.minute), QUOTES},
        make.eth: {TRADES},
    }
    assert store.offers("w", [make.btc]) == {}
    assert store.span("v", make.btc, bars(make.minute)) == (make.bar(0).ts, make.bar(3).ts)
    assert store.span("v", make.eth, QUOTES) is None


def test_others_read_its_files_as_they_are(fill, make, folder):
    fill([make.bar(n) for n in range(1440 * 2)], rows=500)
    (first, _) = paths = sorted(folder.rglob("*.parquet"))
    table = read_bars({make.btc: paths}, make.minute)
    assert [bar for batch in table.batches() for bar in batch] == [make.bar(n) for n in range(1440 * 2)]
    found = pl.scan_parquet(folder / "venue=v" / "channel=bar-1m", hive_partitioning=True).collect()
    assert found.columns[:6] == ["time", "open", "high", "low", "close", "volume"]
    assert found["symbol"].unique().to_list() == ["BTC-USDT-USDT"]
    assert len(found) == 2880
    assert first.parent.name == "day=2024-10-04"

"""Bars as the market: what the venue makes of them are the same bars again, and every quote can be traded at."""

from __future__ import annotations

import itertools
import json
import math
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantmind.errors import QuantMindError
from quantmind.events import FundingRate, Mark, Quote, Trade
from quantmind_venue.market.klines import INTERVALS, Series
from quantmind_venue.options import VenueOptions
from quantmind_venue.server import Venue

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
START = 1_747_526_400_000  # 2025-05-18, ms


@pytest.fixture
def bars(data):
    folder = data / "binance_usdm_bars"
    coins = ("BTC", "ETH")
    return {
        "bars": {f"{coin}USDT": folder / f"{coin}_USDT_USDT-1m-futures.feather" for coin in coins},
        "funding": {f"{coin}USDT": folder / f"{coin}_USDT_USDT-8h-funding_rate.feather" for coin in coins},
        "marks": {f"{coin}USDT": folder / f"{coin}_USDT_USDT-8h-mark.feather" for coin in coins},
        "start": "2025-05-18",
    }


async def candles(http, venue, symbol="BTCUSDT", interval="1m", **more):
    query = "&".join(f"{key}={value}" for key, value in {"symbol": symbol, "interval": interval, **more}.items())
    async with http.get(f"{venue.url}/fapi/v1/klines?{query}") as answer:
        return [[row[0], *map(float, row[1:6])] for row in await answer.json()]


def recorded(path, start, count):
    rows = pl.read_ipc(path)
    stamps = rows["date"].dt.epoch("ms")
    chosen = rows.filter(stamps >= start).head(count)
    return [
        [stamp, *row]
        for stamp, row in zip(
            chosen["date"].dt.epoch("ms"), chosen.select("open", "high", "low", "close", "volume").rows(), strict=True
        )
    ]


def same(got, expected):
    assert [row[:5] for row in got] == [row[:5] for row in expected]
    assert [row[5] for row in got] == pytest.approx([row[5] for row in expected], abs=0.0011)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT"])
async def test_candles_are_the_bars_again(venues, http, bars, symbol):
    venue = await venues(**bars, speed="virtual", times="recorded")
    await venue.advance(30 * MINUTE)
    got = await candles(http, venue, symbol, startTime=START, limit=30)
    same(got, recorded(bars["bars"][symbol], START, 30))
    assert venue.clock.now() == START + 30 * 60_000


async def test_bars_from_before_the_start_are_history(venues, http, bars):
    venue = await venues(**bars, speed="virtual", times="recorded")
    await venue.advance(MINUTE // 2)
    got = await candles(http, venue, limit=101)
    same(got[:-1], recorded(bars["bars"]["BTCUSDT"], START - 100 * 60_000, 100))
    five = await candles(http, venue, interval="5m", limit=4)
    minutes = recorded(bars["bars"]["BTCUSDT"], START - 15 * 60_000, 15)
    parts = [minutes[first : first + 5] for first in (0, 5, 10)]
    same(
        five[:-1],
        [
            [
                part[0][0],
                part[0][1],
                max(row[2] for row in part),
                min(row[3] for row in part),
                part[-1][4],
                math.fsum(row[5] for row in part),
            ]
            for part in parts
        ],
    )


async def test_moved_times_keep_the_bars(venues, http, bars):
    venue = await venues(**bars, speed="virtual")
    await venue.advance(10 * MINUTE)
    now = datetime.now(UTC).timestamp() * 1000
    got = await candles(http, venue, limit=8)
    assert abs(got[-1][0] - now) < 15 * 60_000
    expected = recorded(bars["bars"]["BTCUSDT"], START, 12)
    prices = [row[1:5] for row in expected]
    # The first minute began before the venue did; the last one is not over.
    assert [row[1:5] for row in got[:-1]] == prices[prices.index(got[0][1:5]) :][:7]


@pytest.mark.slow
async def test_quotes_are_not_crossed_and_marks_and_funding_are_those_of_the_files(venues, bars):
    venue = await venues(**bars, speed="virtual", times="recorded", trade_interval="5s")
    told = []
    venue.board.listen(lambda seq, event: told.append((seq, event)))
    await venue.advance(8 * 60 * MINUTE + SECOND)
    assert [seq for seq, _ in told] == list(range(told[0][0], told[0][0] + len(told)))
    events = [event for _, event in told]
    assert all(after.ts >= before.ts for before, after in itertools.pairwise(events))
    quotes = [event for event in events if isinstance(event, Quote)]
    assert all(quote.bid < quote.ask and quote.bid_size > 0 < quote.ask_size for quote in quotes)
    last = {}
    for event in events:
        if isinstance(event, Quote):
            last[event.symbol] = event
        elif isinstance(event, Trade):
            quote = last[event.symbol]
            assert event.price == (quote.ask if event.side > 0 else quote.bid)
    settled = [event for event in events if isinstance(event, FundingRate)]
    assert {event.symbol for event in settled} == {"BTC/USDT:USDT", "ETH/USDT:USDT"}
    assert {event.ts // 1_000_000 % 28_800_000 for event in settled} == {0}
    rates = pl.read_ipc(bars["funding"]["BTCUSDT"])
    expected = rates.filter(rates["date"].dt.epoch("ms") == START + 28_800_000)["open"][0]
    found = [event.rate for event in settled if event.symbol.startswith("BTC")]
    assert found[-1] == pytest.approx(expected)
    assert any(isinstance(event, Mark) for event in events)


def test_bars_that_cannot_be_played_are_named(bars, tmp_path):
    with pytest.raises(QuantMindError, match="missing"):
        Venue(VenueOptions(bars={"BTCUSDT": tmp_path / "missing.feather"}))
    with pytest.raises(QuantMindError, match="no bars from that start on"):
        Venue(VenueOptions(**bars | {"start": "2031-01-01"}))
    with pytest.raises(QuantMindError, match="no candles of 7m"):
        Venue(VenueOptions(**bars | {"interval": "7m"}))


TRADES = st.lists(
    st.tuples(st.integers(0, 90_000), st.integers(1, 2_000), st.integers(1, 50), st.booleans()), min_size=1, max_size=60
)


@given(TRADES, st.sampled_from([name for name in INTERVALS if name != "1m"]))
@settings(max_examples=150, deadline=None)
def test_longer_candles_are_made_of_shorter_ones(trades, interval):
    """Both ways give the same candles: from trades, and from the candles of a minute."""
    own, minutes = Series(interval), Series("1m")
    now = START
    for number, (wait, price, size, bought) in enumerate(trades):
        now += wait
        for series in (own, minutes):
            series.trade(now, price / 10, size / 1000, bought, number)
    made = Series(interval, minutes.candles)
    for got, expected in zip(made.candles, own.candles, strict=True):
        for name in ("start", "end", "open", "high", "low", "close", "count", "first", "last"):
            assert getattr(got, name) == getattr(expected, name), name
        assert got.volume == pytest.approx(expected.volume)
        assert got.quote_bought == pytest.approx(expected.quote_bought)
    assert sum(candle.count for candle in own.candles) == len(trades)
    assert all(after.start == before.end + 1 for before, after in zip(own.candles, own.candles[1:], strict=False))


async def test_a_made_up_market_is_its_seeds(venues, http):
    bodies = []
    for seed in (1, 1, 2):
        venue = await venues(speed="virtual", start="2025-01-01", seed=seed)
        await venue.advance(20 * SECOND)
        texts = []
        for path in ("depth?symbol=BTCUSDT", "trades?symbol=ETHUSDT", "klines?symbol=BTCUSDT&interval=1m"):
            async with http.get(f"{venue.url}/fapi/v1/{path}") as answer:
                texts.append(await answer.text())
        bodies.append(texts)
    assert bodies[0] == bodies[1]
    assert bodies[0] != bodies[2]
    assert len(json.loads(bodies[0][1])) == 80


def test_a_trade_that_comes_late_belongs_where_it_happened():
    minutes = Series("1m")
    for ms, price in ((0, 10.0), (59_999, 11.0), (60_100, 12.0), (59_998, 9.0)):
        minutes.trade(ms, price, 1.0, True, ms)
    first, second = minutes.candles
    assert (first.low, first.high, first.count, first.volume) == (9.0, 11.0, 3, 3.0)
    assert (second.open, second.count) == (12.0, 1)

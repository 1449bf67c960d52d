from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from pydantic import ValidationError

from quantmind.errors import QuantMindError
from quantmind.events import Bar, FundingRate, Mark, Quote
from quantmind.kinds import FUNDING, MARKS, QUOTES, TRADES, bars
from quantmind.kinds.moment import parse_moment
from quantmind.market.instruments import KNOWN
from quantmind_files.replay import Replay, ReplayOptions

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MINUTE = 60_000_000_000
START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def file(tmp_path):
    closes = [100.0 + n for n in range(10)]
    path = tmp_path / "bars.parquet"
    pl.DataFrame(
        {
            "date": [START + timedelta(minutes=n) for n in range(10)],
            "open": closes,
            "high": closes,
            "low": closes,
            "close": closes,
            "volume": [1.0] * 10,
        }
    ).write_parquet(path)
    return path


def feed(files, symbols=(BTC,), wanted=(BTC, ETH), **options):
    replay = Replay(ReplayOptions.model_validate({"files": files, **options}), [KNOWN[symbol] for symbol in symbols])
    replay.wanted = {symbol: frozenset({bars(replay.options.interval)}) for symbol in wanted}
    return replay


async def events(replay):
    async with replay:
        return [event async for batch in replay.events() for event in batch]


async def test_it_replays_the_bars_between_start_and_end(file):
    replayed = await events(feed({BTC: file}, start="2024-01-01T00:02:00Z", end="2024-01-01T00:04:00Z"))
    assert [(bar.symbol, bar.close) for bar in replayed] == [(BTC, 102.0), (BTC, 103.0)]


async def test_bars_of_one_time_come_in_the_order_of_the_recipe(file):
    replayed = await events(feed({BTC: str(file), ETH: [str(file)]}, symbols=(ETH, BTC)))
    assert [bar.symbol for bar in replayed] == [ETH, BTC] * 10
    assert [bar.ts for bar in replayed] == sorted(bar.ts for bar in replayed)


async def test_what_nobody_wants_is_not_sent(file):
    replayed = await events(feed({BTC: file, ETH: file}, symbols=(BTC, ETH), wanted=(ETH,)))
    assert {bar.symbol for bar in replayed} == {ETH}
    assert await events(feed({BTC: file}, wanted=())) == []


async def test_a_path_is_relative_to_the_current_directory(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    assert len(await events(feed({BTC: file.name}))) == 10


async def test_history_is_what_opened_before_the_start(file):
    replay = feed({BTC: file}, start="2024-01-01T00:05:00Z")
    history = [bar.close for bar in await replay.history(BTC, bars(MINUTE), 3)]
    assert history == [102.0, 103.0, 104.0]
    assert next(bar.close for bar in await events(replay)) == 105.0
    assert len(await replay.history(BTC, bars(MINUTE), 100)) == 5


@pytest.mark.parametrize(
    ("symbol", "channel", "count", "start"),
    [
        (BTC, bars(MINUTE), 5, None),
        (BTC, bars(MINUTE), 5, "2024-01-01"),
        (BTC, bars(2 * MINUTE), 5, "2024-01-02"),
        (BTC, QUOTES, 5, "2024-01-02"),
        (ETH, bars(MINUTE), 5, "2024-01-02"),
        (BTC, bars(MINUTE), 0, "2024-01-02"),
    ],
)
async def test_there_is_no_history_of_anything_else(file, symbol, channel, count, start):
    assert list(await feed({BTC: file}, start=start).history(symbol, channel, count)) == []


def test_it_offers_bars_of_the_symbols_that_have_files_and_opens_none():
    options = ReplayOptions.model_validate({"files": {BTC: "none.parquet"}, "interval": "5m"})
    assert Replay.offers(options, [BTC, ETH]) == {BTC: frozenset({bars(5 * MINUTE)})}


@pytest.fixture
def beside(tmp_path):
    """Files of marks and of funding rates, at the start and four minutes after it."""
    times = [START, START + timedelta(minutes=4)]
    marks, funding = tmp_path / "marks.feather", tmp_path / "funding.csv"
    pl.DataFrame({"date": times, "open": [99.0, 104.5], "close": [104.0, 109.0]}).write_ipc(marks)
    pl.DataFrame({"date": times, "fundingRate": [0.0001, -0.0002]}).write_csv(funding)
    return {"marks": {BTC: marks}, "funding": {BTC: [str(funding)]}}


def test_it_offers_marks_and_funding_of_the_symbols_that_have_files():
    options = ReplayOptions.model_validate(
        {"files": {BTC: "a.csv", ETH: "a.csv"}, "funding": {ETH: "b.csv"}, "marks": {BTC: "c.csv", ETH: "c.csv"}}
    )
    assert Replay.offers(options, [BTC, ETH]) == {
        BTC: frozenset({bars(MINUTE), MARKS}),
        ETH: frozenset({bars(MINUTE), MARKS, FUNDING}),
    }


async def test_marks_and_funding_rates_come_at_their_times(file, beside):
    replay = feed({BTC: file}, **beside, end="2024-01-01T00:06:00Z")
    replay.wanted = {BTC: frozenset({bars(MINUTE), MARKS, FUNDING})}
    replayed = await events(replay)
    kinds = [type(event) for event in replayed]
    assert kinds == [Mark, FundingRate, Bar, Bar, Bar, Mark, Bar, FundingRate, Bar, Bar]
    assert [event.rate for event in replayed if type(event) is FundingRate] == [0.0001, -0.0002]
    assert [event.price for event in replayed if type(event) is Mark] == [99.0, 104.5]


async def test_marks_and_funding_rates_that_nobody_wants_are_not_read(file):
    replayed = await events(feed({BTC: file}, marks={BTC: "none.csv"}, funding={BTC: "none.csv"}))
    assert {type(event) for event in replayed} == {Bar}


async def test_a_missing_file_of_funding_rates_is_an_error_at_open(file, tmp_path):
    replay = feed({BTC: file}, funding={BTC: tmp_path / "none.csv"})
    replay.wanted = {BTC: frozenset({FUNDING})}
    with pytest.raises(QuantMindError, match=r"none.csv: no such file"):
        await replay.open()


async def test_history_of_marks_is_what_was_known_before_the_start(file, beside):
    replay = feed({BTC: file}, **beside, start="2024-01-01T00:04:00Z")
    assert [mark.price for mark in await replay.history(BTC, MARKS, 5)] == [99.0]
    assert [rate.rate for rate in await replay.history(BTC, FUNDING, 5)] == [0.0001]


@pytest.mark.parametrize(("speed", "times"), [("max", None), (1, 1.0), (0.5, 0.5)])
def test_speed(speed, times):
    replay = feed({BTC: "none.parquet"}, speed=speed)
    assert (replay.speed, replay.live) == (times, False)


async def test_a_span_without_bars_is_an_error_at_open(file):
    with pytest.raises(QuantMindError) as error:
        await feed({BTC: file}, start="2025-01-01").open()
    assert str(error.value) == (
        "replay: no file has a bar from 2025-01-01T00:00:00Z to the end; set other `start` and `end`"
    )


async def test_a_missing_file_is_an_error_at_open(tmp_path):
    with pytest.raises(QuantMindError, match=r"none.parquet: no such file"):
        await feed({BTC: tmp_path / "none.parquet"}).open()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"files": {}}, "files, raw or store"),
        ({"files": {BTC: []}}, "at least 1 item"),
        ({"files": {BTC: "bars.xls"}}, "must end with one of"),
        ({"files": {BTC: "a.csv"}, "marks": {BTC: "marks.xls"}}, "must end with one of"),
        ({"files": {BTC: "a.csv"}, "funding": {BTC: []}}, "at least 1 item"),
        ({"files": {BTC: "a.csv"}, "start": "2024-01-02", "end": "2024-01-02"}, "end must be after start"),
        ({"files": {BTC: "a.csv"}, "start": "soon"}, "must be a date or a time"),
        ({"files": {BTC: "a.csv"}, "speed": 0}, "greater than 0"),
        ({"files": {BTC: "a.csv"}, "speed": "fast"}, "max"),
        ({"files": {BTC: "a.csv"}, "pace": 1}, "Extra inputs"),
        ({}, "files, raw or store"),
        ({"files": {BTC: "a.csv"}, "raw": {BTC: "a.gz"}}, "files and raw exclude each other"),
        ({"raw": {BTC: "a.gz"}, "marks": {BTC: "a.csv"}}, "name them in channels"),
        ({"raw": {BTC: "a.gz"}, "channels": ["bar"]}, "built from its trades"),
        ({"store": "data", "channels": []}, "at least 1 item"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValidationError, match=message):
        ReplayOptions.model_validate(options)


class TestRaw:
    def replay(self, data, *channels, symbols=(BTC,), **options):
        path = data / "binance_usdm_raw" / "btcusdt_20240808.gz"
        options = {"raw": {BTC: path}, **options}
        replay = Replay(ReplayOptions.model_validate(options), [KNOWN[symbol] for symbol in symbols])
        replay.wanted = {BTC: frozenset(channels)}
        return replay

    def test_it_offers_what_it_is_said_to_have_and_opens_nothing(self):
        options = ReplayOptions.model_validate({"raw": {BTC: "missing.gz"}, "channels": ["quote", "mark"]})
        assert Replay.offers(options, [BTC, ETH]) == {BTC: {QUOTES, MARKS}}

    async def test_it_replays_what_is_wanted_of_the_span(self, data):
        start, end = "2024-08-08T23:56:00Z", "2024-08-08T23:56:10Z"
        replayed = await events(self.replay(data, QUOTES, start=start, end=end))
        assert len(replayed) > 1_000
        assert {type(event) for event in replayed} == {Quote}
        first, last = replayed[0].ts, replayed[-1].ts
        assert parse_moment(start) <= first <= last < parse_moment(end)

    async def test_what_is_missing_is_told(self, data, tmp_path):
        with pytest.raises(QuantMindError, match="no such file"):
            await events(self.replay(data, QUOTES, raw={BTC: tmp_path / "none.gz"}))
        path = data / "binance_usdm_raw" / "btcusdt_20240808.gz"
        replay = self.replay(data, QUOTES, raw={ETH: path}, symbols=(ETH,))
        replay.wanted = {ETH: frozenset({QUOTES})}
        with pytest.raises(QuantMindError, match="has nothing of ETH/USDT:USDT, but of BTC/USDT:USDT"):
            await events(replay)

    async def test_a_span_without_events_is_a_mistake(self, data):
        with pytest.raises(QuantMindError, match=r"no event from 2030-01-01T00:00:00Z to the end; set other"):
            await events(self.replay(data, QUOTES, start="2030-01-01"))

    async def test_several_recordings_are_merged_by_time(self, tmp_path):
        for symbol, first in (("BTCUSDT", 1_000), ("ETHUSDT", 1_001)):
            with (tmp_path / symbol).open("w") as file:
                for n in range(10):
                    message = {"e": "trade", "T": first + 2 * n, "s": symbol, "t": n, "p": "9", "q": "1", "m": False}
                    text = json.dumps({"stream": "s", "data": message}, separators=(",", ":"))
                    file.write(f"{1_723_161_255_000_000_000 + n} {text}\n")
        raw = {BTC: tmp_path / "BTCUSDT", ETH: tmp_path / "ETHUSDT"}
        replay = Replay(ReplayOptions.model_validate({"raw": raw}), [KNOWN[BTC], KNOWN[ETH]])
        replay.wanted = dict.fromkeys((BTC, ETH), frozenset({TRADES}))
        replayed = await events(replay)
        assert [(trade.symbol, trade.id) for trade in replayed] == [(s, n) for n in range(10) for s in (BTC, ETH)]

"""The archive: bars, marks and funding rates of a span, once each and in order."""

from __future__ import annotations

import contextlib
import gc

import pytest

from quantmind.errors import ComponentError, QuantMindError
from quantmind.kinds import FUNDING, MARKS, TRADES, bars
from quantmind_ccxt import CcxtArchive
from quantmind_ccxt import archive as module
from quantmind_ccxt.archive import CcxtArchiveOptions
from quantmind_venue.options import VenueOptions
from quantmind_venue.server import Venue

BTC = "BTC/USDT:USDT"
MINUTE = 60_000_000_000
HOUR = 60 * MINUTE


@pytest.fixture
async def archive():
    """Return an archive of a venue with a week behind it, and that venue."""
    async with contextlib.AsyncExitStack() as stack:
        venue = Venue(VenueOptions(port=0))
        await venue.start()
        stack.push_async_callback(venue.stop)
        made = await stack.enter_async_context(
            CcxtArchive(CcxtArchiveOptions(url=venue.url, settings={"timeout_on_exit": 1}))
        )
        yield made, venue


async def fetched(archive, channel, start, end):
    return [event async for page in archive.fetch(BTC, channel, start, end) for event in page]


async def test_bars_of_many_pages_are_whole(archive):
    made, venue = archive
    end = venue.clock.ns() // HOUR * HOUR
    start = end - 60 * HOUR
    found = await fetched(made, bars(MINUTE), start, end)
    assert [bar.ts for bar in found] == list(range(start + MINUTE, end + MINUTE, MINUTE))
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in found)


async def test_a_bar_that_has_not_closed_is_left_out(archive):
    made, venue = archive
    now = venue.clock.ns()
    found = await fetched(made, bars(MINUTE), now - 5 * MINUTE, now + HOUR)
    assert found
    assert found[-1].ts <= venue.clock.ns()


async def test_marks_are_the_opens_of_candles(archive):
    made, venue = archive
    venue.clock.pace = "virtual"
    start = (venue.clock.ns() // MINUTE + 1) * MINUTE
    await venue.advance(5 * MINUTE)
    found = await fetched(made, MARKS, start, start + 3 * MINUTE)
    assert [mark.ts for mark in found] == [start, start + MINUTE, start + 2 * MINUTE]


async def test_funding_rates_are_those_of_the_span(archive):
    made, venue = archive
    end = venue.clock.ns()
    found = await fetched(made, FUNDING, end - 48 * HOUR, end)
    assert 5 <= len(found) <= 6
    assert [rate.ts for rate in found] == sorted({rate.ts for rate in found})
    assert all(rate.ts % (8 * HOUR) < MINUTE and rate.mark > 0 and rate.rate for rate in found)


async def test_a_span_without_anything_is_empty(archive):
    made, venue = archive
    assert await fetched(made, bars(MINUTE), 0, 0) == []
    assert await fetched(made, FUNDING, venue.clock.ns(), venue.clock.ns()) == []


@pytest.mark.parametrize(
    ("channel", "why"), [(TRADES, "tells no trades of the past"), (bars(7 * MINUTE), "no candles of 7m: choose of 1m")]
)
async def test_what_it_does_not_have_is_said(archive, channel, why):
    made, venue = archive
    with pytest.raises(QuantMindError, match=why):
        await fetched(made, channel, 0, venue.clock.ns())


async def test_a_symbol_the_venue_does_not_list_is_said(archive):
    with pytest.raises(QuantMindError, match="does not list XYZ"):
        _ = [page async for page in archive[0].fetch("XYZ/USDT:USDT", MARKS, 0, 1)]


async def test_its_venue_is_what_it_is_filed_under(archive):
    assert archive[0].venue == "binanceusdm"
    assert archive[0].channels(BTC) is None


async def test_a_venue_that_is_not_there_is_told(free_ports, monkeypatch, caplog):
    monkeypatch.setattr(module, "_RETRIES", 0)
    made = CcxtArchive(CcxtArchiveOptions(url=f"http://127.0.0.1:{free_ports}"))
    with pytest.raises(ComponentError, match="cannot be reached"):
        async with made:
            pass
    del made
    gc.collect()
    assert not caplog.records

"""The opening: the bar that is open when the feed begins is whole, and follows on its history."""

from __future__ import annotations

import asyncio
import contextlib
import itertools

import pytest

from quantmind.events import Bar, Trade
from quantmind.kinds import TRADES, bars
from quantmind.market.bars import Built
from quantmind.market.instruments import KNOWN
from quantmind.pipeline.feeding import Feeding
from quantmind.recipe.wiring import Wiring
from quantmind_ccxt import Ccxt
from quantmind_ccxt.options import CcxtOptions
from quantmind_venue.options import VenueOptions
from quantmind_venue.server import Venue

BTC = "BTC/USDT:USDT"
SECOND = 1_000_000_000
MINUTE = 60 * SECOND


@pytest.mark.parametrize(("interval", "into"), [(MINUTE, 25), (5 * MINUTE, 190), (5 * MINUTE, 10)])
async def test_the_bar_that_is_open_when_the_feed_begins_is_whole(interval, into):
    venue = Venue(VenueOptions(port=0, speed="virtual", history="30m"))
    await venue.start()
    try:
        now = venue.clock.now() * 1_000_000
        await venue.advance(2 * interval - now % interval + into * SECOND)
        feed = Ccxt(CcxtOptions(url=venue.url), [KNOWN[BTC]])
        feed.wanted = {BTC: frozenset({TRADES})}
        built = (Built(BTC, interval, TRADES),)
        history = {(BTC, bars(interval)): 3}
        wiring = Wiring((feed.wanted,), built, feed.wanted, history, {}, fills=False, positions=False)
        feeding = Feeding([feed], wiring, [BTC])
        found = []

        async def read():
            async for batch in feeding.batches():
                found.extend(batch)

        async with feed:
            before = await feeding.history()
            reading = asyncio.create_task(read())
            while not any(isinstance(event, Trade) for event in found):
                await venue.advance(SECOND // 4)
                await asyncio.sleep(0.01)
            while len([event for event in found if isinstance(event, Bar)]) < 2:
                await venue.advance(SECOND)
                await asyncio.sleep(0.005)
            told = await feed._exchange.fetch_ohlcv(BTC, "1m" if interval == MINUTE else "5m", limit=20)
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
        given = [*before, *(event for event in found if isinstance(event, Bar))]
        assert {after.ts - earlier.ts for earlier, after in itertools.pairwise(given)} == {interval}
        candles = {row[0]: row[1:] for row in told}
        for bar in given[3:]:
            first, high, low, last, volume = candles[(bar.ts - interval) // 1_000_000]
            assert (bar.open, bar.high, bar.low, bar.close) == (first, high, low, last)
            assert bar.volume == pytest.approx(volume)
    finally:
        await venue.stop()

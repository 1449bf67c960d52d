"""The opening: the bar that is open when the feed begins is whole, and follows on its history."""

from __future__ import annotations

import itertools
from functools import partial

import pytest

from quantmind.events import Bar, Trade
from quantmind.kinds import Needs, bars
from quantmind.market.instruments import KNOWN
from quantmind.testing import FeedStage
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
        async with FeedStage(feed, Needs((bars(interval),), history=3)) as stage:
            await stage.until(lambda: stage.of(Trade), act=partial(venue.advance, SECOND // 4))
            await stage.until(lambda: len(stage.of(Bar)) >= 2, act=partial(venue.advance, 2 * SECOND))
            told = await feed._exchange.fetch_ohlcv(BTC, "1m" if interval == MINUTE else "5m", limit=20)
        given = [*stage.history, *stage.of(Bar)]
        assert len(stage.history) == 3
        assert {after.ts - earlier.ts for earlier, after in itertools.pairwise(given)} == {interval}
        candles = {row[0]: row[1:] for row in told}
        for bar in given[3:]:
            first, high, low, last, volume = candles[(bar.ts - interval) // 1_000_000]
            assert (bar.open, bar.high, bar.low, bar.close) == (first, high, low, last)
            assert bar.volume == pytest.approx(volume)
    finally:
        await venue.stop()

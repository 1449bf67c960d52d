"""A feed that listens to a simulated venue."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from quantmind.kinds import BOOKS, FUNDING, MARKS, QUOTES, TRADES, Needs
from quantmind.market.instruments import KNOWN
from quantmind.testing import FeedStage
from quantmind_ccxt import Ccxt
from quantmind_ccxt.options import CcxtOptions
from quantmind_venue.options import VenueOptions
from quantmind_venue.server import Venue

BTC = "BTC/USDT:USDT"
ALL = frozenset({QUOTES, TRADES, BOOKS, MARKS, FUNDING})


class Live:
    """A venue whose clock goes on when told, and a feed of it, as its stage runs it."""

    def __init__(self, venue, stage) -> None:
        self.venue = venue
        self.stage = stage
        self.feed = stage.feed
        self.log = venue.hub.log = []
        self.events = stage.events
        self.of = stage.of
        self.until = stage.until

    @property
    def lines(self):
        return self.feed._source.lines

    async def connected(self):
        await self.until(lambda: self.feed._source and not any(line.trouble for line in self.lines), "connected")

    async def well(self):
        await self.until(lambda: not self.feed.ailments(), f"well, but {self.feed.ailments()}")

    async def settled(self):
        """Wait until nothing more comes of what the venue has sent."""
        before = -1
        while before != len(self.events):
            before = len(self.events)
            await asyncio.sleep(0.05)

    async def advance(self, seconds, step=0.25):
        """Let the market go on, with turns for the feed between."""
        for _ in range(round(seconds / step)):
            await self.venue.advance(round(step * 1e9))
            await asyncio.sleep(0)

    def stream(self, channel, symbol=BTC):
        return self.feed._streams[channel, symbol]

    def connections(self, ending):
        """Return the venue's ends of the connections that carry streams with this ending."""
        found = list(self.venue.hub.connections.values())
        return [each for each in found if any(stream.endswith(ending) for stream in each.streams)]


@pytest.fixture
async def live():
    """Return what starts a feed on a venue of its own."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(channels=ALL, symbols=(BTC,), venue=None, **options):
            made = Venue(VenueOptions(**{"port": 0, "speed": "virtual", **(venue or {})}))
            await made.start()
            stack.push_async_callback(made.stop)
            options = {"book_speed": "0ms", "clock_tolerance": "36500d", "settings": {"timeout_on_exit": 1}, **options}
            feed = Ccxt(CcxtOptions(url=made.url, **options), [KNOWN[symbol] for symbol in symbols])
            running = Live(made, await stack.enter_async_context(FeedStage(feed, Needs(tuple(channels)))))
            await running.connected()
            return running

        yield start

"""A feed that listens to a simulated venue."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from quantmind.kinds import BOOKS, FUNDING, MARKS, QUOTES, TRADES
from quantmind.market.instruments import KNOWN
from quantmind_ccxt import Ccxt
from quantmind_ccxt.options import CcxtOptions
from quantmind_venue.options import VenueOptions
from quantmind_venue.server import Venue

BTC = "BTC/USDT:USDT"
ALL = frozenset({QUOTES, TRADES, BOOKS, MARKS, FUNDING})


async def wait_until(condition, what="", within=20.0):
    """Wait until a condition holds."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, what or condition
        await asyncio.sleep(0.005)


@pytest.fixture
def soon():
    """Return what waits for a condition."""
    return wait_until


class Live:
    """A venue whose clock goes on when told, a feed of it, and what that gives out."""

    def __init__(self, venue, feed) -> None:
        self.venue = venue
        self.feed = feed
        self.log = venue.hub.log = []
        self.events = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self):
        async for batch in self.feed.events():
            self.events.extend(batch)

    async def close(self):
        self._reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading

    async def until(self, condition, what="", within=20.0):
        await wait_until(lambda: self._reading.done() or condition(), what, within)
        if self._reading.done():
            self._reading.result()

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

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

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
            feed.wanted = dict.fromkeys(symbols, channels)
            await stack.enter_async_context(feed)
            running = Live(made, feed)
            stack.push_async_callback(running.close)
            await running.connected()
            return running

        yield start

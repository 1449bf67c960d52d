"""The feed `ccxt`: the market as it is, from any exchange of ccxt.pro."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from quantmind.errors import ComponentError, QuantMindError
from quantmind.events import Figure, Market, Trade
from quantmind.kinds import Channel, Feed, Server
from quantmind.market.instruments import Instrument
from quantmind.metrics import CLOCK_OFFSET, RATE_USED, RECONNECTS
from quantmind_ccxt import markets
from quantmind_ccxt.budget import Budget
from quantmind_ccxt.clock import VenueClock
from quantmind_ccxt.connection import connect, reach, told
from quantmind_ccxt.greeting import server
from quantmind_ccxt.history import latest_bars
from quantmind_ccxt.opening import Opening
from quantmind_ccxt.options import BINANCE, CcxtOptions
from quantmind_ccxt.outlet import Outlet
from quantmind_ccxt.stream import Stream
from quantmind_ccxt.streams import Streams
from quantmind_ccxt.unified import UnifiedStreams, channels_of
from quantmind_ccxt.usdm import CHANNELS, UsdmStreams

_log = logging.getLogger(__name__)


class Ccxt(Feed[CcxtOptions]):
    """Streams a venue's market by ccxt.pro: Binance USD-M checked by its own numbers, others as ccxt gives them."""

    name = "ccxt"
    live = True

    def __init__(self, options: CcxtOptions, instruments: Sequence[Instrument]) -> None:
        super().__init__(options, instruments)
        self._budget = Budget(options.rate_share)
        self._streams: dict[tuple[str, str], Stream] = {}
        self._stale = options.stale_after / 1e9
        self._exchange: Any = None
        self._clock: VenueClock | None = None
        self._source: Streams | None = None
        self._opened: dict[str, int] = {}
        """The id of the last trade that `since` has told of, by symbol."""

    @classmethod
    def servers(cls, options: CcxtOptions) -> Sequence[Server]:
        """Return the venue."""
        return (server(options),)

    @classmethod
    def venue(cls, options: CcxtOptions) -> str:
        """Return ccxt's id of the exchange."""
        return options.exchange

    @classmethod
    def offers(cls, options: CcxtOptions, symbols: Sequence[str]) -> Mapping[str, frozenset[Channel]]:
        """Offer what the exchange streams; bars are built from its trades. Of Binance nothing is imported for it."""
        offered = CHANNELS if options.exchange == BINANCE else channels_of(options.exchange)
        return dict.fromkeys(symbols, offered)

    async def open(self) -> None:
        """Connect, and compare the instruments with what the venue lists.

        Raises:
            ComponentError: the venue cannot be reached.
            RecipeError: it does not trade an instrument, or not in these steps.
        """
        exchange = self._exchange = connect(self.options, self._budget, keep_alive=self.options.stale_after)
        try:
            await reach(exchange, self.options)
            markets.check(self.instruments, exchange.markets, exchange.precisionMode, self.options.exchange)
        except BaseException:
            await self.close()
            raise
        if exchange.has.get("fetchTime"):
            self._clock = VenueClock(exchange.fetch_time, self.options.clock_tolerance)

    async def close(self) -> None:
        """Close every connection."""
        if self._exchange is not None:
            await self._exchange.close()
            self._exchange = None

    async def events(self) -> AsyncIterator[Sequence[Market]]:
        """Yield the events as they come."""
        outlet = Outlet(self.options.backlog, self._streams)
        kind = UsdmStreams if self.options.exchange == BINANCE else UnifiedStreams
        source: Streams = kind(self._exchange, self.options, self.wanted, self._streams, outlet)
        source.follow(self._opened)
        self._source = self._exchange.watcher = source
        running = [self._kept(coroutine, outlet) for coroutine in (*source.tasks(), self._watch_over(source))]
        if self._clock is not None:
            running.append(self._kept(self._clock.run(), outlet))
        tasks = [asyncio.create_task(each) for each in running]
        try:
            async for batch in outlet.batches():
                yield batch
        finally:
            self._exchange.watcher = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await source.close()

    async def _kept(self, running: Any, outlet: Outlet) -> None:
        try:
            await running
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - it ends the feed, and is told there
            outlet.fail(error)

    async def _watch_over(self, source: Streams) -> None:
        while True:
            await asyncio.sleep(min(1.0, self._stale / 4))
            for line in source.lines:
                line.watch_over(self._stale)

    def figures(self) -> Iterable[Figure]:
        """Return the metrics of every stream, and of the connection to the venue."""
        venue = self.options.exchange
        offset = self._clock.offset if self._clock is not None else 0
        for stream in self._streams.values():
            yield from stream.figures(offset)
        if self._source is not None:
            yield RECONNECTS.figure(sum(line.reconnects for line in self._source.lines), venue)
        if self._clock is not None and self._clock.sampled:
            yield CLOCK_OFFSET.figure(offset / 1e9, venue)
        if venue == BINANCE:
            yield RATE_USED.figure(self._budget.used, venue)

    def ailments(self) -> Mapping[str, str]:
        """Return what keeps a symbol from being entered, and under "" a clock that is off or a ban."""
        found = {} if self._source is None else self._source.ailments(self._stale)
        general = [self._clock.ailment] if self._clock is not None and self._clock.ailment else []
        if self._budget.forbidden_for:
            general.append(f"the venue forbids requests for {self._budget.forbidden_for:.0f} s")
        if general:
            found[""] = "; ".join(general)
        return found

    async def since(self, symbol: str, ts: int) -> Sequence[Trade]:
        """Return what was traded of a symbol from `ts` on; `events` goes on with the trade after the last one.

        Raises:
            ComponentError: the venue does not answer.
        """
        if self.options.exchange != BINANCE or self._clock is None:
            return ()
        opening = Opening(self._exchange, symbol)
        try:
            await self._clock.sample()
            trades = await opening.trades(ts, self._clock.now)
        except Exception as error:
            raise ComponentError(f"ccxt: the trades of {symbol} cannot be fetched: {told(error)}") from error
        if trades:
            self._opened[symbol] = opening.last
        return trades

    async def history(self, symbol: str, channel: Channel, count: int) -> Sequence[Market]:
        """Return the last bars that have closed; of other channels a venue tells no history.

        Raises:
            ComponentError: the venue does not answer.
        """
        if channel.kind != "bar":
            return ()
        try:
            return await latest_bars(self._exchange, symbol, channel.interval, count, self._clock)
        except QuantMindError:
            raise
        except Exception as error:
            raise ComponentError(f"ccxt: {channel} of {symbol} cannot be fetched: {told(error)}") from error

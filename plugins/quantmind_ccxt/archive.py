"""The archive `ccxt`: bars, mark prices and funding rates of the past, asked of a venue."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from pydantic import Field

from quantmind.errors import QuantMindError
from quantmind.events import FundingRate, Mark, Market
from quantmind.kinds import Archive, Channel, Interval
from quantmind.kinds.options import format_duration
from quantmind_ccxt.budget import Budget
from quantmind_ccxt.clock import VenueClock
from quantmind_ccxt.connection import connect, reach, told
from quantmind_ccxt.history import bar, candles, timeframes
from quantmind_ccxt.markets import contract_size
from quantmind_ccxt.options import BINANCE, VenueOptions

_MS = 1_000_000
_SHARE = 0.8
_RETRIES = 3
_RATES = 500
"""Funding rates in one request."""
_WINDOW = 30 * 86_400_000
"""ms that are passed over where a venue answers with nothing."""


class CcxtArchiveOptions(VenueOptions):
    """Options of the ccxt archive."""

    mark_interval: Interval = Field(
        default=60_000_000_000, description="Length of the candles of the mark price that marks are taken from."
    )


class CcxtArchive(Archive[CcxtArchiveOptions]):
    """Fetches bars, mark prices and funding rates of a venue's past by ccxt."""

    name = "ccxt"

    def __init__(self, options: CcxtArchiveOptions) -> None:
        super().__init__(options)
        self._exchange: Any = None

    @property
    def venue(self) -> str:
        """The venue's name, as ccxt has it."""
        return self.options.exchange

    def channels(self, symbol: str) -> frozenset[Channel] | None:  # noqa: ARG002 - it is known when asked for
        """Say that it can only be tried: what there is of a symbol, the venue tells when asked."""
        return None

    async def open(self) -> None:
        """Connect, and learn what the venue lists.

        Raises:
            ComponentError: the venue cannot be reached.
        """
        self._exchange = connect(self.options, Budget(_SHARE))
        self._exchange.options.update(maxRetriesOnFailure=_RETRIES, maxRetriesOnFailureDelay=1_000)
        try:
            await reach(self._exchange, self.options)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close the connection."""
        if self._exchange is not None:
            await self._exchange.close()
            self._exchange = None

    async def fetch(self, symbol: str, channel: Channel, start: int, end: int) -> AsyncIterator[Sequence[Market]]:
        """Yield what lies in [start, end): bars by their open, none that has not closed; marks at candles' opens.

        Raises:
            QuantMindError: the venue does not have them, or does not answer.
        """
        exchange = self._exchange
        if symbol not in exchange.markets:
            raise QuantMindError(f"ccxt: {self.venue} does not list {symbol}")
        pages = {"bar": self._bars, "mark": self._marks, "funding": self._rates}.get(channel.kind)
        if pages is None:
            raise QuantMindError(f"ccxt: a venue tells no {channel} of the past: bars, marks and funding rates it does")
        try:
            # What opens later has not closed yet, by the venue's clock.
            latest = await self._now() - channel.interval + 1
            async for page in pages(symbol, channel.interval, start, min(end, latest)):
                if page:
                    yield page
        except QuantMindError:
            raise
        except Exception as error:
            raise QuantMindError(
                f"ccxt: {channel} of {symbol} cannot be fetched from {self.venue}: {told(error)}"
            ) from error

    async def _now(self) -> int:
        """Return the venue's time (ns); ours where it does not tell it."""
        if not self._exchange.has.get("fetchTime"):
            return time.time_ns()
        clock = VenueClock(self._exchange.fetch_time)
        await clock.sample()
        return clock.now

    async def _bars(self, symbol: str, interval: int, start: int, end: int) -> AsyncIterator[Sequence[Market]]:
        exchange = self._exchange
        self._must_have(interval)
        size = contract_size(exchange.market(symbol))
        async for page in candles(exchange, symbol, interval, start, end):
            yield [bar(symbol, interval, row, size) for row in page]

    async def _marks(self, symbol: str, _: int, start: int, end: int) -> AsyncIterator[Sequence[Market]]:
        exchange, interval = self._exchange, self.options.mark_interval
        if not exchange.has.get("fetchMarkOHLCV"):
            raise QuantMindError(f"ccxt: {self.venue} has no candles of the mark price")
        self._must_have(interval)
        async for page in candles(exchange, symbol, interval, start, end, {"price": "mark"}):
            yield [Mark(symbol, int(row[0]) * _MS, float(row[1])) for row in page]

    async def _rates(self, symbol: str, _: int, start: int, end: int) -> AsyncIterator[Sequence[Market]]:
        exchange = self._exchange
        if not exchange.has.get("fetchFundingRateHistory"):
            raise QuantMindError(f"ccxt: {self.venue} tells no funding rates of the past")
        since, last = -(-start // _MS), -(-end // _MS)
        while since < last:
            rows = await exchange.fetch_funding_rate_history(symbol, since, _RATES)
            page = sorted((row for row in rows if since <= row["timestamp"] < last), key=lambda row: row["timestamp"])
            if page:
                yield [_rate(symbol, row) for row in page]
                since = page[-1]["timestamp"] + 1
            elif rows or exchange.id == BINANCE:
                return
            else:
                since += _WINDOW

    def _must_have(self, interval: int) -> None:
        known = timeframes(self._exchange)
        if interval not in known:
            raise QuantMindError(
                f"ccxt: {self.venue} has no candles of {format_duration(interval)}: "
                f"choose of {', '.join(format_duration(each) for each in sorted(known))}"
            )


def _rate(symbol: str, row: Any) -> FundingRate:
    mark = row["info"].get("markPrice") if isinstance(row["info"], dict) else None
    return FundingRate(symbol, int(row["timestamp"]) * _MS, float(row["fundingRate"]), float(mark or 0))

"""The pit: the market of one contract as it stands."""

from __future__ import annotations

from collections import deque

import msgspec

from quantmind.events import Quote
from quantmind.market.book import OrderBook
from quantmind_venue.listing import Listed
from quantmind_venue.market.klines import INTERVALS, Candle, Series

MOST_TRADES = 100_000
"""Trades that are kept of a contract; the oldest go first."""

_DAY_MS = 86_400_000


class Trade(msgspec.Struct, frozen=True, gc=False):
    """A public trade, in the venue's own words."""

    id: int
    price: str
    quantity: str
    ms: int
    sold: bool
    """Whether the buyer was the maker."""


class AggregateTrade(msgspec.Struct, gc=False):
    """Trades of one moment, price and side."""

    id: int
    price: str
    quantity: float
    first: int
    last: int
    ms: int
    sold: bool
    closed: bool = False
    """Whether it was told: nothing is added to it any more."""


class Settlement(msgspec.Struct, frozen=True, gc=False):
    """A settlement of funding."""

    ms: int
    rate: float
    mark: float


class Day(msgspec.Struct, gc=False):
    """The last 24 hours."""

    open: float = 0.0
    high: float = 0.0
    low: float = 0.0
    volume: float = 0.0
    quote_volume: float = 0.0
    count: int = 0
    first: int = -1
    last: int = -1


class Pit:
    """The book, quote, trades, klines, mark price and funding of one contract."""

    def __init__(self, contract: Listed, base: str = "1m") -> None:
        self.spelling = contract.spelling
        self.symbol = contract.symbol
        self.low = contract.spelling.lower()
        self.book = OrderBook(contract.symbol)
        self.quote: Quote | None = None
        self.quote_ms = 0
        self.trades: deque[Trade] = deque(maxlen=MOST_TRADES)
        self.aggregates: deque[AggregateTrade] = deque(maxlen=MOST_TRADES)
        self.last: float | None = None
        self.mark: float | None = None
        self.index: float | None = None
        self.rate = 0.0
        self.settlements: deque[Settlement] = deque(maxlen=10_000)
        self.base = base
        """The shortest interval of which there are candles from before the start."""
        self.series: dict[str, Series] = {base: Series(base)}
        self.marks = Series("1m")
        self.day_changed = True
        self._closed: tuple[int, Day] | None = None
        self._aggregated = 0

    def trade(self, trade: Trade) -> AggregateTrade | None:
        """Add a trade; return the aggregate that is closed by it."""
        self.trades.append(trade)
        price, quantity = float(trade.price), float(trade.quantity)
        self.last = price
        self.day_changed = True
        for series in self.series.values():
            series.trade(trade.ms, price, quantity, not trade.sold, trade.id)
        last = self.aggregates[-1] if self.aggregates else None
        if (
            last is not None
            and not last.closed
            and (last.ms, last.price, last.sold) == (trade.ms, trade.price, trade.sold)
        ):
            last.quantity += quantity
            last.last = trade.id
            return None
        self._aggregated += 1
        self.aggregates.append(
            AggregateTrade(self._aggregated, trade.price, quantity, trade.id, trade.id, trade.ms, trade.sold)
        )
        return last

    def past(self, candles: list[Candle]) -> None:
        """Take the candles from before the start, of the base interval."""
        self.series = {self.base: Series(self.base, candles)}
        if candles:
            self.last = candles[-1].close

    def klines(self, interval: str) -> Series:
        """Return the candles of an interval; from now on they are kept up."""
        found = self.series.get(interval)
        if found is None:
            longer = INTERVALS[interval] >= INTERVALS[self.base]
            found = self.series[interval] = Series(interval, self.series[self.base].candles if longer else ())
        return found

    def day(self) -> Day:
        """Return the figures of the last 24 hours, by the minute."""
        candles = self.series[self.base].candles
        if not candles:
            return Day()
        now = candles[-1]
        if self._closed is None or self._closed[0] != now.start:
            span = _DAY_MS // INTERVALS[self.base]
            self._closed = (now.start, _added(candles[-span:-1], Day(candles[max(len(candles) - span, 0)].open)))
        day = msgspec.structs.replace(self._closed[1])
        return _added([now], day)


def _added(candles: list[Candle], day: Day) -> Day:
    for candle in candles:
        if candle.count or not day.high:
            day.high = max(candle.high, day.high)
            day.low = min(candle.low, day.low or candle.low)
        day.volume += candle.volume
        day.quote_volume += candle.quote_volume
        day.count += candle.count
        if candle.first >= 0:
            day.first = candle.first if day.first < 0 else day.first
            day.last = candle.last
    return day

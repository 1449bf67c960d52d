"""Klines: the candles of one contract in one interval, made from trades as they happen."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

_MINUTE = 60_000
_DAY = 86_400_000
_WEEK = 7 * _DAY
_MONDAY = 4 * _DAY
"""The first Monday after the epoch (ms)."""

INTERVALS: dict[str, int] = {
    "1m": _MINUTE,
    "3m": 3 * _MINUTE,
    "5m": 5 * _MINUTE,
    "15m": 15 * _MINUTE,
    "30m": 30 * _MINUTE,
    "1h": 60 * _MINUTE,
    "2h": 120 * _MINUTE,
    "4h": 240 * _MINUTE,
    "6h": 360 * _MINUTE,
    "8h": 480 * _MINUTE,
    "12h": 720 * _MINUTE,
    "1d": _DAY,
    "3d": 3 * _DAY,
    "1w": _WEEK,
    "1M": 30 * _DAY,
}
"""The intervals of the venue, in ms; a month has its own length."""

MOST = 200_000
"""Candles that are kept of an interval; the oldest go first."""


class Candle(msgspec.Struct, gc=False):
    """One candle: `start` and `end` in ms, `end` belonging to it; volumes in base and quote currency."""

    start: int
    end: int
    open: float
    high: float
    low: float
    close: float
    volume: float = 0.0
    quote_volume: float = 0.0
    count: int = 0
    bought: float = 0.0
    quote_bought: float = 0.0
    first: int = -1
    last: int = -1

    def take(self, other: Candle) -> None:
        """Add a later one that lies within it."""
        if other.count or not self.count:
            self.high = max(self.high, other.high)
            self.low = min(self.low, other.low)
        self.close = other.close
        self.volume += other.volume
        self.quote_volume += other.quote_volume
        self.count += other.count
        self.bought += other.bought
        self.quote_bought += other.quote_bought
        if other.first >= 0:
            self.first = other.first if self.first < 0 else self.first
            self.last = other.last


def begins(interval: str, ms: int) -> int:
    """Return when the candle of a time begins (ms)."""
    if interval == "1M":
        moment = datetime.fromtimestamp(ms // 1000, UTC)
        return int(datetime(moment.year, moment.month, 1, tzinfo=UTC).timestamp()) * 1000
    length = INTERVALS[interval]
    offset = _MONDAY if interval == "1w" else 0
    return (ms - offset) // length * length + offset


def ends(interval: str, start: int) -> int:
    """Return the last ms of the candle that begins at `start`."""
    if interval == "1M":
        return begins(interval, start + 32 * _DAY) - 1
    return start + INTERVALS[interval] - 1


class Series:
    """The candles of one interval, without holes from the first one on."""

    def __init__(self, interval: str, candles: Iterable[Candle] = ()) -> None:
        self.interval = interval
        self.candles: list[Candle] = []
        self.changed = True
        """Whether the last one changed since somebody put this to False."""
        self.sent: int | None = None
        """When the candle begins that is closed next, once somebody asks for those that are."""
        for candle in candles:
            self.take(candle)

    def take(self, candle: Candle) -> None:
        """Add a candle of a shorter interval, or of this one."""
        own = self._at(candle.start, candle.open)
        if own.count == 0 and own.volume == 0:
            own.open, own.high, own.low = candle.open, candle.high, candle.low
        own.take(candle)

    def trade(self, ms: int, price: float, quantity: float, bought: bool, number: int) -> None:
        """Add a trade."""
        candle = self._at(ms, price)
        if candle.count == 0:
            candle.open = candle.high = candle.low = price
            candle.first = number
        elif price > candle.high:
            candle.high = price
        elif price < candle.low:
            candle.low = price
        candle.close = price
        candle.last = number
        candle.count += 1
        candle.volume += quantity
        candle.quote_volume += price * quantity
        if bought:
            candle.bought += quantity
            candle.quote_bought += price * quantity
        self.changed = True

    def price(self, ms: int, price: float) -> None:
        """Add a price that nobody traded at, such as a mark price."""
        candle = self._at(ms, price)
        if candle.count == 0:
            candle.open = candle.high = candle.low = price
        candle.high = max(candle.high, price)
        candle.low = min(candle.low, price)
        candle.close = price
        candle.count += 1

    def roll(self, ms: int) -> None:
        """Begin the candle of this time, and those without trades before it."""
        if self.candles and ms > self.candles[-1].end:
            self._at(ms, self.candles[-1].close)

    def closed(self, ms: int) -> list[Candle]:
        """Return the candles that ended before a time, and were not the last ones that this returned."""
        first = len(self.candles) - 1 if self.sent is None else bisect_left(self.candles, self.sent, key=_start)
        last = first
        while self.candles[last].end < ms and last < len(self.candles) - 1:
            last += 1
        self.sent = self.candles[last].start
        return self.candles[first:last]

    def between(self, start: int | None, end: int | None, limit: int) -> list[Candle]:
        """Return the candles that begin in [start, end], `limit` of them: the latest without a start."""
        low = 0 if start is None else bisect_left(self.candles, start, key=_start)
        high = len(self.candles) if end is None else bisect_right(self.candles, end, key=_start)
        if start is None:
            low = max(high - limit, 0)
        return self.candles[low : min(high, low + limit)]

    def _at(self, ms: int, price: float) -> Candle:
        candles = self.candles
        if candles and ms <= candles[-1].end:
            if ms >= candles[-1].start or len(candles) == 1:
                return candles[-1]
            # It comes late, but belongs where it happened.
            return candles[max(bisect_right(candles, ms, key=_start) - 1, 0)]
        if not candles:
            start = begins(self.interval, ms)
            candles.append(Candle(start, ends(self.interval, start), price, price, price, price))
            self.changed = True
            return candles[-1]
        while ms > candles[-1].end:
            before = candles[-1]
            start, price = before.end + 1, before.close
            candles.append(Candle(start, ends(self.interval, start), price, price, price, price))
        if len(candles) > MOST:
            del candles[: MOST // 10]
        self.changed = True
        return candles[-1]


def _start(candle: Candle) -> int:
    return candle.start

"""Walks: made-up markets for examples, drawn from a few figures, so that a fault is found in the smallest one."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Iterator, Sequence

import msgspec

from quantmind.data.precedence import Precedence
from quantmind.events import Bar, Book, FundingRate, Mark, Market, Quote, Ticker, Trade
from quantmind.kinds import BOOKS, FUNDING, MARKS, QUOTES, TICKERS, TRADES, Channel
from quantmind.market.instruments import KNOWN, Instrument

START = 1_704_067_200_000_000_000
"""When the examples begin, ns UTC: 2024-01-01."""

_SECOND = 1_000_000_000
_SETTLEMENT = 28_800_000_000_000
_LOWEST = 10
"""The lowest price, in ticks: room for a spread below it."""
_SPREAD = 3
_LEVELS = 5


class Segment(msgspec.Struct, frozen=True):
    """A stretch of a market: so many steps, each a part of the price wide; before it a gap, in longest intervals."""

    steps: int
    drift: float
    volatility: float
    idle: bool
    """Whether steps may have no trade."""
    gap: int


def walk(
    symbols: Sequence[str],
    channels: Collection[Channel],
    *,
    segments: Sequence[Segment],
    price: float,
    seed: int,
    most: int,
) -> tuple[Market, ...]:
    """Make a market of `most` steps at the most; the same figures make the same one."""
    intervals = sorted(channel.interval for channel in channels if channel.kind == "bar")
    step = math.gcd(*intervals) if intervals else _SETTLEMENT if set(channels) == {FUNDING} else _SECOND
    pause = _SETTLEMENT if FUNDING in channels else intervals[-1] if intervals else 10 * step
    walkers = [_Walker(symbol, frozenset(channels), intervals, price, seed) for symbol in symbols]
    events: list[Market] = []
    ts, left = START, most
    for segment in segments:
        # What is built from whole intervals begins with one.
        ts += segment.gap * pause
        for _ in range(min(segment.steps, left)):
            for walker in walkers:
                events.extend(walker.step(ts, ts + step, segment))
            ts += step
        left -= min(segment.steps, left)
    return tuple(sorted(events, key=Precedence(symbols).key))


class _Walker:
    """One symbol's price, in whole ticks."""

    def __init__(
        self, symbol: str, channels: frozenset[Channel], intervals: Sequence[int], price: float, seed: int
    ) -> None:
        instrument = KNOWN.get(symbol) or next(iter(KNOWN.values()))
        self._symbol = symbol
        self._channels = channels
        self._tick, self._step = _ratio(instrument)
        self._random = random.Random(f"{seed} {symbol}")  # noqa: S311 - a market, not a secret
        self._ticks = self._last = max(round(price * self._tick[1] / self._tick[0]), _LOWEST)
        self._first = self._high = self._low = self._ticks
        self._trades = 0
        self._volume = self._turnover = 0.0
        self._open = [_OpenBar(interval) for interval in intervals]

    def step(self, begin: int, end: int, segment: Segment) -> Iterator[Market]:
        """Yield the events of one step, in no order."""
        draw, symbol, channels = self._random, self._symbol, self._channels
        quarter = (end - begin) // 4
        middle, close = self._moved(segment), self._moved(segment)
        traded = [] if segment.idle and draw.random() < 0.5 else [(middle, self._size()), (close, self._size())]
        spread = draw.randint(1, _SPREAD)
        bid = max(middle - spread // 2, 1)
        if QUOTES in channels:
            best = self._price(bid), self._price(bid + spread)
            yield Quote(symbol, begin + quarter, *best, self._size(), self._size())
        if BOOKS in channels:
            yield self._book(begin + quarter, bid, bid + spread)
        for number, (ticks, size) in enumerate(traded):
            self._trade(ticks, size)
            if TRADES in channels:
                side = 1 if draw.random() < 0.5 else -1
                yield Trade(symbol, begin + (2 + number) * quarter, self._price(ticks), size, side, self._trades)
        mark = self._price(close) * (1.0 + draw.uniform(-0.0005, 0.0005))
        if MARKS in channels:
            yield Mark(symbol, end, mark)
        if TICKERS in channels:
            yield self._ticker(end)
        if FUNDING in channels and end % _SETTLEMENT == 0:
            yield FundingRate(symbol, end, draw.choice([0.0001, 0.0, -0.0003, 0.00375]), mark)
        yield from self._bars(begin, end, traded)

    def _moved(self, segment: Segment) -> int:
        moved = self._ticks * (1.0 + segment.drift / 2 + segment.volatility * self._random.uniform(-1.0, 1.0))
        self._ticks = max(round(moved), _LOWEST)
        return self._ticks

    def _trade(self, ticks: int, size: float) -> None:
        price = self._price(ticks)
        self._trades += 1
        self._last = ticks
        self._high, self._low = max(self._high, ticks), min(self._low, ticks)
        self._volume += size
        self._turnover += size * price

    def _bars(self, begin: int, end: int, traded: Sequence[tuple[int, float]]) -> Iterator[Bar]:
        """Close the bars that end here. A bar opens at the last one's close, as the walk has no jumps within it."""
        for open_bar in self._open:
            if begin % open_bar.interval == 0:
                open_bar.begin(begin, self._first)
            for ticks, size in traded:
                open_bar.add(ticks, size)
            # One whose beginning fell into a gap is left out.
            if end == open_bar.end:
                path = open_bar.path
                first, high, low, last = map(self._price, (path[0], max(path), min(path), path[-1]))
                yield Bar(self._symbol, end, open_bar.interval, first, high, low, last, open_bar.volume)

    def _book(self, ts: int, bid: int, ask: int) -> Book:
        depth = self._random.randint(1, _LEVELS)
        bids = tuple((self._price(bid - level), self._size()) for level in range(min(depth, bid)))
        asks = tuple((self._price(ask + level), self._size()) for level in range(depth))
        return Book(self._symbol, ts, bids, asks)

    def _ticker(self, ts: int) -> Ticker:
        first, high, low, last = map(self._price, (self._first, self._high, self._low, self._last))
        return Ticker(self._symbol, ts, first, high, low, last, self._volume, self._turnover)

    def _price(self, ticks: int) -> float:
        return ticks * self._tick[0] / self._tick[1]

    def _size(self) -> float:
        return self._random.randint(1, 5_000) * self._step[0] / self._step[1]


class _OpenBar:
    """A bar that is being built, in ticks."""

    def __init__(self, interval: int) -> None:
        self.interval = interval
        self.end = 0
        self.path: list[int] = []
        self.volume = 0.0

    def begin(self, ts: int, first: int) -> None:
        """Begin anew, where the last one ended."""
        self.end = ts + self.interval
        self.path = [self.path[-1] if self.path else first]
        self.volume = 0.0

    def add(self, ticks: int, size: float) -> None:
        """Add a trade; before the first whole interval there is nothing to add it to."""
        if self.path:
            self.path.append(ticks)
            self.volume += size


def _ratio(instrument: Instrument) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return tick and step as fractions: a whole number times these is the float nearest to the exact figure."""
    return instrument.tick.as_integer_ratio(), instrument.step.as_integer_ratio()

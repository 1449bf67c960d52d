"""Bars of any interval, built by event time from trades or from shorter bars."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from quantmind.events import Bar, Market, Trade
from quantmind.kinds.channel import Channel, bars

NEVER = 2**63 - 1
"""A time after every event."""


class Built(msgspec.Struct, frozen=True):
    """A bar to build: of `interval` (ns) and `symbol`, from the channel `source` of the feed."""

    symbol: str
    interval: int
    source: Channel


class _Open:
    """A bar that is being built: it holds [start, close), and the last price before it while it is empty."""

    __slots__ = (
        "close",
        "empty",
        "high",
        "interval",
        "last",
        "low",
        "open",
        "rank",
        "start",
        "symbol",
        "volume",
        "whole",
    )

    def __init__(self, built: Built, rank: int) -> None:
        self.symbol = built.symbol
        self.interval = built.interval
        self.rank = rank
        self.start = self.close = NEVER
        self.open = self.high = self.low = self.last = self.volume = 0.0
        self.empty = True
        self.whole = False


class BarBuilder:
    """Builds the bars of `plan`, which is ordered by interval and by the order of symbols in the recipe.

    Bars are aligned to the epoch (UTC). A trade at a boundary belongs to the bar that begins there, a shorter
    bar to the one in which it closes. The interval in which a symbol's data begins is never given out, unless
    they begin at its very boundary: its open was not seen. From then on every interval has a bar; one without
    events has the close before it as all four prices and no volume. An event from before the open bar is
    dropped and counted once in `late`, though a longer bar that is still open takes it in.

    Raises:
        ValueError: a bar cannot be built from its source.
    """

    def __init__(self, plan: Sequence[Built]) -> None:
        self.due = NEVER
        """The earliest close (ns) at which a bar is due: call `close` before the first event after it."""
        self.late = 0
        """Events that came too late for a bar they belong to."""
        self._ready: list[tuple[int, int, Bar]] = []
        self._all: list[_Open] = []
        self._from_trades: dict[str, list[_Open]] = {}
        self._from_bars: dict[tuple[str, int], list[_Open]] = {}
        for rank, built in enumerate(plan):
            source, bar = built.source, _Open(built, rank)
            if built.interval > 0 and source.kind == "trade":
                self._from_trades.setdefault(built.symbol, []).append(bar)
            elif source.kind == "bar" and _divides(source.interval, built.interval):
                self._from_bars.setdefault((built.symbol, source.interval), []).append(bar)
            else:
                raise ValueError(
                    f"{built.symbol}: cannot build {bars(built.interval)} from {source}; "
                    "give trades or bars of a shorter interval that divides it"
                )
            self._all.append(bar)

    def add(self, event: Market) -> None:
        """Take an event of the feed; what no planned bar is built from is ignored."""
        if isinstance(event, Trade):
            building = self._from_trades.get(event.symbol)
            begin = inside = event.ts
            first = high = low = last = event.price
            volume = event.size
        elif isinstance(event, Bar):
            building = self._from_bars.get((event.symbol, event.interval))
            begin, inside = event.ts - event.interval, event.ts - 1
            first, high, low, last = event.open, event.high, event.low, event.close
            volume = event.volume
        else:
            return
        if building is None:
            return
        late = False
        for bar in building:
            if inside >= bar.close:
                self._roll(bar, inside)
            elif inside < bar.start:
                if bar.close != NEVER:
                    late = True
                    continue
                self._begin(bar, inside, begin)
            if bar.empty:
                bar.empty = False
                bar.open, bar.high, bar.low = first, high, low
            else:
                bar.high = max(bar.high, high)
                bar.low = min(bar.low, low)
            bar.last = last
            bar.volume += volume
        self.late += late

    def begin(self, symbol: str, ts: int) -> None:
        """Take the trades of a symbol, which come next, for whole from `ts` (ns) on, though the first one is later."""
        for bar in self._from_trades.get(symbol, ()):
            if bar.close == NEVER:
                self._begin(bar, ts, ts)

    def close(self, ts: int) -> list[Bar]:
        """Return the bars whose close is before `ts`, ordered by (close, interval, plan).

        Called before the first event after `due`, with that event's ts.
        """
        if ts <= self.due:
            return []
        for bar in self._all:
            self._roll(bar, ts - 1)
        self._ready.sort(key=_order)
        done = [bar for close, _, bar in self._ready if close < ts]
        self._ready = self._ready[len(done) :]
        self.due = min([bar.close for bar in self._all] + [close for close, _, _ in self._ready])
        return done

    def flush(self, ts: int) -> list[Bar]:
        """Return, when there are no more events, the bars that closed by `ts`, never a part of one."""
        return self.close(ts + 1)

    def _begin(self, bar: _Open, inside: int, begin: int) -> None:
        bar.start = inside - inside % bar.interval
        bar.close = bar.start + bar.interval
        bar.whole = begin % bar.interval == 0
        self.due = min(self.due, bar.close)

    def _roll(self, bar: _Open, inside: int) -> None:
        """Put the open bar aside, and an empty one for each interval before the one of `inside`."""
        while bar.close <= inside:
            if bar.whole:
                built = Bar(bar.symbol, bar.close, bar.interval, bar.open, bar.high, bar.low, bar.last, bar.volume)
                self._ready.append((bar.close, bar.rank, built))
            bar.whole = bar.empty = True
            bar.open = bar.high = bar.low = bar.last
            bar.volume = 0.0
            bar.start = bar.close
            bar.close += bar.interval


def _divides(shorter: int, longer: int) -> bool:
    return 0 < shorter < longer and longer % shorter == 0


def _order(ready: tuple[int, int, Bar]) -> tuple[int, int]:
    return ready[0], ready[1]

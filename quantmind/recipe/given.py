"""What a recipe test gives: an account, and a market written as series of figures."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Self

import msgspec
from pydantic import Field, model_validator

from quantmind.data.precedence import Precedence
from quantmind.events import Bar, FundingRate, Mark, Market, Quote, Trade
from quantmind.events.market import ChannelKind
from quantmind.kinds import FUNDING, MARKS, QUOTES, TRADES, Channel, Duration, Interval, Options
from quantmind.kinds import bars as bars_of
from quantmind.kinds.moment import Moment

MOST = 100_000
"""Entries of one series at the most, repeats counted."""

PLENTY = 1_000_000.0
"""The size of quotes and trades and the volume of bars that say none: enough for every order."""

_PARTS = 10
"""The times that a price which does not change within a bar is quoted in it."""

Price = Annotated[float, Field(gt=0)]
Size = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1, le=MOST)]

Prices = Annotated[tuple[Price | tuple[Price, Count], ...], Field(min_length=1)]
Sizes = Annotated[tuple[Size | tuple[Size, Count], ...], Field(min_length=1)]
Figures = Annotated[tuple[float | tuple[float, Count], ...], Field(min_length=1)]


class _Series(Options):
    """Figures of one channel: each entry a figure, or [figure, count] for so many of it."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Refuse figures that do not go together."""
        lengths = {name: _length(value) for name, value in self if isinstance(value, tuple)}
        (first, length), *others = lengths.items()
        if max(lengths.values()) > MOST:
            raise ValueError(f"has more than {MOST} entries, repeats counted")
        for name, other in others:
            if other != length:
                raise ValueError(f"{first} has {length} entries and {name} {other}: they go together one by one")
        self._fit()
        return self

    def _fit(self) -> None:
        """Raise ValueError for figures that cannot be of one market."""

    def events(self, symbol: str, start: int) -> Iterable[Market]:
        """Make the events: the first comes an interval after the start, and so on."""
        raise NotImplementedError


class Bars(_Series):
    """Bars of one interval; with nothing but closes they say the quotes as well."""

    interval: Interval = Field(description="The length of the bars.")
    close: Prices = Field(description="The closes.")
    open: Prices | None = Field(default=None, description="The opens; left out, the closes.")
    high: Prices | None = Field(default=None, description="The highs; left out, the higher of open and close.")
    low: Prices | None = Field(default=None, description="The lows; left out, the lower of open and close.")
    volume: Sizes | None = Field(default=None, description="The volumes; left out, plenty.")

    @property
    def only_closes(self) -> bool:
        """Whether nothing is said of what was between the closes."""
        return self.open is None and self.high is None and self.low is None

    def _fit(self) -> None:
        for number, (close, opened, highest, lowest) in _changes(self.close, self.open, self.high, self.low):
            first = close if opened is None else opened
            high = max(first, close) if highest is None else highest
            low = min(first, close) if lowest is None else lowest
            if not low <= min(first, close) <= max(first, close) <= high:
                raise ValueError(
                    f"bar {number} has open {first:g}, high {high:g}, low {low:g} and close {close:g}: its high "
                    "must be the highest and its low the lowest of them"
                )

    def _rows(self) -> Iterable[tuple[float, float, float, float, float]]:
        closes = _expanded(self.close)
        opens = closes if self.open is None else _expanded(self.open)
        highs = list(map(max, opens, closes)) if self.high is None else _expanded(self.high)
        lows = list(map(min, opens, closes)) if self.low is None else _expanded(self.low)
        return zip(opens, highs, lows, closes, _or_plenty(self.volume, len(closes)), strict=True)

    def prices(self, start: int) -> Iterable[tuple[int, float]]:
        """Return what closes say of the price: the time and the close, several times in each bar and at its end.

        With all four prices the same, a bar has this one all the time, and not only when it closes.
        """
        closes = _expanded(self.close)
        parts = _PARTS if self.only_closes else 1
        for number, close in enumerate(closes):
            for part in range(1, parts + 1):
                yield start + number * self.interval + self.interval * part // parts, close

    def events(self, symbol: str, start: int) -> Iterable[Bar]:
        """Make the bars; the first opens at the start."""
        for ts, row in zip(_times(start, self.interval), self._rows(), strict=False):
            yield Bar(symbol, ts, self.interval, *row)


class Quotes(_Series):
    """The best bid and ask."""

    bid: Prices = Field(description="The bids.")
    ask: Prices | None = Field(default=None, description="The asks; left out, the bids.")
    bid_size: Sizes | None = Field(default=None, description="The sizes bid; left out, plenty.")
    ask_size: Sizes | None = Field(default=None, description="The sizes asked; left out, plenty.")
    every: Interval = Field(default=1_000_000_000, description="Time between the quotes.")

    def _fit(self) -> None:
        for number, (bid, asked) in _changes(self.bid, self.ask):
            ask = bid if asked is None else asked
            if bid > ask:
                raise ValueError(f"quote {number} has bid {bid:g} above ask {ask:g}")

    def _rows(self) -> Iterable[tuple[float, float, float, float]]:
        bids = _expanded(self.bid)
        asks = bids if self.ask is None else _expanded(self.ask)
        sizes = (_or_plenty(self.bid_size, len(bids)), _or_plenty(self.ask_size, len(bids)))
        return zip(bids, asks, *sizes, strict=True)

    def events(self, symbol: str, start: int) -> Iterable[Quote]:
        """Make the quotes."""
        for ts, row in zip(_times(start, self.every), self._rows(), strict=False):
            yield Quote(symbol, ts, *row)


class Trades(_Series):
    """Public trades."""

    price: Prices = Field(description="The prices.")
    size: Sizes | None = Field(default=None, description="The sizes; left out, plenty.")
    every: Interval = Field(default=1_000_000_000, description="Time between the trades.")

    def events(self, symbol: str, start: int) -> Iterable[Trade]:
        """Make the trades; one that is not above the one before was sold."""
        prices = _expanded(self.price)
        sizes = _or_plenty(self.size, len(prices))
        before = [prices[0], *prices]
        for number, (ts, price, size) in enumerate(zip(_times(start, self.every), prices, sizes, strict=False)):
            yield Trade(symbol, ts, price, size, 1 if price > before[number] else -1, number + 1)


class Marks(_Series):
    """Mark prices."""

    price: Prices = Field(description="The prices.")
    every: Interval = Field(default=1_000_000_000, description="Time between the mark prices.")

    def events(self, symbol: str, start: int) -> Iterable[Mark]:
        """Make the mark prices."""
        for ts, price in zip(_times(start, self.every), _expanded(self.price), strict=False):
            yield Mark(symbol, ts, price)


class FundingRates(_Series):
    """Funding rates, settled at the last mark price."""

    rate: Figures = Field(description="The rates: longs pay shorts when they are positive.")
    every: Interval = Field(default=28_800_000_000_000, description="Time between the settlements.")

    def events(self, symbol: str, start: int) -> Iterable[FundingRate]:
        """Make the settlements."""
        for ts, rate in zip(_times(start, self.every), _expanded(self.rate), strict=False):
            yield FundingRate(symbol, ts, rate)


SERIES: Mapping[str, type[_Series]] = {
    "marks": Marks,
    "quotes": Quotes,
    "trades": Trades,
    "bars": Bars,
    "funding": FundingRates,
}
"""The keys of a market, in the order of what comes first of one moment."""

_CHANNELS = {"marks": MARKS, "quotes": QUOTES, "trades": TRADES, "funding": FUNDING}


class Account(Options):
    """What is given beside the market."""

    equity: Decimal = Field(default=Decimal(10_000), gt=0, description="The balance to begin with.")
    fee: Decimal = Field(default=Decimal(0), ge=0, lt=1, description="The fee of a fill, as a part of its notional.")
    latency: Duration = Field(default=0, description="Time an order takes to reach the venue.")
    start: Moment = Field(default=1_704_067_200_000_000_000, description="When the market begins.")
    executor: dict[str, Any] = Field(default={}, description="More options of the simulated executor.")


class Given(msgspec.Struct, frozen=True):
    """An account, and the series of each symbol by their keys."""

    account: Account
    market: Mapping[str, Mapping[str, _Series]]

    def events(self, needed: Collection[ChannelKind]) -> tuple[Market, ...]:
        """Return the market, in order; of what is `needed` and not written, what closes can say."""
        events = itertools.chain.from_iterable(series for _, _, series in self._series(needed))
        # Sorting keeps the order of SERIES within one moment.
        return tuple(sorted(events, key=Precedence(tuple(self.market)).key))

    def channels(self, needed: Collection[ChannelKind]) -> Mapping[str, frozenset[Channel]]:
        """Return what there is of each symbol, without making it; settlements may be needed and never come."""
        always = {FUNDING} if FUNDING.kind in needed else set()
        channels: dict[str, set[Channel]] = {symbol: {*always} for symbol in self.market}
        for symbol, key, _ in self._series(needed):
            bars = self.market[symbol].get(key)
            channels[symbol].add(bars_of(bars.interval) if isinstance(bars, Bars) else _CHANNELS[key])
        return {symbol: frozenset(there) for symbol, there in channels.items()}

    def _series(self, needed: Collection[ChannelKind]) -> Iterator[tuple[str, str, Iterable[Market]]]:
        """Yield each series that is written or follows from closes: its symbol, its key, its events when asked.

        They come in the order of SERIES.
        """
        start = self.account.start
        for symbol, written in self.market.items():
            made: dict[str, Iterable[Market]] = {key: each.events(symbol, start) for key, each in written.items()}
            if isinstance(bars := written.get("bars"), Bars):
                derived = _derived(bars, needed, symbol, start)
                if written.keys() & {"quotes", "trades"}:
                    derived = {"marks": derived["marks"]} if "marks" in derived else {}
                made = {**derived, **made}
            yield from ((symbol, key, made[key]) for key in SERIES if key in made)


def _derived(bars: Bars, needed: Collection[ChannelKind], symbol: str, start: int) -> dict[str, Iterable[Market]]:
    """Return what closes say: always the quotes, if nothing else is told of the time between them."""
    made: dict[str, Iterable[Market]] = {}
    if "mark" in needed:
        made["marks"] = (Mark(symbol, ts, price) for ts, price in bars.prices(start))
    if bars.only_closes:
        made["quotes"] = (Quote(symbol, ts, price, price, PLENTY, PLENTY) for ts, price in bars.prices(start))
        if "trade" in needed:
            numbered = enumerate(bars.prices(start), 1)
            made["trades"] = (Trade(symbol, ts, price, PLENTY, 1, number) for number, (ts, price) in numbered)
    return made


def _changes(
    first: Sequence[float | tuple[float, int]], *others: Sequence[float | tuple[float, int]] | None
) -> Iterator[tuple[int, list[Any]]]:
    """Yield where figures of the same length change, and what they are from there on; repeats are not written out."""
    parts = [[each if isinstance(each, tuple) else (each, 1) for each in series or ()] for series in (first, *others)]
    starts = [list(itertools.accumulate((count for _, count in part), initial=0)) for part in parts]
    places = [0] * len(parts)
    for number in sorted({start for several in starts for start in several[:-1]}):
        for index, several in enumerate(starts):
            while places[index] + 2 < len(several) and several[places[index] + 1] <= number:
                places[index] += 1
        yield number, [part[place][0] if part else None for part, place in zip(parts, places, strict=True)]


def _times(start: int, every: int) -> Iterable[int]:
    return itertools.count(start + every, every)


def _length(series: Sequence[float | tuple[float, int]]) -> int:
    length = 0
    for entry in series:
        length += entry[1] if isinstance(entry, tuple) else 1
    return length


def _expanded(series: Sequence[float | tuple[float, int]]) -> list[float]:
    repeated = [entry if isinstance(entry, tuple) else (entry, 1) for entry in series]
    return [figure for figure, count in repeated for _ in range(count)]


def _or_plenty(series: Sequence[float | tuple[float, int]] | None, length: int) -> list[float]:
    return [PLENTY] * length if series is None else _expanded(series)

"""What is wrong with rows of a channel: figures that cannot be true, silence, runs of bars without volume."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

import msgspec

from quantmind.data.bars import fault, plausible
from quantmind.data.store.alignment import AT
from quantmind.kinds.channel import Channel
from quantmind.kinds.moment import format_moment
from quantmind.kinds.options import format_duration

if TYPE_CHECKING:
    import polars as pl

FindingKind = Literal[
    "gap", "duplicate", "order", "bar", "crossed", "price", "silence", "volume", "damaged", "manifest"
]


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong: where, since when (ns), of what kind, and what it is."""

    place: str
    kind: FindingKind
    time: int | None
    message: str

    def __str__(self) -> str:
        """Write it on one line."""
        at = "" if self.time is None else f"{format_moment(self.time)}: "
        return f"{self.place}: {self.kind}: {at}{self.message}"


_SETTLED = 60_000_000_000
"""Settlements that lie nearer (ns) are one: some sources note it some ms late."""


class Limits(msgspec.Struct, frozen=True):
    """What is told."""

    silence: int = 300_000_000_000
    """How long (ns) quotes, books, marks and trades may be silent."""
    zero_volume: int = 10
    """How many bars without volume in a row are told."""
    most: int = 20
    """How many rows of a table are told of each kind."""


class Inspector:
    """Looks at the tables of one channel, sorted by time, one after the other."""

    def __init__(self, channel: Channel, limits: Limits) -> None:
        self._channel = channel
        self._limits = limits
        self._last: int | None = None
        self._empty = 0
        self._empty_since = 0
        self._spacing = 0

    def look(self, place: str, rows: pl.DataFrame) -> Iterator[Finding]:
        """Yield what is wrong with a table that has the column `AT`."""
        kind = self._channel.kind
        if kind == "bar":
            yield from self._bars(place, rows)
        elif kind == "quote":
            yield from self._rows(place, rows, _quotes(), _quote_fault)
        elif kind == "book":
            yield from self._rows(place, rows, _books(), _book_fault)
        elif kind in _FIGURES:
            yield from self._rows(place, rows, _FIGURES[kind](), lambda row: ("price", _figures_fault(row)))
        if kind == "funding":
            yield from self._settlements(place, rows)
        elif kind != "bar":
            yield from self._silence(place, rows)
        self._last = int(rows[AT][-1])

    def end(self, place: str) -> Iterator[Finding]:
        """Yield what is known at the end only."""
        if self._empty >= self._limits.zero_volume:
            yield Finding(place, "volume", self._empty_since, f"{self._empty:,} bars in a row have no volume")
        self._empty = 0

    def _rows(
        self,
        place: str,
        rows: pl.DataFrame,
        sound: pl.Expr,
        tell: Callable[[dict[str, object]], tuple[FindingKind, str]],
    ) -> Iterator[Finding]:
        bad = rows.filter(~sound.fill_null(value=False))
        for row in bad.head(self._limits.most).iter_rows(named=True):
            yield Finding(place, tell(row)[0], int(row[AT]), tell(row)[1])
        if len(bad) > self._limits.most:
            row = bad.row(self._limits.most, named=True)
            yield Finding(place, tell(row)[0], int(row[AT]), f"and {len(bad) - self._limits.most:,} more such rows")

    def _bars(self, place: str, rows: pl.DataFrame) -> Iterator[Finding]:
        yield from self._rows(place, rows, plausible(), lambda row: ("bar", fault(row)))
        for at, volume in rows.select(AT, "volume").iter_rows() if (rows["volume"] == 0).any() or self._empty else ():
            if volume == 0:
                self._empty_since = self._empty_since if self._empty else at
                self._empty += 1
            elif self._empty:
                yield from self.end(place)

    def _settlements(self, place: str, rows: pl.DataFrame) -> Iterator[Finding]:
        """Tell settlements that lie further apart than those before them."""
        for at in rows[AT]:
            apart = 0 if self._last is None else at - self._last
            if 0 < apart < _SETTLED:
                yield Finding(place, "duplicate", at, "a settlement comes within a minute of another one")
            elif self._spacing and apart > self._spacing * 3 // 2:
                message = (
                    f"{format_duration(apart)} without a settlement, they were {format_duration(self._spacing)} apart"
                )
                yield Finding(place, "gap", self._last, message)
            elif apart:
                self._spacing = apart
            self._last = at

    def _silence(self, place: str, rows: pl.DataFrame) -> Iterator[Finding]:
        times = rows[AT]
        apart = times.diff()
        apart[0] = 0 if self._last is None else times[0] - self._last
        silent = apart > self._limits.silence
        if self._channel.kind == "mark":
            # Marks of longer bars lie apart as they always do.
            before = apart.shift(1)
            before[0] = self._spacing
            self._spacing = int(apart[-1])
            silent &= (before > 0) & (apart > before * 3 // 2)
        for n in silent.arg_true():
            seconds = apart[n] / 1e9
            yield Finding(place, "silence", times[n] - apart[n], f"nothing for {seconds:,.0f} s")


def _quotes() -> pl.Expr:
    import polars as pl

    bid, ask = pl.col("bid"), pl.col("ask")
    finite = pl.all_horizontal(pl.col(name).is_finite() for name in ("bid", "ask", "bid_size", "ask_size"))
    return finite & (bid > 0) & (bid < ask) & (pl.col("bid_size") >= 0) & (pl.col("ask_size") >= 0)


def _quote_fault(row: dict[str, object]) -> tuple[FindingKind, str]:
    bid, ask = row["bid"], row["ask"]
    if isinstance(bid, float) and isinstance(ask, float) and bid >= ask > 0:
        return "crossed", f"bid {bid!r} is not below ask {ask!r}"
    return "price", _figures_fault(row)


def _books() -> pl.Expr:
    import polars as pl

    bids, asks = pl.col("bid_prices"), pl.col("ask_prices")
    lists = ("bid_prices", "bid_sizes", "ask_prices", "ask_sizes")
    positive = pl.all_horizontal((pl.col(name).list.min() > 0).fill_null(value=True) for name in lists)
    falling = (bids.list.diff().list.max() < 0).fill_null(value=True)
    rising = (asks.list.diff().list.min() > 0).fill_null(value=True)
    apart = (bids.list.first() < asks.list.first()).fill_null(value=True)
    return positive & falling & rising & apart


def _book_fault(row: dict[str, object]) -> tuple[FindingKind, str]:
    bids, asks = row["bid_prices"], row["ask_prices"]
    if isinstance(bids, list) and isinstance(asks, list) and bids and asks and bids[0] >= asks[0]:
        return "crossed", f"best bid {bids[0]!r} is not below best ask {asks[0]!r}"
    return "price", "its levels are not sorted from the best on, or one has no size"


def _trades() -> pl.Expr:
    import polars as pl

    price, size = pl.col("price"), pl.col("size")
    return price.is_finite() & size.is_finite() & (price > 0) & (size > 0) & pl.col("side").is_in([-1, 1])


def _marks() -> pl.Expr:
    import polars as pl

    return pl.col("price").is_finite() & (pl.col("price") > 0)


def _rates() -> pl.Expr:
    import polars as pl

    rate, mark = pl.col("rate"), pl.col("mark")
    return rate.is_finite() & (rate.abs() < 1) & mark.is_finite() & (mark >= 0)


_FIGURES: dict[str, Callable[[], pl.Expr]] = {"trade": _trades, "mark": _marks, "funding": _rates}


def _figures_fault(row: dict[str, object]) -> str:
    figures = {name: value for name, value in row.items() if name not in {AT, "ts", "received", "update", "id"}}
    return "cannot be true: " + ", ".join(f"{name} {value!r}" for name, value in figures.items())

"""Recorded market data of several symbols as one stream: bars, mark prices and funding rates."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from quantmind.data.bar_table import BATCH, BarTable
from quantmind.data.bars import read_bars
from quantmind.data.funding import read_funding
from quantmind.data.marks import read_marks
from quantmind.data.precedence import Precedence
from quantmind.data.rows import span
from quantmind.events import FundingRate, Mark, Market
from quantmind.kinds.channel import FUNDING, MARKS, Channel, bars

if TYPE_CHECKING:
    import polars as pl

Files = Mapping[str, Sequence[Path]]
"""The files of each symbol."""


class Recorded(msgspec.Struct, frozen=True):
    """Files of bars, funding rates and mark prices, and the part of them that is replayed.

    It has the bars that open in [start, end), and the marks and funding rates in [start, end] for as long as there
    are bars of their symbol: without a price nothing can be done about a position.
    """

    files: Files
    """The bar files of each symbol, in any order."""
    interval: int
    """The length of the bars, in ns."""
    funding: Files = {}
    """The files of funding rates of each symbol, in any order."""
    marks: Files = {}
    """The files of mark prices of each symbol, in any order."""
    start: int | None = None
    """The time (ns UTC) it begins at; None for that of the data."""
    end: int | None = None
    """The time (ns UTC) it ends at; None for that of the data."""

    def offers(self, symbols: Collection[str]) -> dict[str, frozenset[Channel]]:
        """Return the channels of each symbol that has files; opens none."""
        sources = ((bars(self.interval), self.files), (MARKS, self.marks), (FUNDING, self.funding))
        offered = {symbol: frozenset(channel for channel, files in sources if symbol in files) for symbol in symbols}
        return {symbol: channels for symbol, channels in offered.items() if channels}

    def read(self, symbols: Sequence[str], wanted: Mapping[str, Collection[Channel]]) -> Selection:
        """Read and check what is wanted, by symbol; the symbols are in the order of the recipe.

        Raises:
            QuantMindError: a file cannot be read, or holds what cannot be true.
        """

        def chosen(files: Files, channel: Channel) -> dict[str, Sequence[Path]]:
            return {s: files[s] for s in symbols if s in files and channel in wanted.get(s, ())}

        channel = bars(self.interval)
        table = read_bars(chosen(self.files, channel), self.interval, self.start, self.end)
        points = [
            self._points(symbol, symbols.index(symbol), channel, paths)
            for files, channel in ((self.marks, MARKS), (self.funding, FUNDING))
            for symbol, paths in chosen(files, channel).items()
        ]
        return Selection(symbols, table, points)

    def history(self, symbol: str, channel: Channel, count: int) -> list[Market]:
        """Return the last `count` events of a channel from before `start`, in order; none without a `start`.

        Raises:
            QuantMindError: a file cannot be read, or holds what cannot be true.
        """
        if self.start is None or count < 1 or channel not in self.offers([symbol]).get(symbol, ()):
            return []
        if channel.kind == "bar":
            table = read_bars({symbol: self.files[symbol]}, self.interval, end=self.start, last=count)
            return [bar for batch in table.batches() for bar in batch]
        before = msgspec.structs.replace(self, start=None, end=self.start - 1)
        paths = (self.marks if channel == MARKS else self.funding)[symbol]
        points = before._points(symbol, 0, channel, paths).tail(count)  # noqa: SLF001 - one of this class
        return [event for batch in _events([symbol], points) for event in batch]

    def _points(self, symbol: str, index: int, channel: Channel, paths: Sequence[Path]) -> pl.DataFrame:
        import polars as pl

        funding = channel == FUNDING
        rows = read_funding(paths) if funding else read_marks(paths).select("time", rate="price", mark=pl.lit(0.0))
        bounds = []
        if symbol in self.files:
            first, last = span(self.files[symbol])
            bounds = [pl.col("time") >= first, pl.col("time") <= last + self.interval]
        if self.start is not None:
            bounds.append(pl.col("time") >= self.start)
        if self.end is not None:
            bounds.append(pl.col("time") <= self.end)
        rows = rows.filter(*bounds)
        return rows.with_columns(
            funding=pl.lit(funding),
            symbol=pl.lit(index, pl.UInt16),
        )


class Selection:
    """What was read: bars in memory as far as they are being read, marks and funding rates as tables.

    `symbols` are in the order of the recipe; `points`, in any order, have the columns `time` (ns UTC), `rate` (or the
    mark price), `mark`, `funding` (which of the two it is) and `symbol` (its number).
    """

    def __init__(self, symbols: Sequence[str], table: BarTable, points: Sequence[pl.DataFrame]) -> None:
        self.bars = table
        """The bars that were chosen, in the order of (ts, symbols)."""
        self._symbols = tuple(symbols)
        self._points = points

    def batches(self) -> Iterator[Sequence[Market]]:
        """Yield the events in batches, in the order of `Precedence`.

        Raises:
            QuantMindError: a file cannot be read any more.
        """
        bars = self.bars.batches()
        if not self._points:
            return bars
        import polars as pl

        points = pl.concat(self._points, rechunk=False).sort("time", "funding", "symbol")
        return Precedence(self._symbols).merged(bars, _events(self._symbols, points))


def _events(symbols: Sequence[str], points: pl.DataFrame) -> Iterator[list[Market]]:
    for rows in points.iter_slices(BATCH):
        yield [
            FundingRate(symbols[symbol], time, rate, mark) if funding else Mark(symbols[symbol], time, rate)
            for time, rate, mark, funding, symbol in rows.iter_rows()
        ]

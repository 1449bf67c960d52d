"""A table of bars that is in memory only as far as it is being read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import TYPE_CHECKING

from quantmind.data.reading import reading
from quantmind.events import Bar

if TYPE_CHECKING:
    import polars as pl

FIGURES = ("open", "high", "low", "close", "volume")
"""The figures of a bar, in the order of its fields."""

WINDOW = 100_000
"""How many rows polars holds at once of a file that is in order."""

BATCH = 10_000
"""How many bars exist as Python objects at once."""


class BarTable:
    """Bars of one interval, sorted by (ts, order of the symbols)."""

    def __init__(self, rows: pl.LazyFrame | None, count: int, symbols: Sequence[str], interval: int) -> None:
        self._rows = rows
        self._count = count
        self._symbols = tuple(symbols)
        self._interval = interval

    def __len__(self) -> int:
        """Return the number of bars."""
        return self._count

    def batches(self, size: int = BATCH) -> Iterator[list[Bar]]:
        """Yield the bars, up to `size` at a time."""
        if self._rows is None:
            return
        several = len(self._symbols) > 1
        for window in windows(self._rows):
            for rows in window.iter_slices(size):
                symbols = (
                    map(self._symbols.__getitem__, rows["symbol"].to_list()) if several else repeat(self._symbols[0])
                )
                closes = (rows["time"] + self._interval).to_list()
                figures = (rows[name].to_list() for name in FIGURES)
                yield list(map(Bar, symbols, closes, repeat(self._interval), *figures))


def windows(rows: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """Yield the rows, a window at a time.

    Raises:
        QuantMindError: the file behind them cannot be read.
    """
    offset = 0
    while True:
        with reading("bars"):
            window = rows.slice(offset, WINDOW).collect()
        if not window.is_empty():
            yield window
        if len(window) < WINDOW:
            return
        offset += WINDOW

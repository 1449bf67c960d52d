"""Bar files: Parquet, Feather and CSV become checked, merged bars, in batches.

Files carry the *open* time of a bar; a `Bar`'s ts is its close. polars holds the rows, so that a million bars
cost 48 MB; only one batch at a time exists as Python objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantmind.data.bar_file import FIGURES, scan_bars
from quantmind.errors import QuantMindError
from quantmind.events import Bar
from quantmind.kinds.moment import format_moment
from quantmind.kinds.options import format_duration

if TYPE_CHECKING:
    import polars as pl

BATCH = 10_000
"""How many bars exist as Python objects at once."""


class BarTable:
    """Bars of one interval, sorted by (ts, order of the symbols)."""

    def __init__(self, rows: pl.DataFrame | None, symbols: Sequence[str], interval: int) -> None:
        self._rows = rows
        self._symbols = tuple(symbols)
        self._interval = interval

    def __len__(self) -> int:
        """Return the number of bars."""
        return 0 if self._rows is None else len(self._rows)

    def batches(self, size: int = BATCH) -> Iterator[list[Bar]]:
        """Yield the bars, up to `size` at a time."""
        if self._rows is None:
            return
        several = len(self._symbols) > 1
        for rows in self._rows.iter_slices(size):
            symbols = (
                map(self._symbols.__getitem__, rows["symbol"].to_list())
                if several
                else repeat(self._symbols[0])
            )
            closes = (rows["time"] + self._interval).to_list()
            figures = (rows[name].to_list() for name in FIGURES)
            yield list(map(Bar, symbols, closes, repeat(self._interval), *figures))


def read_bars(
    files: Mapping[str, Sequence[Path]],
    interval: int,
    start: int | None = None,
    end: int | None = None,
    last: int | None = None,
) -> BarTable:
    """Read the bars that open in [start, end), of each symbol the `last` ones only where that is said.

    Exact duplicates of a symbol are dropped.

    Raises:
        QuantMindError: a file is missing, unreadable or empty, lacks a column, or holds a row that cannot be
            true; two rows of a symbol contradict each other; or the rows are not `interval` apart.
    """
    import polars as pl  # noqa: PLC0415 - heavy, and only a run that reads files needs it

    symbols = list(files)
    tables = []
    for symbol in symbols:
        rows = _read_symbol(files[symbol], interval, start, end)
        tables.append(rows if last is None else rows.tail(last))
    if not tables:
        return BarTable(None, (), interval)
    if len(tables) == 1:
        return BarTable(tables[0], symbols, interval)
    order = [rows.with_columns(symbol=pl.lit(n, pl.UInt16)) for n, rows in enumerate(tables)]
    return BarTable(pl.concat(order, rechunk=False).sort("time", "symbol"), symbols, interval)


def _read_symbol(paths: Sequence[Path], interval: int, start: int | None, end: int | None) -> pl.DataFrame:
    """Read the files of one symbol: sorted, each row once."""
    import polars as pl  # noqa: PLC0415 - as above

    tables = [_read_file(path, start, end) for path in paths]
    rows = tables[0] if len(tables) == 1 else pl.concat(tables, rechunk=False)
    if not rows["time"].is_sorted():
        rows = rows.sort("time")
    gaps = rows["time"].diff()
    smallest = gaps.min()
    if smallest == 0:
        rows = rows.unique(maintain_order=True)
        gaps = rows["time"].diff()
        smallest = gaps.min()
    if smallest == 0:
        time = rows["time"][gaps.arg_min()]
        sources = [path for path, table in zip(paths, tables, strict=True) if (table["time"] == time).any()]
        raise QuantMindError(
            f"{sources[-1]}: two different rows for {format_moment(time)}"
            + (f", the other is in {sources[0]}" if len(sources) > 1 else "")
            + "; keep one of them"
        )
    # A wrong interval would close bars before they are over: a look into the future. Two rows prove nothing.
    if smallest is not None and (smallest < interval or (smallest > interval and len(rows) > 2)):
        raise QuantMindError(
            f"{paths[0]}: the rows are {format_duration(smallest)} apart, not {format_duration(interval)}; "
            f"set `interval` to what the file holds"
        )
    return rows


def _read_file(path: Path, start: int | None, end: int | None) -> pl.DataFrame:
    """Read the rows of one file that open in [start, end), each of them checked."""
    import polars as pl  # noqa: PLC0415 - as above

    lines = scan_bars(path)
    time = pl.col("time")
    kept = lines
    # What has no time is kept, so that it is reported and not filtered away.
    if start is not None:
        kept = kept.filter((time >= start) | time.is_null())
    if end is not None:
        kept = kept.filter((time < end) | time.is_null())
    try:
        rows = kept.collect(engine="streaming")
        if rows["time"].has_nulls():
            line = lines.with_row_index().filter(time.is_null()).head(1).collect()["index"][0]
            raise QuantMindError(f"{path}: row {line + 1} has no readable time; correct or remove it")
        if rows.is_empty() and lines.head(1).collect().is_empty():
            raise QuantMindError(f"{path}: has no rows; remove it from the files or record it again")
        bad = rows.filter(~_plausible().fill_null(value=False)).head(1)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise QuantMindError(f"{path}: cannot be read: {str(error).partition(chr(10))[0]}") from error
    if not bad.is_empty():
        row = bad.row(0, named=True)
        raise QuantMindError(
            f"{path}: row of {format_moment(row['time'])}: {_fault(row)}; correct or remove it"
        )
    return rows


def _plausible() -> pl.Expr:
    """Return whether a row can be true: finite figures, prices above 0, none outside low to high."""
    import polars as pl  # noqa: PLC0415 - as above

    low, high, volume = pl.col("low"), pl.col("high"), pl.col("volume")
    finite = pl.all_horizontal(pl.col(name).is_finite() for name in FIGURES)
    within = pl.all_horizontal(pl.col(name).is_between(low, high) for name in ("open", "close"))
    return finite & within & (low > 0) & (volume >= 0)


def _fault(row: Mapping[str, Any]) -> str:
    """Say what is wrong with a row that is not plausible."""
    for name in FIGURES:
        figure = row[name]
        if figure is None or figure - figure != 0:
            return f"{name} is {'missing or no number' if figure is None else figure}"
        if figure < 0 or (figure == 0 and name != "volume"):
            return (
                f"{name} {figure!r} is not above 0" if name != "volume" else f"volume {figure!r} is below 0"
            )
    low, high = row["low"], row["high"]
    if high < low:
        return f"high {high!r} is below low {low!r}"
    name = "close" if low <= row["open"] <= high else "open"
    return f"{name} {row[name]!r} is outside low {low!r} to high {high!r}"

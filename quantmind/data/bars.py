"""Bar files: Parquet, Feather and CSV become checked, merged bars, in batches.

Files carry the *open* time of a bar; a `Bar`'s ts is its close. A single Parquet file that is in order is
read a window at a time; whatever must be sorted or merged first is held by polars, 48 MB for a million rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantmind.data.bar_table import FIGURES, BarTable, windows
from quantmind.data.reading import reading
from quantmind.data.rows import Columns, file_format, scan
from quantmind.data.soundness import refuse_unsound
from quantmind.errors import QuantMindError
from quantmind.kinds.moment import format_moment
from quantmind.kinds.options import format_duration

if TYPE_CHECKING:
    import polars as pl


_COLUMNS = Columns({name: (name,) for name in FIGURES})


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
    import polars as pl

    symbols = list(files)
    if len(symbols) == 1 and len(files[symbols[0]]) == 1:
        found = _in_order(files[symbols[0]][0], interval, start, end)
        if found is not None:
            lines, offset, count = found
            kept = count if last is None else min(count, last)
            return BarTable(lines.slice(offset + count - kept, kept), kept, symbols, interval)
    tables = []
    for n, symbol in enumerate(symbols):
        rows = _read_symbol(files[symbol], interval, start, end)
        rows = rows if last is None else rows.tail(last)
        tables.append(rows.with_columns(symbol=pl.lit(n, pl.UInt16)) if len(symbols) > 1 else rows)
    if not tables:
        return BarTable(None, 0, (), interval)
    merged = tables[0] if len(tables) == 1 else pl.concat(tables, rechunk=False).sort("time", "symbol")
    return BarTable(merged.lazy(), len(merged), symbols, interval)


def _in_order(path: Path, interval: int, start: int | None, end: int | None) -> tuple[pl.LazyFrame, int, int] | None:
    """Return a file's rows, and the place and number of those that open in [start, end).

    None where the file is not Parquet (no other format skips rows), is not in order, or has a row in doubt:
    then it must be read as a whole.
    """
    if file_format(path) != "parquet":
        return None
    lines = scan(path, _COLUMNS)
    offset = count = 0
    before: int | None = None
    smallest: int | None = None
    for rows in windows(lines):
        times = rows["time"]
        if times.has_nulls():
            return None
        gaps = [gap for gap in (times.diff().min(), None if before is None else times[0] - before) if gap is not None]
        if gaps and min(gaps) <= 0:
            return None
        smallest = min(gaps, default=None) if smallest is None else min(smallest, *gaps)
        before = times[-1]
        earlier = 0 if start is None else times.search_sorted(start)
        until = len(rows) if end is None else times.search_sorted(end)
        if not rows.slice(earlier, until - earlier).select(plausible().fill_null(value=False).all()).item():
            return None
        offset += earlier
        count += until - earlier
    return (lines, offset, count) if smallest == interval else None


def _read_symbol(paths: Sequence[Path], interval: int, start: int | None, end: int | None) -> pl.DataFrame:
    """Read the files of one symbol: sorted, each row once."""
    import polars as pl

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
    import polars as pl

    lines = scan(path, _COLUMNS)
    time = pl.col("time")
    kept = lines
    # What has no time is kept, so that it is reported and not filtered away.
    if start is not None:
        kept = kept.filter((time >= start) | time.is_null())
    if end is not None:
        kept = kept.filter((time < end) | time.is_null())
    with reading(path):
        rows = kept.collect(engine="streaming")
        if rows["time"].has_nulls():
            line = lines.with_row_index().filter(time.is_null()).head(1).collect()["index"][0]
            raise QuantMindError(f"{path}: row {line + 1} has no readable time; correct or remove it")
        if rows.is_empty() and lines.head(1).collect().is_empty():
            raise QuantMindError(f"{path}: has no rows; remove it from the files or record it again")
    refuse_unsound([path], rows, plausible(), fault)
    return rows


def plausible() -> pl.Expr:
    """Return whether a row can be true: finite figures, prices above 0, none outside low to high."""
    import polars as pl

    low, high, volume = pl.col("low"), pl.col("high"), pl.col("volume")
    finite = pl.all_horizontal(pl.col(name).is_finite() for name in FIGURES)
    within = pl.all_horizontal(pl.col(name).is_between(low, high) for name in ("open", "close"))
    return finite & within & (low > 0) & (volume >= 0)


def fault(row: Mapping[str, Any]) -> str:
    """Say what is wrong with a row that is not plausible."""
    for name in FIGURES:
        figure = row[name]
        if figure is None or figure - figure != 0:
            return f"{name} is {'missing or no number' if figure is None else figure}"
        if figure < 0 or (figure == 0 and name != "volume"):
            return f"{name} {figure!r} is not above 0" if name != "volume" else f"volume {figure!r} is below 0"
    low, high = row["low"], row["high"]
    if high < low:
        return f"high {high!r} is below low {low!r}"
    name = "close" if low <= row["open"] <= high else "open"
    return f"{name} {row[name]!r} is outside low {low!r} to high {high!r}"

"""One bar file of any known format, as lazy rows of open time (ns UTC) and figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from quantmind.errors import QuantMindError

if TYPE_CHECKING:
    import polars as pl

FIGURES = ("open", "high", "low", "close", "volume")
"""The figures of a bar, in the order of its fields."""

TIMES = ("date", "ts", "timestamp", "time", "open_time", "datetime")
"""The names an open time goes by; the first one that a file has is taken."""

_FORMATS = {
    ".parquet": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
    ".ipc": "feather",
    ".csv": "csv",
    ".csv.gz": "csv",
}


def bar_file_format(path: Path) -> str:
    """Return `parquet`, `feather` or `csv`, by the ending of the name.

    Raises:
        QuantMindError: it is none of these.
    """
    for ending, name in _FORMATS.items():
        if path.name.lower().endswith(ending):
            return name
    raise QuantMindError(f"{path}: must end with one of {', '.join(_FORMATS)}")


def scan_bars(path: Path) -> pl.LazyFrame:
    """Return the rows of a file with the columns `time` (open, ns UTC) and the figures; null is unreadable.

    Raises:
        QuantMindError: the file is missing or unreadable, or lacks a column.
    """
    import polars as pl

    kind = bar_file_format(path)
    path = path.expanduser()
    if not path.is_file():
        raise QuantMindError(f"{path}: no such file; data files are looked up from {Path.cwd()}")
    try:
        if kind == "parquet":
            rows = pl.scan_parquet(path, low_memory=True)
        elif kind == "feather":
            rows = pl.scan_ipc(path)
        else:
            rows = pl.scan_csv(path, infer_schema=False)
        schema = rows.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise QuantMindError(f"{path}: cannot be read as {kind}: {str(error).partition(chr(10))[0]}") from error
    names = {name.strip().lower(): name for name in schema}
    time = next((names[name] for name in TIMES if name in names), None)
    missing = [name for name in FIGURES if name not in names]
    if time is None:
        missing.insert(0, f"time (one of {', '.join(TIMES)})")
    if time is None or missing:
        raise QuantMindError(f"{path}: has no column {', '.join(missing)}; its columns: {', '.join(schema)}")
    figures = [_figure(pl.col(names[name]), schema[names[name]]).alias(name) for name in FIGURES]
    return rows.select(_time(path, pl.col(time), schema[time]).alias("time"), *figures)


def _figure(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    import polars as pl

    return (column.str.strip_chars() if dtype == pl.String else column).cast(pl.Float64, strict=False)


def _time(path: Path, column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return a column of times as ns since the epoch; what has no time zone is UTC."""
    import polars as pl

    if dtype == pl.Date:
        return column.cast(pl.Datetime("ns")).dt.timestamp("ns")
    if dtype == pl.Datetime:
        return column.dt.timestamp("ns")
    if dtype.is_integer():
        return _by_magnitude(column.cast(pl.Int64))
    if dtype != pl.String:
        raise QuantMindError(f"{path}: the time column holds {dtype}; it must hold times, integers or ISO text")
    text = column.str.strip_chars()
    without_zone = text.str.replace(" ", "T", literal=True)
    return pl.coalesce(
        _by_magnitude(text.cast(pl.Int64, strict=False)),
        text.str.to_datetime("%+", time_unit="ns", time_zone="UTC", strict=False).dt.timestamp("ns"),
        *(
            without_zone.str.to_datetime(form, time_unit="ns", strict=False).dt.timestamp("ns")
            for form in ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M")
        ),
        text.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("ns")).dt.timestamp("ns"),
    )


def _by_magnitude(column: pl.Expr) -> pl.Expr:
    """Read seconds, milliseconds, microseconds or nanoseconds, row by row: some venues changed their unit."""
    import polars as pl

    size = column.abs()
    return (
        pl.when(size < 10**11)
        .then(column * 10**9)
        .when(size < 10**14)
        .then(column * 10**6)
        .when(size < 10**17)
        .then(column * 10**3)
        .otherwise(column)
    )

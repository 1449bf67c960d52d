"""One data file of any known format, as lazy rows of time (ns UTC) and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from quantmind.data.reading import reading
from quantmind.errors import QuantMindError
from quantmind.kinds.moment import format_moment

if TYPE_CHECKING:
    import polars as pl

TIMES = (
    "date",
    "ts",
    "timestamp",
    "time",
    "open_time",
    "datetime",
)
"""The names a time goes by; the first one that a file has is taken."""

FUNDING_TIMES = ("funding_time", "fundingtime", "calc_time")
"""The names that the time of a settlement goes by, too."""

_FORMATS = {
    ".parquet": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
    ".ipc": "feather",
    ".csv": "csv",
    ".csv.gz": "csv",
}


def file_format(path: Path) -> str:
    """Return `parquet`, `feather` or `csv`, by the ending of the name.

    Raises:
        QuantMindError: it is none of these.
    """
    for ending, name in _FORMATS.items():
        if path.name.lower().endswith(ending):
            return name
    raise QuantMindError(f"{path}: must end with one of {', '.join(_FORMATS)}")


def stem(path: Path) -> str:
    """Return the name of a data file without its ending; empty if it has none that is known."""
    name = path.name
    for ending in sorted(_FORMATS, key=len, reverse=True):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return ""


class Columns(msgspec.Struct, frozen=True):
    """What is read of a file: the time and each figure, by the first of these names that the file has.

    `figures` has the names that each figure goes by, in the order they are looked for, and `beside` likewise those that
    may be missing, and are null then; `times` those of the time, in order. Names are written in small letters.
    """

    figures: Mapping[str, Sequence[str]]
    beside: Mapping[str, Sequence[str]] = {}
    times: Sequence[str] = TIMES


def scan(path: Path, columns: Columns) -> pl.LazyFrame:
    """Return the rows of a file, in its order, with the columns `time` (ns UTC) and the figures; null is unreadable.

    Raises:
        QuantMindError: the file is missing or unreadable, or lacks a column.
    """
    import polars as pl

    rows, schema = _opened(path)
    names = {name.strip().lower(): name for name in schema}

    def first(known: Sequence[str]) -> str | None:
        return next((names[name] for name in known if name in names), None)

    time = first(columns.times)
    found = {figure: first(known) for figure, known in (*columns.figures.items(), *columns.beside.items())}
    missing = [_either(figure, known) for figure, known in columns.figures.items() if found[figure] is None]
    if time is None:
        missing.insert(0, _either("time", columns.times))
    if time is None or missing:
        raise QuantMindError(f"{path}: has no column {', '.join(missing)}; its columns: {', '.join(schema)}")
    figures = [
        pl.lit(None, pl.Float64).alias(figure) if name is None else _figure(pl.col(name), schema[name]).alias(figure)
        for figure, name in found.items()
    ]
    return rows.select(_time(path, pl.col(time), schema[time]).alias("time"), *figures)


def read(paths: Sequence[Path], columns: Columns) -> pl.DataFrame:
    """Read all rows of several files, with the columns of `scan`, sorted by time, exact duplicates dropped.

    Raises:
        QuantMindError: as `scan` does; or a file has no rows or one without a readable time; or two rows of one
            time differ.
    """
    import polars as pl

    rows = pl.concat([_whole(path, columns) for path in paths], rechunk=False)
    if not rows["time"].is_sorted():
        rows = rows.sort("time", maintain_order=True)
    if (rows["time"].diff() == 0).any():
        rows = rows.unique(maintain_order=True)
        same = rows["time"].diff() == 0
        if same.any():
            time = rows["time"][same.arg_max()]
            raise QuantMindError(
                f"{', '.join(map(str, paths))}: two different rows for {format_moment(time)}; keep one of them"
            )
    return rows


def span(paths: Sequence[Path]) -> tuple[int, int]:
    """Return the first and the last time (ns UTC) in some files of one kind, in any order.

    Raises:
        QuantMindError: one of them cannot be read, or none has a row.
    """
    import polars as pl

    columns = Columns({}, times=(*TIMES, *FUNDING_TIMES))
    found: list[int] = []
    for path in paths:
        time = scan(path, columns).select(first=pl.col("time").min(), last=pl.col("time").max())
        with reading(path):
            found += [time for time in time.collect().row(0) if time is not None]
    if not found:
        read(paths, columns)
        raise QuantMindError(f"{', '.join(map(str, paths))}: has no rows; remove it or record it again")
    return min(found), max(found)


def _whole(path: Path, columns: Columns) -> pl.DataFrame:
    with reading(path):
        rows = scan(path, columns).collect()
    if rows.is_empty():
        raise QuantMindError(f"{path}: has no rows; remove it from the files or record it again")
    if rows["time"].has_nulls():
        line = rows["time"].is_null().arg_max() or 0
        raise QuantMindError(f"{path}: row {line + 1} has no readable time; correct or remove it")
    return rows


def _either(figure: str, known: Sequence[str]) -> str:
    return figure if len(known) == 1 else f"{figure} (one of {', '.join(known)})"


def _opened(path: Path) -> tuple[pl.LazyFrame, pl.Schema]:
    import polars as pl

    kind = file_format(path)
    path = path.expanduser()
    if not path.is_file():
        raise QuantMindError(f"{path}: no such file; data files are looked up from {Path.cwd()}")
    with reading(path, form=kind):
        if kind == "parquet":
            rows = pl.scan_parquet(path, low_memory=True)
        elif kind == "feather":
            rows = pl.scan_ipc(path)
        else:
            rows = pl.scan_csv(path, infer_schema=False)
        return rows, rows.collect_schema()


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
        return by_magnitude(column.cast(pl.Int64))
    if dtype != pl.String:
        raise QuantMindError(f"{path}: the time column holds {dtype}; it must hold times, integers or ISO text")
    text = column.str.strip_chars()
    without_zone = text.str.replace(" ", "T", literal=True)
    return pl.coalesce(
        by_magnitude(text.cast(pl.Int64, strict=False)),
        text.str.to_datetime("%+", time_unit="ns", time_zone="UTC", strict=False).dt.timestamp("ns"),
        *(
            without_zone.str.to_datetime(form, time_unit="ns", strict=False).dt.timestamp("ns")
            for form in ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M")
        ),
        text.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("ns")).dt.timestamp("ns"),
    )


def by_magnitude(column: pl.Expr) -> pl.Expr:
    """Read seconds, milliseconds, microseconds or ns as ns, row by row: some venues changed their unit."""
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

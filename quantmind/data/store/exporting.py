"""One channel of a store as a file: CSV, Feather or Parquet, written a table at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from quantmind.data.reading import reason
from quantmind.data.rows import file_format
from quantmind.data.store.alignment import AT
from quantmind.data.store.day import tables
from quantmind.data.store.disk import replacing
from quantmind.data.store.layout import DAY, Stream
from quantmind.data.store.store import Store
from quantmind.data.store.tables import schema
from quantmind.errors import QuantMindError, UsageError

if TYPE_CHECKING:
    import polars as pl


def export(store: Store, stream: Stream, path: Path, start: int | None = None, end: int | None = None) -> int:
    """Write the rows of [start, end) of a channel to a file; return how many there are.

    Bars have the columns date, open, high, low, close and volume, as bar files of others do; all else has those of
    the store. Of a failure nothing is left.

    Raises:
        UsageError: the file is there already, or cannot hold this.
        QuantMindError: a part cannot be read, or the file cannot be written.
    """
    import polars as pl
    from polars.io.plugins import register_io_source

    kind = _format(path, stream)
    types = schema(stream.channel)
    bars = stream.channel.kind == "bar"
    if bars:
        # In ms, as Feather files of bars elsewhere have it.
        types = {"date": pl.Datetime("ms", "UTC"), **types}
        del types["time"], types["received"]
    count = 0

    def rows(columns: list[str] | None, *_: object) -> Iterator[pl.DataFrame]:
        nonlocal count
        for table in _within(store, stream, start, end):
            count += len(table)
            named = table.rename({"time": "date"}).cast({"date": types["date"]}) if bars else table
            yield named.select(columns or list(types))

    try:
        with replacing(path) as unfinished:
            lines = register_io_source(rows, schema=types)
            if kind == "csv":
                lines.sink_csv(unfinished, datetime_format="%Y-%m-%dT%H:%M:%S%.fZ")
            elif kind == "feather":
                lines.sink_ipc(unfinished, compression="lz4")
            else:
                lines.sink_parquet(unfinished)
            if not count:
                raise UsageError(f"{store.folder}: has nothing of {stream} in this span")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise QuantMindError(f"{path}: cannot be written: {reason(error)}") from error
    return count


def _format(path: Path, stream: Stream) -> str:
    kind = file_format(path)
    if path.exists():
        raise UsageError(f"{path} is there already: nothing is overwritten, name another file with --to")
    if kind == "csv" and stream.channel.kind == "book":
        raise UsageError(f"{path}: a CSV file cannot hold order books; name a .feather or .parquet file")
    if path.name.endswith(".gz"):
        raise UsageError(f"{path}: name a file that ends with .csv, .feather or .parquet")
    return kind


def _within(store: Store, stream: Stream, start: int | None, end: int | None) -> Iterator[pl.DataFrame]:
    import polars as pl

    at = pl.col(AT)
    bounds = [*([at >= start] if start is not None else []), *([at < end] if end is not None else [])]
    for day in store.days(stream):
        if (start is None or (day + 1) * DAY > start) and (end is None or day * DAY < end):
            for table in tables(store.folder, stream, day):
                kept = table.filter(*bounds) if bounds else table
                if not kept.is_empty():
                    yield kept

"""One day of a channel: its parts as one sorted stream of tables, and its parts made one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from quantmind.data.reading import reason
from quantmind.data.store.alignment import AT, Source, aligned
from quantmind.data.store.disk import replacing
from quantmind.data.store.layout import Part, Stream, day_name
from quantmind.data.store.manifest import COVERED, Manifest, Span, joined, read_manifest, write_manifest
from quantmind.data.store.survey import Survey, survey
from quantmind.data.store.tables import COLUMNS, schema, time_column
from quantmind.errors import QuantMindError
from quantmind.files import sync

if TYPE_CHECKING:
    import polars as pl

WINDOW = 100_000
"""How many rows of a file are held at once."""

ROW_GROUP = 100_000
"""How many rows a row group of a compacted file has."""

_SETTLED = 60_000_000_000
"""Settlements that lie nearer (ns) are one: some sources note it some ms late."""


def tables(
    folder: Path, stream: Stream, day: int, window: int = WINDOW, manifest: Manifest | None = None
) -> Iterator[pl.DataFrame]:
    """Yield the rows of a day, or of the parts in a manifest, by time (of one time as they were written).

    They have the column `AT`.

    Raises:
        QuantMindError: a part cannot be read.
    """
    import polars as pl

    place = folder / stream.path / day_name(day)
    manifest = manifest or read_manifest(folder, stream, day)
    sources = [
        Source(_sorted(place / name, stream, one, window), one.first)
        for name, one in manifest.parts.items()
        if one.rows
    ]
    for taken in aligned(sources):
        if len(taken) == 1:
            yield taken[0][1]
        else:
            yield pl.concat([rows for _, rows in taken], rechunk=False).sort(AT, maintain_order=True)


def _sorted(path: Path, stream: Stream, counted: Survey, window: int) -> Iterator[pl.DataFrame]:
    """Yield the rows of a part, sorted: a window at a time where they are so in the file."""
    import polars as pl

    at = pl.col(time_column(stream.channel)).dt.timestamp("ns").alias(AT)
    try:
        lines = pl.scan_parquet(path, hive_partitioning=False).with_columns(at)
        if counted.disorder and len(lines.filter(pl.col(AT).diff() < 0).head(1).collect()):
            yield lines.collect().sort(AT, maintain_order=True)
            return
        for offset in range(0, counted.rows, window):
            yield lines.slice(offset, window).collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise QuantMindError(f"{path}: cannot be read: {reason(error)}; is the store being written?") from error


def compact(folder: Path, stream: Stream, day: int, covered: Iterable[Span] = (), *, once: bool = False) -> None:
    """Make the parts of a day one file, sorted by time; note the spans that are `covered`.

    With `once`, of rows that are the same event one is kept. Killed at any moment, it leaves the day whole: the name
    of the new file says which ones it takes the place of, and they are removed when it is on the disk.

    Raises:
        QuantMindError: a part cannot be read, or the file cannot be written.
    """
    import polars as pl
    from polars.io.plugins import register_io_source

    place = folder / stream.path / day_name(day)
    # What is written beside this, late events of that day, stays a part of its own.
    before = read_manifest(folder, stream, day)
    old = [part for name in before.parts if (part := Part.of(name)) is not None]
    spans = joined([*before.covered, *covered])
    if len(old) < 2 and not once and spans == before.covered:
        return
    # A single file is written again under the next number, which takes the place of it.
    part = Part(old[0].first, old[-1].last + (len(old) == 1))
    counted: list[Survey] = []

    def rows(columns: list[str] | None, *_: object) -> Iterator[pl.DataFrame]:
        found = tables(folder, stream, day, manifest=before)
        if stream.channel.kind == "funding":
            # A few rows: those of one settlement may lie some ms apart.
            found = (pl.concat(some) for some in [list(found)] if some)
        for whole in found:
            kept = _once(stream, whole) if once else whole
            counted.append(survey(stream.channel, kept))
            yield kept.select(columns or list(types))

    types = schema(stream.channel)
    path = place / str(part)
    try:
        with replacing(path) as unfinished:
            register_io_source(rows, schema=types).sink_parquet(
                unfinished,
                row_group_size=ROW_GROUP,
                metadata={COVERED: json.dumps(spans)},
            )
        written = Survey.joined(counted, path.stat().st_size)
        write_manifest(folder, stream, day, Manifest.of({str(part): written}, spans))
        for other in old:
            (place / str(other)).unlink()
        sync(place)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise QuantMindError(f"{path}: cannot be written: {reason(error)}") from error


def _once(stream: Stream, rows: pl.DataFrame) -> pl.DataFrame:
    """Leave out what is the same event as another row: of numbered ones the first stays, else the last."""
    import polars as pl

    number = COLUMNS[stream.channel.kind].number
    if stream.channel.kind == "funding":
        settlement = pl.col(AT) // _SETTLED
        return rows.filter(settlement.is_first_distinct())
    if not number:
        return rows.unique(AT, keep="last", maintain_order=True)
    key = pl.when(pl.col(number) != 0).then(pl.col(number))
    if stream.channel.kind == "quote":
        figures = COLUMNS["quote"].figures
        alike = pl.struct(AT, *figures).is_first_distinct()
        return rows.filter(pl.when(key.is_null()).then(alike).otherwise(pl.struct(AT, key).is_first_distinct()))
    # Of what has no number, two trades may be alike, and books are not compared.
    own = key.fill_null(-1 - pl.int_range(pl.len()))
    return rows.filter(pl.struct(AT, own).is_first_distinct())

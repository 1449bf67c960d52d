"""What a table of one channel has: counted when it is written, or when a manifest must be made again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from quantmind.data.reading import reading
from quantmind.data.store.runs import Run, union
from quantmind.data.store.tables import COLUMNS, time_column
from quantmind.kinds.channel import Channel

if TYPE_CHECKING:
    import polars as pl

_FEW = 10
"""So few rows tell nothing about how a venue numbers its events."""

WINDOW = 1_000_000
"""How many rows of a file are held at once to count them."""


class Survey(msgspec.Struct, frozen=True):
    """The figures of a table or a file."""

    rows: int
    first: int
    """The earliest time in it (ns): of bars that of the open."""
    last: int
    duplicates: int = 0
    disorder: int = 0
    """How often a time or a number of a change is before that of the row above."""
    runs: list[Run] | None = None
    """The runs of trade ids and of bars; None where the venue does not number without holes."""
    bytes: int = 0

    @classmethod
    def joined(cls, surveys: Iterable[Survey], size: int = 0) -> Survey:
        """Return the figures of one file that has what several tables have, one after the other."""
        runs: list[Run] = []
        rows = duplicates = disorder = 0
        first = last = 0
        known = True
        for one in surveys:
            if not one.rows:
                continue
            disorder += one.disorder + (rows > 0 and one.first < last)
            first = min(first, one.first) if rows else one.first
            last = max(last, one.last) if rows else one.last
            rows += one.rows
            duplicates += one.duplicates
            known = known and one.runs is not None
            runs += one.runs or []
        merged, twice = union(runs)
        return cls(rows, first, last, duplicates + twice, disorder, merged if known and rows else None, size)


def survey_file(channel: Channel, path: Path) -> Survey:
    """Count what is in a part.

    Raises:
        QuantMindError: it cannot be read.
    """
    import polars as pl

    columns = [time_column(channel), *filter(None, [COLUMNS[channel.kind].number])]
    found: list[Survey] = []
    with reading(path):
        rows = pl.scan_parquet(path, hive_partitioning=False).select(columns)
        while not found or found[-1].rows == WINDOW:
            window = rows.slice(len(found) * WINDOW, WINDOW).collect()
            if window.is_empty():
                break
            found.append(survey(channel, window))
        return Survey.joined(found, path.stat().st_size)


def survey(channel: Channel, rows: pl.DataFrame) -> Survey:
    """Count what is in a table that has rows."""
    columns = COLUMNS[channel.kind]
    times = rows[time_column(channel)].dt.timestamp("ns")
    first, last = times.min(), times.max()
    if not isinstance(first, int) or not isinstance(last, int):
        raise TypeError("a table to survey must have rows")
    disorder = int((times.diff() < 0).sum())
    if channel.kind == "bar":
        found, duplicates = _runs(times // channel.interval, times)
        return Survey(len(rows), first, last, duplicates, disorder, found)
    if not columns.number:
        return Survey(len(rows), first, last, len(rows) - times.n_unique(), disorder)
    numbers = rows[columns.number]
    numbered = numbers != 0
    if not numbered.all():
        numbers, times = numbers.filter(numbered), times.filter(numbered)
    if channel.kind == "trade":
        found, duplicates = _runs(numbers, times)
        return Survey(len(rows), first, last, duplicates, disorder, found)
    if not numbers.is_sorted():
        disorder = max(disorder, int((numbers.diff() < 0).sum()))
        return Survey(len(rows), first, last, len(numbers) - numbers.n_unique(), disorder)
    return Survey(len(rows), first, last, int((numbers.diff() == 0).sum()), disorder)


def _runs(numbers: pl.Series, times: pl.Series) -> tuple[list[Run] | None, int]:
    """Return the runs of the numbers, and how many are there twice."""
    import polars as pl

    if numbers.is_empty():
        return None, 0
    count = len(numbers)
    lines = pl.DataFrame({"number": numbers, "time": times})
    steps = numbers.diff()
    if not (steps[1:] > 0).all():
        lines = lines.sort("number", maintain_order=True).unique("number", keep="first", maintain_order=True)
        numbers = lines["number"]
        steps = numbers.diff()
    begins = (steps != 1).fill_null(value=True)
    if begins.sum() * 2 > len(numbers) > _FEW:
        return None, count - len(numbers)
    ends = begins.shift(-1, fill_value=True)
    starts, stops = lines.filter(begins), lines.filter(ends)
    found = zip(starts["number"], stops["number"], starts["time"], stops["time"], strict=True)
    return [Run(*run) for run in found], count - len(numbers)

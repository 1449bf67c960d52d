"""The manifest of a day: what its parts have, and what is known to lack; made again from them where it is lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from quantmind.data.reading import reason
from quantmind.data.store.disk import parts, replacing
from quantmind.data.store.layout import Stream, day_name, manifest_path
from quantmind.data.store.runs import Gap, gaps, missing, there
from quantmind.data.store.survey import Survey, survey_file
from quantmind.errors import QuantMindError

COVERED = "quantmind.covered"
"""The key of a part's metadata that has the spans which are known to be complete."""

MOST_GAPS = 100
"""So many gaps are named; the rest is counted."""

Span = tuple[int, int]
"""From a time (ns) to before another one."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a day has of a channel; times are ns UTC, of bars those of their open."""

    version: int = 1
    """The layout of the manifest itself."""
    rows: int = 0
    """The number of events."""
    first: int | None = None
    """The earliest time (ns UTC); None without events."""
    last: int | None = None
    """The latest time (ns UTC); None without events."""
    bytes: int = 0
    """The size of its files."""
    duplicates: int = 0
    """How many events are there more than once."""
    disorder: int = 0
    """How often a time or a number of a change is before that of the row above."""
    missing: int = 0
    """How many trades or bars lack between the first and the last one."""
    completeness: float | None = None
    """The part that is there of what there is known to have been; None where nothing tells."""
    gap_count: int = 0
    """The number of gaps, named or not."""
    gaps: list[Gap] = []
    """The first gaps, in order, `MOST_GAPS` of them at the most."""
    covered: list[Span] = []
    """The spans that were fetched as a whole, in order."""
    parts: Mapping[str, Survey] = {}
    """The figures of each file, by its name, in order."""

    @classmethod
    def of(cls, surveys: Mapping[str, Survey], covered: Iterable[Span] = ()) -> Manifest:
        """Sum up the parts of a day, by the names of their files and in their order; the spans are in any order."""
        size = 0
        for one in surveys.values():
            size += one.bytes
        whole = Survey.joined(surveys.values(), size)
        holes = gaps(whole.runs or [])
        lacks, has = missing(holes), there(whole.runs or [])
        return cls(
            rows=whole.rows,
            first=whole.first if whole.rows else None,
            last=whole.last if whole.rows else None,
            bytes=whole.bytes,
            duplicates=whole.duplicates,
            disorder=whole.disorder,
            missing=lacks,
            completeness=None if whole.runs is None else has / (has + lacks),
            gap_count=len(holes),
            gaps=holes[:MOST_GAPS],
            covered=joined(covered),
            parts=surveys,
        )


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return spans that do not touch, in order."""
    found: list[Span] = []
    for begins, ends in sorted(spans):
        if found and begins <= found[-1][1]:
            found[-1] = (found[-1][0], max(ends, found[-1][1]))
        else:
            found.append((begins, ends))
    return found


def read_manifest(folder: Path, stream: Stream, day: int) -> Manifest:
    """Return the manifest of a day; one that does not tell of the parts that there are is made again, not written.

    Raises:
        QuantMindError: a part cannot be read.
    """
    place = folder / stream.path / day_name(day)
    files = {str(part): (place / str(part)).stat().st_size for part in parts(place)}
    known: Mapping[str, Survey] = {}
    covered: list[Span] = []
    found = manifest_on_disk(folder, stream, day)
    if found is not None:
        if {name: one.bytes for name, one in found.parts.items()} == files:
            return found
        known, covered = found.parts, []
    surveys = {}
    for name, size in files.items():
        one = known.get(name)
        surveys[name] = one if one is not None and one.bytes == size else survey_file(stream.channel, place / name)
        covered += read_covered(place / name)
    return Manifest.of(surveys, covered)


def manifest_on_disk(folder: Path, stream: Stream, day: int) -> Manifest | None:
    """Return the manifest of a day as it was written, whatever parts there are; None where there is none."""
    try:
        return msgspec.json.decode(manifest_path(folder, stream, day).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError):
        return None


def write_manifest(folder: Path, stream: Stream, day: int, manifest: Manifest) -> None:
    """Write the manifest of a day; it may be lost in a crash, since it can be made again."""
    path = manifest_path(folder, stream, day)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, synced=False) as unfinished:
        unfinished.write_bytes(msgspec.json.encode(manifest))


def read_covered(path: Path) -> list[Span]:
    """Return the spans that a part says are complete.

    Raises:
        QuantMindError: it cannot be read.
    """
    import polars as pl

    try:
        text = pl.read_parquet_metadata(path).get(COVERED)
        return [(int(begins), int(ends)) for begins, ends in json.loads(text)] if text else []
    except (pl.exceptions.PolarsError, OSError, ValueError, TypeError) as error:
        raise QuantMindError(f"{path}: cannot be read: {reason(error)}") from error

"""Checks stores and data files: everything is counted again from the rows, nothing is taken from manifests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from quantmind.data.reading import reading
from quantmind.data.rows import Columns, scan
from quantmind.data.store.alignment import AT
from quantmind.data.store.day import tables
from quantmind.data.store.disk import parts
from quantmind.data.store.findings import Finding, Inspector, Limits
from quantmind.data.store.layout import Stream, day_name, manifest_path, midnight
from quantmind.data.store.manifest import Manifest, manifest_on_disk
from quantmind.data.store.runs import Gap, gaps, union
from quantmind.data.store.store import Store
from quantmind.data.store.survey import Survey, survey, survey_file
from quantmind.errors import QuantMindError
from quantmind.kinds.channel import TRADES, Channel, bars
from quantmind.kinds.moment import format_moment
from quantmind.kinds.options import format_duration

if TYPE_CHECKING:
    import polars as pl

_BARS = Columns({name: (name,) for name in ("open", "high", "low", "close", "volume")})
_TRADES = Columns(
    {"price": ("price",), "size": ("size", "qty", "quantity", "amount")},
    {"id": ("id", "trade_id", "agg_trade_id")},
)


def check_store(store: Store, limits: Limits) -> Iterator[Finding]:
    """Yield what is wrong with a store, a channel after the other."""
    for stream in store.streams():
        yield from _check_stream(store, stream, limits)


def _check_stream(store: Store, stream: Stream, limits: Limits) -> Iterator[Finding]:
    inspector = Inspector(stream.channel, limits)
    surveys: list[Survey] = []
    place = ""
    before: int | None = None
    for day in store.days(stream):
        place = str(store.folder / stream.path / day_name(day))
        if before is not None and day > before + 1 and stream.channel.kind not in {"bar", "funding"}:
            absent = f"{midnight(before + 1)} to {midnight(day - 1)}" if day > before + 2 else midnight(before + 1)
            yield Finding(place, "gap", None, f"nothing of {absent}")
        before = day
        counted: dict[str, Survey] = {}
        for part in parts(store.folder / stream.path / day_name(day)):
            path = store.folder / stream.path / day_name(day) / str(part)
            try:
                one = counted[str(part)] = survey_file(stream.channel, path)
            except QuantMindError as error:
                yield Finding(str(path), "damaged", None, str(error).removeprefix(f"{path}: "))
                continue
            surveys.append(one)
            yield from _counted(str(path), stream.channel, one)
        yield from _manifest(store.folder, stream, day, counted)
        try:
            for rows in tables(store.folder, stream, day, manifest=Manifest.of(counted)):
                yield from inspector.look(place, rows)
        except QuantMindError as error:
            yield Finding(place, "damaged", None, str(error))
    yield from inspector.end(place)
    yield from _gaps(str(store.folder / stream.path), stream.channel, surveys, limits)


def _counted(place: str, channel: Channel, one: Survey) -> Iterator[Finding]:
    """Tell what was counted of one file."""
    if one.duplicates:
        noun = {"bar": "bars of one time", "trade": "trades of one id"}.get(channel.kind, "rows that came twice")
        yield Finding(place, "duplicate", None, f"{one.duplicates:,} {noun}")
    if one.disorder and channel.kind not in {"quote", "book"}:
        yield Finding(place, "order", None, f"{one.disorder:,} rows are before the row above them")


def _gaps(place: str, channel: Channel, surveys: list[Survey], limits: Limits) -> Iterator[Finding]:
    """Tell what lacks of a sequence of bars or trades, and what two files both have."""
    if any(one.runs is None for one in surveys if one.rows):
        return
    runs, twice = union(run for one in surveys for run in one.runs or ())
    holes = gaps(runs)
    for hole in holes[: limits.most]:
        yield Finding(place, "gap", hole.begins, _hole(channel, hole))
    if len(holes) > limits.most:
        yield Finding(place, "gap", holes[limits.most].begins, f"and {len(holes) - limits.most:,} more gaps")
    if twice:
        yield Finding(place, "duplicate", None, f"{twice:,} are in two files")


def _hole(channel: Channel, hole: Gap) -> str:
    if channel.kind == "bar":
        lacks = f"{hole.count:,} bars lack" if hole.count > 1 else "1 bar lacks"
        return f"{lacks} before {format_moment(hole.ends)}"
    lacks = f"{hole.count:,} trades lack" if hole.count > 1 else "1 trade lacks"
    return f"{lacks} before {format_moment(hole.ends)}: ids {hole.first} to {hole.last}"


def _manifest(folder: Path, stream: Stream, day: int, counted: Mapping[str, Survey]) -> Iterator[Finding]:
    """Tell a manifest that says something else than the parts have."""
    found = manifest_on_disk(folder, stream, day)
    if found is None or set(found.parts) != set(counted):
        return
    for name, one in counted.items():
        told = found.parts[name]
        if (told.rows, told.first, told.last) != (one.rows, one.first, one.last):
            path = str(manifest_path(folder, stream, day))
            yield Finding(path, "manifest", None, f"tells of {told.rows:,} rows in {name}, which has {one.rows:,}")


def check_file(path: Path, interval: int | None, limits: Limits) -> Iterator[Finding]:
    """Yield what is wrong with one file of bars or trades.

    Raises:
        QuantMindError: it cannot be read, or is neither.
    """
    import polars as pl

    from quantmind.backtest.library import named

    with reading(path):
        try:
            rows = scan(path, _BARS).collect()
            kind = "bar"
        except QuantMindError as bars_refused:
            if "has no column" not in str(bars_refused):
                raise
            try:
                rows = scan(path, _TRADES).collect()
            except QuantMindError:
                raise bars_refused from None
            kind = "trade"
    place = str(path)
    if unreadable := int(rows["time"].null_count()):
        line = rows["time"].is_null().arg_max() or 0
        yield Finding(place, "damaged", None, f"{unreadable:,} rows have no readable time, the first is row {line + 1}")
        rows = rows.filter(pl.col("time").is_not_null())
    if rows.is_empty():
        yield Finding(place, "gap", None, "has no rows")
        return
    if kind == "bar":
        told = named(path)
        span = interval or (told.interval if told else 0) or _spacing(rows)
        yield from _misplaced(place, rows, span)
        yield from _check_rows(place, bars(span), rows, "time", limits)
    else:
        rows = rows.with_columns(pl.col("id").fill_null(0).cast(pl.Int64), side=pl.lit(1, pl.Int8), ts=pl.col("time"))
        yield from _check_rows(place, TRADES, rows, "ts", limits)


def _check_rows(place: str, channel: Channel, rows: pl.DataFrame, time: str, limits: Limits) -> Iterator[Finding]:
    import polars as pl

    timed = rows.with_columns(pl.col(time).cast(pl.Datetime("ns", "UTC")), pl.col(time).alias(AT))
    one = survey(channel, timed)
    yield from _counted(place, channel, one)
    yield from _gaps(place, channel, [one], limits)
    inspector = Inspector(channel, limits)
    yield from inspector.look(place, timed.sort(AT, maintain_order=True))
    yield from inspector.end(place)


def _spacing(rows: pl.DataFrame) -> int:
    """Return how far apart most rows are: the interval of bars whose name does not tell it."""
    apart = rows["time"].sort().diff().drop_nulls()
    apart = apart.filter(apart > 0)
    return int(apart.mode().min()) if len(apart) else 60_000_000_000


def _misplaced(place: str, rows: pl.DataFrame, interval: int) -> Iterator[Finding]:
    """Tell bars that do not begin at a whole multiple of their interval."""
    off = rows["time"].filter(rows["time"] % interval != rows["time"][0] % interval)
    for time in off.head(1):
        message = f"{len(off):,} bars do not begin a multiple of {format_duration(interval)} after the first one"
        yield Finding(place, "bar", time, message)

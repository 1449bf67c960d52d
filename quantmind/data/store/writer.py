"""The writer of a store: takes market events, and puts them on the disk a row group at a time."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec

from quantmind.data.reading import reason
from quantmind.data.store.day import compact
from quantmind.data.store.disk import Lock, make_folder, parts, replacing, tidy
from quantmind.data.store.layout import DAY, Part, Stream, day_name, days, streams
from quantmind.data.store.manifest import COVERED, Manifest, Span, read_manifest, write_manifest
from quantmind.data.store.survey import Survey, survey
from quantmind.data.store.tables import table, time_column
from quantmind.errors import QuantMindError
from quantmind.events import Bar, Market
from quantmind.kinds import Channel

if TYPE_CHECKING:
    import polars as pl

ROWS = 100_000
SECONDS = 60.0
MOST_WAITING = 1_000_000
"""So many events wait in memory at the most, of all channels together."""

LATE = 600_000_000_000
"""How long (ns of event time) after midnight a day is taken to be over."""


class _Buffer:
    """The open row group of a channel."""

    __slots__ = ("events", "since", "stream")

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.events: list[Any] = []
        self.since = 0.0


class Writer:
    """Writes to a store, alone: at the most the open row groups are lost when the process is killed.

    A row group is written when it has so many `rows`, or so many `seconds` after its first event, on the next call.
    As a context manager it closes at the end.
    """

    def __init__(
        self,
        folder: Path,
        rows: int = ROWS,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
        *,
        once: bool = False,
    ) -> None:
        """Take the store, and remove what a process that was killed has left.

        With `once`, of what is the same event one is kept in each day that is written to.

        Raises:
            QuantMindError: another process writes to it, or the folder cannot be written.
        """
        self.folder = folder.expanduser()
        self._rows = rows
        self._seconds = seconds
        self._clock = clock
        self._once = once
        self._buffers: dict[tuple[Any, ...], _Buffer] = {}
        self._taken = 0
        self._changing = threading.Lock()
        self._putting = threading.Lock()
        self._compacting = threading.Lock()
        self._open: set[tuple[Stream, int]] = set()
        """The days that have been written to, or that a killed process left in several parts."""
        self._manifests: dict[tuple[Stream, int], Manifest] = {}
        self._latest: dict[Stream, int] = {}
        self._due = math.inf
        self._failed = False
        self.written = 0
        """The events that are on the disk."""
        self._lock = Lock(self.folder)
        try:
            self._recover()
        except BaseException:
            self._lock.release()
            raise

    def _recover(self) -> None:
        for stream in streams(self.folder):
            for day in days(self.folder, stream):
                place = self.folder / stream.path / day_name(day)
                try:
                    tidy(place)
                except OSError as error:
                    raise QuantMindError(f"{place}: cannot be written: {reason(error)}") from error
                if len(parts(place)) > 1:
                    self._open.add((stream, day))

    @property
    def waiting(self) -> int:
        """The events that are not on the disk yet."""
        return self._taken - self.written

    def write(self, venue: str, events: Sequence[Market]) -> None:
        """Take events of a venue, and write what is due.

        Raises:
            QuantMindError: it cannot be written; what was written before stays.
        """
        self.take(venue, events)
        self.settle()

    def take(self, venue: str, events: Sequence[Market]) -> None:
        """Take events of a venue into memory; `settle` may run in a thread beside it."""
        buffers, most = self._buffers, self._rows
        with self._changing:
            for event in events:
                key: tuple[Any, ...] = (venue, event.__class__, event.symbol)
                if isinstance(event, Bar):
                    key = (*key, event.interval)
                buffer = buffers.get(key)
                if buffer is None:
                    buffer = buffers[key] = _Buffer(Stream(venue, Channel.of(event), event.symbol))
                waiting = buffer.events
                if not waiting:
                    buffer.since = self._clock()
                    self._due = min(self._due, buffer.since + self._seconds)
                waiting.append(event)
                if len(waiting) == most:
                    self._due = -math.inf
            self._taken += len(events)

    def settle(self) -> None:
        """Write the row groups that are due.

        Raises:
            QuantMindError: one cannot be written.
        """
        now = self._clock()
        everything = self.waiting > MOST_WAITING
        if now < self._due and not everything:
            return
        with self._changing:
            some = [buffer for buffer in self._buffers.values() if buffer.events]
            due = [b for b in some if everything or len(b.events) >= self._rows or b.since + self._seconds <= now]
            self._due = min((b.since + self._seconds for b in some if b not in due), default=math.inf)
        for buffer in due:
            self._put(buffer)

    def flush(self) -> None:
        """Write every open row group.

        Raises:
            QuantMindError: one cannot be written.
        """
        with self._changing:
            some = [buffer for buffer in self._buffers.values() if buffer.events]
        for buffer in some:
            self._put(buffer)

    def over(self) -> list[tuple[Stream, int]]:
        """Return the days that are over, for `compact`; they are told once."""
        found = [
            (stream, day) for stream, day in list(self._open) if self._latest.get(stream, 0) >= (day + 1) * DAY + LATE
        ]
        self._open.difference_update(found)
        for ended in found:
            self._manifests.pop(ended, None)
        return sorted(found)

    def compact(self, ended: Iterable[tuple[Stream, int]]) -> None:
        """Make each of these days one file; may run in a thread, beside `write`.

        Raises:
            QuantMindError: one cannot be written; its parts stay.
        """
        with self._compacting:
            for stream, day in ended:
                compact(self.folder, stream, day, once=self._once)

    def cover(self, stream: Stream, day: int, spans: Sequence[Span]) -> None:
        """Note that spans of a day are complete, and keep each event of that day once.

        Raises:
            QuantMindError: it cannot be written.
        """
        with self._changing:
            waiting = [buffer for buffer in self._buffers.values() if buffer.events and buffer.stream == stream]
        for buffer in waiting:
            self._put(buffer)
        self._manifests.pop((stream, day), None)
        if parts(self.folder / stream.path / day_name(day)):
            compact(self.folder, stream, day, spans, once=True)
        else:
            try:
                self._append(stream, day, table(stream.channel, []), spans)
            except OSError as error:
                raise QuantMindError(f"{error.filename or self.folder}: cannot be written: {reason(error)}") from error
        self._open.discard((stream, day))

    def close(self) -> None:
        """Write what is open, make each day one file, and give the store back.

        Raises:
            QuantMindError: it cannot be written; what was written before stays.
        """
        try:
            if not self._failed:
                self.flush()
                self.compact(sorted(self._open))
        finally:
            # A thread may still make a day one file.
            with self._compacting:
                self._lock.release()

    def __enter__(self) -> Self:
        """Write until the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _put(self, buffer: _Buffer) -> None:
        """Write the open row group of a channel: a part for each day that it has events of."""
        stream = buffer.stream
        with self._putting:
            with self._changing:
                events, buffer.events = buffer.events, []
            try:
                rows = table(stream.channel, events)
                times = rows[time_column(stream.channel)].dt.timestamp("ns")
                places = times // DAY
                several = places.unique().sort().to_list()
                for day in several:
                    self._append(stream, day, rows if len(several) == 1 else rows.filter(places == day))
            except (TypeError, OverflowError, ValueError) as error:
                self._failed = True
                raise QuantMindError(f"{stream}: an event cannot be written: {reason(error)}") from error
            except OSError as error:
                self._failed = True
                raise QuantMindError(
                    f"{error.filename or self.folder}: cannot be written: {reason(error)}; {self.written} events are "
                    f"on the disk, {self.waiting} are lost"
                ) from error
            self._latest[stream] = max(self._latest.get(stream, 0), int(times.max()))
            self.written += len(events)

    def _append(self, stream: Stream, day: int, rows: pl.DataFrame, covered: Sequence[Span] = ()) -> None:
        """Write a table as the next part of a day."""
        place = self.folder / stream.path / day_name(day)
        content = BytesIO()
        rows.write_parquet(content, row_group_size=ROWS, metadata={COVERED: json.dumps(covered)} if covered else None)
        size = content.getbuffer().nbytes
        counted = survey(stream.channel, rows) if len(rows) else Survey(0, 0, 0)
        before = self._manifests.get((stream, day)) or read_manifest(self.folder, stream, day)
        make_folder(place)
        there = parts(place)
        number = there[-1].last + 1 if there else 1
        part = Part(number, number)
        with replacing(place / str(part)) as unfinished, unfinished.open("wb") as file:
            file.write(content.getbuffer())
        surveys = {**before.parts, str(part): msgspec.structs.replace(counted, bytes=size)}
        manifest = Manifest.of(surveys, [*before.covered, *covered])
        write_manifest(self.folder, stream, day, manifest)
        if len(rows):
            self._open.add((stream, day))
            self._manifests[stream, day] = manifest

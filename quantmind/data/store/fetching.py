"""Fetches what a store lacks of a span from an archive, and says what cannot be had."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from quantmind.data.store.layout import DAY, Stream, midnight
from quantmind.data.store.manifest import Span
from quantmind.data.store.writer import Writer
from quantmind.errors import QuantMindError
from quantmind.kinds import Archive

MOST_AHEAD = 200_000
"""So many fetched events wait in memory at the most."""

_DAILY = frozenset({"quote", "trade", "book"})
"""The channels of which a month is too much to be fetched at once."""


class Piece(msgspec.Struct, frozen=True):
    """A part of what is fetched: a span of one channel."""

    stream: Stream
    begins: int
    ends: int


class Fetched(msgspec.Struct):
    """What came of the fetching of one channel."""

    stream: Stream
    events: int = 0
    failures: list[str] = []


class Fetching:
    """Fetches pieces side by side; what was fetched as a whole is noted in the store."""

    def __init__(
        self, archive: Archive[Any], writer: Writer, parallel: int, told: Callable[[Piece, bool], None] | None = None
    ) -> None:
        self._archive = archive
        self._writer = writer
        self._slots = asyncio.Semaphore(parallel)
        self._told = told or (lambda _piece, _done: None)
        self._covering = asyncio.Lock()

    async def fetch(self, pieces: Sequence[Piece], results: dict[Stream, Fetched]) -> None:
        """Fetch the pieces, and note in `results` what comes of them.

        Raises:
            QuantMindError: the store cannot be written.
        """
        for piece in pieces:
            results.setdefault(piece.stream, Fetched(piece.stream))
        tasks = [asyncio.create_task(self._fetch(piece, results[piece.stream])) for piece in pieces]
        try:
            for task in asyncio.as_completed(tasks):
                await task
        finally:
            for pending in tasks:
                pending.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _fetch(self, piece: Piece, result: Fetched) -> None:
        async with self._slots:
            self._told(piece, False)
            try:
                await self._take(piece, result)
            except _FailedError as failure:
                days = [*_days(failure.known, piece.ends)]
                if len(days) > 1:
                    # A part may be there: a day that lacks must not cost the month.
                    for begins, ends in days:
                        try:
                            await self._take(Piece(piece.stream, begins, ends), result)
                        except _FailedError as again:
                            result.failures.append(f"{midnight(begins // DAY)}: {again}")
                else:
                    result.failures.append(f"{midnight(days[0][0] // DAY)}: {failure}")
            self._told(piece, True)

    async def _take(self, piece: Piece, result: Fetched) -> None:
        """Fetch a piece, and note that it is complete; of one that breaks off, the days before that.

        Bars of which none came are no piece that is complete.
        """
        stream, last = piece.stream, piece.begins
        counted = unsure = 0
        events = self._archive.fetch(stream.symbol, stream.channel, piece.begins, piece.ends)
        try:
            async for batch in events:
                self._writer.take(stream.venue, batch)
                counted += len(batch)
                day, last = last // DAY, max(last, batch[-1].ts - stream.channel.interval)
                if batch[0].ts - stream.channel.interval >= last // DAY * DAY:
                    unsure = len(batch) + (unsure if last // DAY == day else 0)
                else:
                    unsure = sum(1 for event in batch if event.ts - stream.channel.interval >= last // DAY * DAY)
                while self._writer.waiting > MOST_AHEAD:
                    await asyncio.to_thread(self._writer.flush)
        except QuantMindError as error:
            # The day it broke off in comes again.
            result.events += counted - unsure
            known = max(piece.begins, last // DAY * DAY)
            await self._cover(stream, piece.begins, known)
            raise _FailedError(str(error), known) from error
        if not counted and stream.channel.kind == "bar":
            # Every span has bars: an answer without any proves nothing, and must not be the last one.
            result.failures.append(f"{_written(piece)}: the archive gave no bar")
            return
        result.events += counted
        await self._cover(stream, piece.begins, piece.ends)

    async def _cover(self, stream: Stream, begins: int, ends: int) -> None:
        for first, last in _days(begins, ends):
            async with self._covering:
                await asyncio.to_thread(self._writer.cover, stream, first // DAY, [(first, last)])


def _written(piece: Piece) -> str:
    """Write the days of a piece."""
    first, last = midnight(piece.begins // DAY), midnight((piece.ends - 1) // DAY)
    return first if first == last else f"{first} to {last}"


class _FailedError(Exception):
    """A piece broke off; the days before `known` are complete."""

    def __init__(self, reason: str, known: int) -> None:
        super().__init__(reason)
        self.known = known


def pieces(stream: Stream, spans: Iterable[Span]) -> list[Piece]:
    """Return spans as pieces: whole calendar months where a month is not too much, else days and parts of them."""
    found: list[Piece] = []
    for begins, ends in spans:
        at = begins
        while at < ends:
            after = _month_after(at)
            if stream.channel.kind in _DAILY or after is None or after > ends:
                after = min((at // DAY + 1) * DAY, ends)
            found.append(Piece(stream, at, after))
            at = after
    return found


def _days(begins: int, ends: int) -> list[Span]:
    """Cut a span at midnights."""
    found = []
    while begins < ends:
        after = min((begins // DAY + 1) * DAY, ends)
        found.append((begins, after))
        begins = after
    return found


def _month_after(ns: int) -> int | None:
    """Return the begin of the next month, where a month begins at `ns`."""
    if ns % DAY:
        return None
    moment = datetime.fromtimestamp(ns // 1_000_000_000, UTC)
    if moment.day != 1:
        return None
    after = moment.replace(year=moment.year + moment.month // 12, month=moment.month % 12 + 1)
    return int(after.timestamp()) * 1_000_000_000

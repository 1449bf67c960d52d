"""The jsonl sink: events as lines of JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import msgspec
from pydantic import Field

from quantmind.errors import QuantMindError
from quantmind.events.names import EVENT_NAMES, EVENT_TYPES, EventName
from quantmind.kinds import Options, Run, Sink

_TAIL = 16 * 1024 * 1024
"""How much of a file is looked at for what a kill left; what is told again after one is far less."""


class JsonLinesOptions(Options):
    """Options of the jsonl sink."""

    path: Path | None = Field(
        default=None,
        description="The file, appended to; left out, events.jsonl in the folder of the run. Its folder must exist.",
    )
    events: list[EventName] = Field(
        default=["signal", "target", "order", "fill", "transfer", "funding", "latch", "refusal"],
        min_length=1,
        examples=[["fill", "bar"]],
        description="The events it writes.",
    )


class JsonLines(Sink[JsonLinesOptions]):
    """Appends events to a file, one JSON object per line.

    `type` comes first, then the fields of the event; exact figures are plain strings. Without a `path` a run begins
    its own file anew.
    """

    name = "jsonl"

    def __init__(self, options: JsonLinesOptions, run: Run) -> None:
        super().__init__(options, run)
        self._file: TextIO | None = None
        self._known: set[int] = set()
        """Facts that are told again and in the file already."""

    @property
    def events(self) -> frozenset[type[Any]]:
        """The types of event it writes."""
        return frozenset(EVENT_TYPES[name] for name in self.options.events)

    async def open(self) -> None:
        """Open the file."""
        self._file = self._append()

    async def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    async def write(self, batch: Sequence[Any]) -> None:
        """Append a batch and flush it."""
        if self._file is None:
            raise QuantMindError("jsonl: write was called before open")
        wanted = self.events
        encode = _ENCODER.encode
        lines = [
            encode({"type": EVENT_NAMES[type(event)], **msgspec.structs.asdict(event)}) + "\n"
            for event in batch
            if type(event) in wanted and not (self._known and getattr(event, "number", 0) in self._known)
        ]
        self._file.write("".join(lines))
        self._file.flush()

    def _append(self) -> TextIO:
        own = self.options.path is None
        path = self.run.folder / "events.jsonl" if self.options.path is None else self.options.path.expanduser()
        try:
            if self.run.continued is not None and path.exists():
                self._known = _mended(path, self.run.continued)
            # A replay that goes on after a kill tells everything again, from its first event.
            return path.open("w" if own and self.run.continued is None else "a", encoding="utf-8")
        except OSError as error:
            raise QuantMindError(f"jsonl: {path} cannot be written: {error.strerror}; its folder must exist") from error


def _mended(path: Path, number: int) -> set[int]:
    """Cut off a line that a kill left unfinished; returns the facts after `number` that are there."""
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(0, size - _TAIL)
        file.seek(start)
        tail = file.read()
        whole = tail.rfind(b"\n") + 1
        file.truncate(start + whole)
    found = set()
    # The first line of the tail may be a part of one.
    for line in tail[:whole].splitlines()[1 if start else 0 :]:
        told = json.loads(line).get("number", 0)
        if told > number:
            found.add(told)
    return found


def _plain(value: object) -> object:
    """Write a Decimal as a plain string and a part of an event as an object."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return msgspec.structs.asdict(value)  # type: ignore[arg-type] # nothing else is in an event


_ENCODER = json.JSONEncoder(default=_plain, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

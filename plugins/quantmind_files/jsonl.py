"""The jsonl sink: events as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import msgspec
from pydantic import Field

from quantmind.errors import QuantMindError
from quantmind.events.names import EVENT_NAMES, EVENT_TYPES, EventName
from quantmind.kinds import Options, Run, Sink


class JsonLinesOptions(Options):
    """Options of the jsonl sink."""

    path: Path | None = Field(
        default=None, description="The file, appended to; default: events.jsonl in the folder of the run."
    )
    events: list[EventName] = Field(
        default=["signal", "target", "order", "fill", "transfer", "funding", "latch", "refusal"],
        min_length=1,
        description="The events it writes.",
    )


class JsonLines(Sink[JsonLinesOptions]):
    """Appends events to a file, one JSON object per line."""

    name = "jsonl"

    def __init__(self, options: JsonLinesOptions, run: Run) -> None:
        super().__init__(options, run)
        self._file: TextIO | None = None

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
            if type(event) in wanted
        ]
        self._file.write("".join(lines))
        self._file.flush()

    def _append(self) -> TextIO:
        own = self.options.path is None
        path = self.run.folder / "events.jsonl" if self.options.path is None else self.options.path.expanduser()
        try:
            # A run that goes on after a kill tells everything again, from its first event.
            return path.open("w" if own else "a", encoding="utf-8")
        except OSError as error:
            raise QuantMindError(f"jsonl: {path} cannot be written: {error.strerror}; its folder must exist") from error


def _plain(value: object) -> object:
    """Write a Decimal as a plain string and a part of an event as an object."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return msgspec.structs.asdict(value)  # type: ignore[arg-type] # nothing else is in an event


_ENCODER = json.JSONEncoder(default=_plain, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

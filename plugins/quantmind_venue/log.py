"""The log of a venue: a line of JSON for every message that was sent or missed, and for every request."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import msgspec

from quantmind.errors import UsageError
from quantmind_venue.clock import Clock
from quantmind_venue.streaming.hub import Log, Sent

_encode = msgspec.json.Encoder().encode


class LogFile:
    """Writes lines; they are on disk when it is flushed or closed."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._file: BinaryIO | None = None

    def open(self) -> None:
        """Begin a new file.

        Raises:
            UsageError: it cannot be written.
        """
        try:
            self._file = self._path.expanduser().open("wb")
        except OSError as error:
            raise UsageError(f"--log {self._path}: cannot be written: {error.strerror}") from error

    def append(self, sent: Sent) -> None:
        """Write a message of a stream."""
        if self._file is not None:
            self._file.write(
                b'{"time":%d,"connection":%d,"stream":%b,"missed":%b,"payload":%b}\n'
                % (
                    self._clock.now(),
                    sent.connection,
                    _encode(sent.stream),
                    b"true" if sent.missed else b"false",
                    sent.payload,
                )
            )

    def request(self, name: str, query: str, status: int) -> None:
        """Write a request, and how it was answered; 0 is a line that was cut."""
        if self._file is not None:
            line = {"time": self._clock.now(), "request": name, "query": query, "status": status}
            self._file.write(_encode(line) + b"\n")

    def flush(self) -> None:
        """Bring what was written to the file."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """End the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


class Both:
    """Gives every message to several logs."""

    def __init__(self, logs: Iterable[Log]) -> None:
        self._logs = tuple(logs)

    def append(self, sent: Sent) -> None:
        """Take a message."""
        for log in self._logs:
            log.append(sent)

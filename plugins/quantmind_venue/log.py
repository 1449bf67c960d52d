"""The log of a venue: a line of JSON for every message that was sent or missed, and for every request."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import msgspec

from quantmind.errors import QuantMindError, UsageError
from quantmind_venue.clock import Clock
from quantmind_venue.streaming.hub import Log, Sent

_encode = msgspec.json.Encoder().encode


class LogFile:
    """Writes lines; they are on disk when it is flushed or closed.

    Raises:
        QuantMindError: one cannot be written; then the venue ends.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._file: BinaryIO | None = None
        self._failed = False

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
            self._put(
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
            self._put(_encode(line) + b"\n")

    def flush(self) -> None:
        """Bring what was written to the file."""
        if self._file is not None:
            try:
                self._file.flush()
            except OSError as error:
                raise self._failure(error) from error

    def close(self) -> None:
        """End the file.

        Raises:
            QuantMindError: what was left could not be written, which was not told before.
        """
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                if not self._failed:
                    raise self._failure(error) from error

    def _put(self, line: bytes) -> None:
        if self._file is not None:
            try:
                self._file.write(line)
            except OSError as error:
                raise self._failure(error) from error

    def _failure(self, error: OSError) -> QuantMindError:
        self._failed = True
        return QuantMindError(f"--log {self._path}: cannot be written: {error.strerror}: make room")


class Both:
    """Gives every message to several logs."""

    def __init__(self, logs: Iterable[Log]) -> None:
        self._logs = tuple(logs)

    def append(self, sent: Sent) -> None:
        """Take a message."""
        for log in self._logs:
            log.append(sent)

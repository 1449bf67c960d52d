"""Recordings of every input of a reducer, with its position."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgpack

from quantmind.errors import QuantMindError
from quantmind.events import codec

_END = b""


class Recorder:
    """Writes the inputs of one reducer as (seq, n, message): MessagePack, in the order they were handled.

    Raises:
        QuantMindError: the file cannot be written, at any time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("xb")
        except OSError as error:
            raise self._failure(error) from error
        self._pack = msgpack.Packer().pack
        self._seq = self._n = 0

    def write(self, seq: int, *messages: codec.Message) -> None:
        """Record inputs that belong to market event `seq`."""
        if seq != self._seq:
            self._seq, self._n = seq, 0
        for message in messages:
            self._n += 1
            self._put((seq, self._n, codec.encode(message)))

    def __enter__(self) -> Self:
        """Begin to record."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file; a recording that was not interrupted says so at its end."""
        if error is None:
            self._put((0, 0, _END))
        try:
            self._file.close()
        except OSError as failure:
            # What went wrong before is what is told.
            if error is None:
                raise self._failure(failure) from failure

    def _put(self, row: tuple[int, int, bytes]) -> None:
        try:
            self._file.write(self._pack(row))
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> QuantMindError:
        return QuantMindError(f"{self._path}: cannot be written: {error.strerror}: make room, or run without --record")


def read(path: Path) -> Iterator[tuple[int, codec.Message]]:
    """Return the recorded inputs with their market events.

    Raises:
        QuantMindError: there is no recording, or it is not complete.
    """
    if not path.exists():
        raise QuantMindError(f"{path}: this run was not recorded; use `run --record` to be able to repeat it exactly")
    complete = False
    with path.open("rb") as file:
        for seq, _, data in msgpack.Unpacker(file, raw=False, max_buffer_size=codec.MAX_FRAME):
            complete = data == _END
            if not complete:
                try:
                    message = codec.decode(data)
                except codec.CodecError as error:
                    raise QuantMindError(f"{path}: market event {seq}: {error}") from error
                yield seq, message
    if not complete:
        raise QuantMindError(f"{path}: the recording breaks off; the run was interrupted")

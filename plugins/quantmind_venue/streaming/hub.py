"""The hub: who listens to which stream, and what is sent to whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

import msgspec

from quantmind_venue.streaming.connection import Connection, framed

if TYPE_CHECKING:
    from quantmind_venue.faults.faults import Faults

_encode = msgspec.json.Encoder().encode


class Sent(msgspec.Struct, frozen=True, gc=False):
    """A message of a stream, and the connection it was sent on.

    `missed` ones were not: that connection was down, or half open, or a fault swallowed it.
    """

    connection: int
    stream: str
    payload: bytes
    missed: bool = False


class Log(Protocol):
    """What takes every message that is sent: a list will do."""

    def append(self, sent: Sent, /) -> None:
        """Take it."""


class Hub:
    """Sends what is published on a stream to all who subscribed to it, in the order of publishing.

    With a `log`, a connection that is lost is remembered by its streams until somebody subscribes to them again: what
    is published meanwhile is logged as missed.
    """

    def __init__(self) -> None:
        self.wanted: dict[str, dict[Connection, None]] = {}
        """The connections of each stream; only of streams that somebody listens to or is missed on."""
        self.connections: dict[int, Connection] = {}
        self.log: Log | None = None
        self.faults: Faults | None = None
        self.sent = 0
        """Messages that were sent."""
        self.began: Callable[[], None] = lambda: None
        """Called at each subscription."""
        self._absent: dict[str, dict[int, None]] = {}
        self._number = 0

    def next_number(self) -> int:
        """Return the number of a new connection."""
        self._number += 1
        return self._number

    def subscribe(self, connection: Connection, streams: Iterable[str]) -> None:
        """Let a connection listen to streams."""
        for stream in streams:
            self._absent.pop(stream, None)
            self.wanted.setdefault(stream, {})[connection] = None
            connection.streams[stream] = None
        self.began()

    def unsubscribe(self, connection: Connection, streams: Iterable[str]) -> None:
        """Let a connection no longer listen to streams."""
        for stream in streams:
            connection.streams.pop(stream, None)
            self._leave(connection, stream)

    def lost(self, connection: Connection) -> None:
        """Forget a connection, but remember what it misses."""
        if self.connections.pop(connection.number, None) is None:
            return
        for stream in connection.streams:
            if self.log is not None:
                self._absent.setdefault(stream, {})[connection.number] = None
            self._leave(connection, stream)
        connection.streams.clear()

    def _leave(self, connection: Connection, stream: str) -> None:
        to = self.wanted.get(stream)
        if to is None:
            return
        to.pop(connection, None)
        if not to and stream not in self._absent:
            del self.wanted[stream]

    def private(self, listen_key: str, payload: object) -> None:
        """Send a message of a user stream."""
        self.publish(listen_key, payload)

    def publish(self, stream: str, payload: object) -> None:
        """Send a message to all who listen to its stream; bytes are JSON already."""
        to = self.wanted.get(stream)
        if to is None:
            return
        data = payload if isinstance(payload, bytes) else _encode(payload)
        if self.faults is not None and self.faults.active:
            for each in self.faults.through(stream, data):
                self._deliver(stream, each, to)
        else:
            self._deliver(stream, data, to)

    def deliver(self, stream: str, data: bytes) -> None:
        """Send a message that was held back."""
        self._deliver(stream, data, self.wanted.get(stream, {}))

    def missed(self, stream: str, data: bytes) -> None:
        """Log a message that reaches nobody who listens."""
        if self.log is not None:
            for connection in self.wanted.get(stream, ()):
                self.log.append(Sent(connection.number, stream, data, True))
            for number in self._absent.get(stream, ()):
                self.log.append(Sent(number, stream, data, True))

    def _deliver(self, stream: str, data: bytes, to: dict[Connection, None]) -> None:
        plain = wrapped = b""
        log = self.log
        for connection in tuple(to):
            if connection.wrapped:
                if not wrapped:
                    wrapped = framed(b'{"stream":"%b","data":%b}' % (stream.encode(), data))
                went = connection.send(wrapped)
            else:
                if not plain:
                    plain = framed(data)
                went = connection.send(plain)
            self.sent += went
            if log is not None:
                log.append(Sent(connection.number, stream, data, not went))
        if log is not None:
            for number in self._absent.get(stream, ()):
                log.append(Sent(number, stream, data, True))

"""Connections: one WebSocket of a client, written to without waiting."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from aiohttp import web

_encode = msgspec.json.Encoder().encode

_TOO_MUCH = 64 << 20
"""Bytes a client may leave unread before it is cut off."""


def framed(payload: bytes) -> bytes:
    """Return a text message as a WebSocket frame of a server."""
    size = len(payload)
    if size < 126:
        return b"\x81" + size.to_bytes(1, "big") + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


class Connection:
    """One WebSocket: what it listens to, and its way out.

    Frames go straight into the transport, which keeps them in order: nothing waits, and nothing overtakes.
    """

    def __init__(self, number: int, socket: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        self.number = number
        self.socket = socket
        self.wrapped = False
        self.kind = ""
        """Empty, or which streams its address gives: `public`, `market`, `private`."""
        self.streams: dict[str, None] = {}
        self.half_open = False
        """Whether it takes nothing and gives nothing, though the line seems to be up."""
        self.down = False
        """Whether a fault has cut it: nothing more is sent."""
        self.delay = 0.0
        """Seconds by which everything is late."""
        self._transport = transport
        self._late: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def send(self, frame: bytes) -> bool:
        """Send a frame; say whether it went, which it does not on a line that is down."""
        if self.down or self.half_open or self._transport.is_closing():
            return False
        if self.delay or self._late:
            loop = asyncio.get_running_loop()
            # Nothing overtakes what is late already.
            due = loop.time() + self.delay
            self._late.append((max(due, self._late[-1][0]) if self._late else due, frame))
            if self._timer is None:
                self._timer = loop.call_at(self._late[0][0], self._due)
            return True
        self._transport.write(frame)
        if self._transport.get_write_buffer_size() > _TOO_MUCH:
            self.abort()
        return True

    def say(self, answer: object) -> None:
        """Send an answer to what the client asked for."""
        self.send(framed(_encode(answer)))

    def _due(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._late and self._late[0][0] <= loop.time() + 0.0005:
            if not self._transport.is_closing():
                self._transport.write(self._late[0][1])
            self._late.popleft()
        if self._late:
            self._timer = loop.call_at(self._late[0][0], self._due)

    @property
    def unsent(self) -> int:
        """Bytes that the client has yet to read."""
        return 0 if self._transport.is_closing() else self._transport.get_write_buffer_size()

    def cut(self) -> None:
        """Take the line down now: what was sent arrives, nothing more is, and there is no goodbye."""
        if not self.down:
            self.down = True
            self._cut()

    def _cut(self) -> None:
        if (self.unsent or self._late) and not self._transport.is_closing():
            asyncio.get_running_loop().call_later(0.005, self._cut)
        else:
            self.abort()

    def bye(self, code: int) -> None:
        """Take the line down as one does, with a code."""
        if not self.down:
            self._transport.write(b"\x88\x02" + code.to_bytes(2, "big"))
            self.cut()

    def abort(self) -> None:
        """Take the line down with what has not gone yet."""
        self.down = True
        if self._timer is not None:
            self._timer.cancel()
        self._transport.abort()

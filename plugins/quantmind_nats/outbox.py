"""The outbox: frames that wait for a server, bounded where they may be lost."""

from __future__ import annotations

import asyncio
from collections import deque

MOST_BYTES = 64 * 1024 * 1024
"""How much waits at the most live, whatever the number of frames."""

Waiting = tuple[int, str, bytes]
"""When it came, its subject, and the frame."""


class Outbox:
    """Keeps frames in order until they are sent; live the oldest market frames give way first."""

    def __init__(self, most: int) -> None:
        self.lossless = True
        self.dropped = 0
        self.filled = asyncio.Event()
        self.empty = asyncio.Event()
        self.empty.set()
        self._most = most
        self._count = self._bytes = 0
        self._market: deque[Waiting] = deque()
        self._others: deque[Waiting] = deque()

    def __len__(self) -> int:
        return len(self._market) + len(self._others)

    def put(self, subject: str, frame: bytes, is_market: bool) -> None:
        """Add a frame, and make room for it where loss is allowed."""
        self._count += 1
        self._bytes += len(frame)
        (self._market if is_market else self._others).append((self._count, subject, frame))
        if not self.lossless:
            while len(self) > self._most or (self._bytes > MOST_BYTES and len(self) > 1):
                self._bytes -= len((self._market or self._others).popleft()[2])
                self.dropped += 1
        self.filled.set()
        self.empty.clear()

    def head(self) -> tuple[str, bytes] | None:
        """Return the frame that is next, and leave it."""
        if not self._market and not self._others:
            self.filled.clear()
            self.empty.set()
            return None
        return self._next()[0][1:]

    def take(self, frame: bytes) -> None:
        """Remove the frame that was next, unless it gave way meanwhile."""
        queue = self._next()
        if queue and queue[0][2] is frame:
            queue.popleft()
            self._bytes -= len(frame)

    def _next(self) -> deque[Waiting]:
        market, others = self._market, self._others
        if not others or (market and market[0][0] < others[0][0]):
            return market
        return others

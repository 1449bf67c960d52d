"""The reading of a socket on the event loop, driven by its descriptor; imported when a transport opens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import zmq


class Reading:
    """Has a socket drained whenever something may have come.

    The descriptor signals a change once, not a state: `drain` reads a batch and says whether it left something. What
    is left, also after it raised, is read in the next turn of the loop.
    """

    def __init__(self, socket: zmq.Socket[bytes], drain: Callable[[], bool]) -> None:
        self.left = True
        """Whether something may not have been read yet."""
        self._drain = drain
        self._loop = asyncio.get_running_loop()
        self._next: asyncio.Handle | None = None
        self._descriptor = socket.fileno()
        self._loop.add_reader(self._descriptor, self._run)
        self.again()

    def close(self) -> None:
        """Read no more; before the socket is closed."""
        self._loop.remove_reader(self._descriptor)
        if self._next is not None:
            self._next.cancel()

    def again(self) -> None:
        """Look in the next turn of the loop, whatever the descriptor says."""
        if self._next is not None:
            self._next.cancel()
        self._next = self._loop.call_soon(self._run)

    def _run(self) -> None:
        self.left = True
        try:
            self.left = self._drain()
        finally:
            if self.left:
                self.again()

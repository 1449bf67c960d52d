"""The monitor: counts the clients that did not get as far as to show a key, or showed it in the wrong form."""

from __future__ import annotations

import asyncio

import zmq

_EVENTS = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
_BATCH = 1_000
_NOBLOCK = int(zmq.NOBLOCK)


class Monitor:
    """Counts the failed handshakes of a listening socket."""

    def __init__(self, watched: zmq.Socket[bytes]) -> None:
        self.failures = 0
        self._watched = watched
        self._loop = asyncio.get_running_loop()
        self._next: asyncio.Handle | None = None
        self._socket = watched.get_monitor_socket(_EVENTS)
        self._descriptor = self._socket.fileno()
        self._loop.add_reader(self._descriptor, self._drain)
        self._again()

    def close(self) -> None:
        """Stop counting; before the socket itself is closed."""
        self._loop.remove_reader(self._descriptor)
        if self._next is not None:
            self._next.cancel()
        self._watched.disable_monitor()
        self._socket.close(0)

    def _drain(self) -> None:
        try:
            for _ in range(_BATCH):
                # The second part only says the address; each event is one failure.
                self._socket.recv_multipart(_NOBLOCK)
                self.failures += 1
        except zmq.Again:
            return
        self._again()

    def _again(self) -> None:
        if self._next is not None:
            self._next.cancel()
        self._next = self._loop.call_soon(self._drain)

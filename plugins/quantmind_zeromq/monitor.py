"""The monitor: what ZeroMQ tells of the connections of a socket."""

from __future__ import annotations

import sys
from collections.abc import Callable

import zmq

from quantmind_zeromq.reading import Reading

REFUSALS = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
"""A peer did not get as far as to show a key, or showed it in the wrong form."""

LOSSES = zmq.EVENT_DISCONNECTED | REFUSALS | zmq.EVENT_HANDSHAKE_FAILED_AUTH
ATTEMPTS = zmq.EVENT_CONNECTED | zmq.EVENT_CONNECT_DELAYED | zmq.EVENT_CONNECT_RETRIED

_BATCH = 1_000
_EVENT = 2
"""The length, in bytes, of an event's number, with which the first part begins."""

_NOBLOCK = int(zmq.NOBLOCK)


class Monitor:
    """Hands on events of a socket, by their number."""

    def __init__(self, watched: zmq.Socket[bytes], events: int, handle: Callable[[int], None]) -> None:
        self._watched = watched
        self._handle = handle
        self._socket = watched.get_monitor_socket(events)
        self._reading = Reading(self._socket, self._drain)

    def close(self) -> None:
        """Stop watching; before the socket itself is closed."""
        self._reading.close()
        self._watched.disable_monitor()
        self._socket.close(0)

    def _drain(self) -> bool:
        try:
            for _ in range(_BATCH):
                parts = self._socket.recv_multipart(_NOBLOCK)
                self._handle(int.from_bytes(parts[0][:_EVENT], sys.byteorder))
        except zmq.Again:
            return False
        return True

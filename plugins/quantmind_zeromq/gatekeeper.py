"""The gatekeeper: lets in the clients whose public key is known (ZAP), and counts those it refuses."""

from __future__ import annotations

import logging

import zmq
from zmq.utils import z85

from quantmind_zeromq.reading import Reading

_ADDRESS = "inproc://zeromq.zap.01"
_VERSION = b"1.0"
DOMAIN = b"quantmind"
_REQUEST = 7
"""The parts of a request with a key: version, id, domain, address, identity, mechanism, key."""
_BATCH = 100
_MOST_TOLD = 1_000
_NOBLOCK = int(zmq.NOBLOCK)
_log = logging.getLogger(__name__)


class Gatekeeper:
    """Answers ZeroMQ's question who may connect, for all sockets of a context."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], allowed: frozenset[bytes]) -> None:
        self.refused = 0
        """How often a client was refused; one that tries again counts again."""
        self._allowed = allowed
        self._told: set[bytes] = set()
        self._socket = context.socket(zmq.REP)
        self._socket.setsockopt(zmq.LINGER, 0)
        try:
            self._socket.bind(_ADDRESS)
        except BaseException:
            self._socket.close()
            raise
        self._reading = Reading(self._socket, self._answer)

    def close(self) -> None:
        """Stop answering: from then on nobody is let in."""
        self._reading.close()
        self._socket.close()

    def _answer(self) -> bool:
        try:
            for _ in range(_BATCH):
                request = self._socket.recv_multipart(_NOBLOCK)
                self._socket.send_multipart(self._reply(request), _NOBLOCK)
        except zmq.Again:
            return False
        return True

    def _reply(self, request: list[bytes]) -> list[bytes]:
        number = request[1] if len(request) > 1 else b""
        address = request[3].decode("ascii", "replace") if len(request) > 3 else ""
        if len(request) == _REQUEST and request[0] == _VERSION and request[5] == b"CURVE":
            key = z85.encode(request[6])
            if key in self._allowed:
                return [_VERSION, number, b"200", b"OK", key, b""]
            self._refuse(key, address)
        else:
            self._refuse(b"", address)
        return [_VERSION, number, b"400", b"unknown key", b"", b""]

    def _refuse(self, key: bytes, address: str) -> None:
        self.refused += 1
        if key not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(key)
            _log.warning(
                "zeromq: refused a client from %s: its key %s… is not allowed (told once for each key)",
                address,
                key[:8].decode("ascii"),
            )

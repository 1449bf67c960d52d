"""The receiving socket for one other stage; imported when a transport opens."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import zmq

from quantmind.events.codec import MAX_FRAME
from quantmind.kinds.transport import Handler
from quantmind_zeromq.keys import Keys
from quantmind_zeromq.monitor import ATTEMPTS, LOSSES, Monitor
from quantmind_zeromq.reading import Reading
from quantmind_zeromq.wire import look_after, look_for

BATCH = 1_000
"""The most frames handled in one turn of the event loop."""

_GIVEN_UP = 2.5
"""After how many seconds without an attempt to connect ZeroMQ makes no more."""

_NOBLOCK = int(zmq.NOBLOCK)
_log = logging.getLogger(__name__)


class Subscriber:
    """Hands on every frame of one stage, in order, also after that stage came late or was started again."""

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        address: str,
        high_water_mark: int,
        stage: str,
        handler: Handler,
        *,
        lossless: bool,
        keys: Keys | None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._stage = stage
        self._handler = handler
        self._socket = context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.RCVHWM, high_water_mark)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME)
        self._socket.setsockopt(zmq.LINGER, 0)
        look_after(self._socket, address, lossless)
        look_for(self._socket)
        if keys is not None:
            self._socket.setsockopt(zmq.CURVE_SERVERKEY, keys.stages[stage])
            self._socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public)
            self._socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
        self._socket.setsockopt(zmq.SUBSCRIBE, b"")
        self.reconnects = 0
        """How often it had to connect anew, because ZeroMQ had given the stage up."""
        self._address = address
        self._lost: asyncio.Handle | None = None
        self._monitor = Monitor(self._socket, LOSSES | ATTEMPTS, self._watch)
        self._socket.connect(address)
        self._reading = Reading(self._socket, self._drain)

    def close(self) -> None:
        """Stop receiving."""
        self._reading.close()
        if self._lost is not None:
            self._lost.cancel()
        self._monitor.close()
        self._socket.close()

    def _drain(self) -> bool:
        receive, stage, handler = self._socket.recv, self._stage, self._handler
        for _ in range(BATCH):
            try:
                frame = receive(_NOBLOCK)
            except zmq.Again:
                return False
            handler(stage, frame)
        return True

    def _watch(self, event: int) -> None:
        """Notice when ZeroMQ looks for the stage no longer, as after nonsense or a refusal."""
        if self._lost is not None:
            self._lost.cancel()
            self._lost = None
        if event & LOSSES:
            self._lost = self._loop.call_later(_GIVEN_UP, self._connect_again)

    def _connect_again(self) -> None:
        if self._reading.left:
            # What has arrived would go with the connection.
            self._lost = self._loop.call_later(_GIVEN_UP, self._connect_again)
            return
        self._lost = None
        self.reconnects += 1
        if self.reconnects.bit_count() == 1:
            _log.warning(
                "zeromq: %s, where stage %s should be, sends nonsense or takes other keys: trying again (%d so far)",
                self._address,
                self._stage,
                self.reconnects,
            )
        with contextlib.suppress(zmq.ZMQError):
            self._socket.disconnect(self._address)
        self._socket.connect(self._address)
        self._reading.again()

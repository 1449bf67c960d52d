"""The sending socket of a stage; imported when a transport opens."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections import deque
from pathlib import Path

import zmq

from quantmind.errors import QuantMindError
from quantmind.events.codec import MAX_FRAME
from quantmind_zeromq.gatekeeper import DOMAIN
from quantmind_zeromq.keys import Keys
from quantmind_zeromq.monitor import REFUSALS, Monitor
from quantmind_zeromq.wire import look_after

BATCH = 1_000
"""The most frames handled in one turn of the event loop."""

LINGER = 1.0
"""How long, in seconds, the last frames may take to leave."""

_RETRY = 0.01
_NOBLOCK = int(zmq.NOBLOCK)
_SUBSCRIPTION = 1_024
"""The longest message accepted from a subscriber, which has nothing to say but that it is there."""

_log = logging.getLogger(__name__)


class Publisher:
    """Sends the frames of one stage to whoever subscribed, without blocking.

    Without loss, a frame that a subscriber has no room for waits here, and so do all after it. Else it is dropped for
    that subscriber only, and nothing waits.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        address: str,
        high_water_mark: int,
        *,
        lossless: bool,
        keys: Keys | None,
        option: str,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[bytes] = deque()
        self.handshake_failures = 0
        """How many clients did not get as far as to subscribe."""
        self._empty = asyncio.Event()
        self._empty.set()
        self._next: asyncio.Handle | None = None
        if _is_taken(address):
            raise _in_use(address, option)
        self._path = Path(address.removeprefix("ipc://")) if address.startswith("ipc://") else None
        self._socket = context.socket(zmq.XPUB)
        self._socket.setsockopt(zmq.XPUB_NODROP, int(lossless))
        self._socket.setsockopt(zmq.SNDHWM, high_water_mark)
        self._socket.setsockopt(zmq.MAXMSGSIZE, _SUBSCRIPTION)
        self._socket.setsockopt(zmq.LINGER, round(LINGER * 1_000))
        look_after(self._socket, address, lossless)
        if keys is not None:
            self._socket.setsockopt(zmq.CURVE_SERVER, 1)
            self._socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
            self._socket.setsockopt(zmq.ZAP_DOMAIN, DOMAIN)
            # Without it, ZeroMQ lets in any key while nobody is there to ask.
            self._socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
        self._monitor = Monitor(self._socket, REFUSALS, self._refused)
        try:
            self._socket.bind(address)
            if self._path is not None:
                self._path.chmod(0o600)
        except (zmq.ZMQError, OSError) as error:
            self._monitor.close()
            self._socket.close(0)
            if error.errno == errno.EADDRINUSE:
                raise _in_use(address, option) from None
            if error.errno == errno.EADDRNOTAVAIL:
                raise QuantMindError(
                    f"zeromq: {address} is no address of this machine: run the stage on its own or correct `{option}`"
                ) from None
            raise QuantMindError(
                f"zeromq: cannot listen on {address}: {error.strerror}: correct `{option}` in the recipe"
            ) from None
        # pyzmq's own `send` looks for a route first, which costs as much again.
        self._send = super(zmq.Socket, self._socket).send
        self._descriptor = self._socket.fileno()
        self._loop.add_reader(self._descriptor, self._on_signal)

    def send(self, frame: bytes) -> None:
        """Send a frame, or keep it until there is room."""
        if len(frame) > MAX_FRAME:
            raise QuantMindError(f"zeromq: a frame may have {MAX_FRAME} bytes, has {len(frame)}: split it")
        if not self._waiting:
            try:
                self._send(frame, _NOBLOCK)
            except zmq.Again:
                self._empty.clear()
                self._waiting.append(frame)
                self._schedule(_RETRY)
            return
        self._waiting.append(frame)

    async def drained(self) -> None:
        """Wait until every frame is with ZeroMQ; does not give way when it is."""
        await self._empty.wait()

    async def close(self) -> None:
        """Hand over the last frames, for at most `LINGER` seconds, and stop listening."""
        try:
            async with asyncio.timeout(LINGER):
                await self.drained()
        except TimeoutError:
            _log.warning("zeromq: %d frames were not sent: a subscriber does not read", len(self._waiting))
        finally:
            self._loop.remove_reader(self._descriptor)
            if self._next is not None:
                self._next.cancel()
            self._waiting.clear()
            self._empty.set()
            if self._path is not None:
                # ZeroMQ leaves the file. It goes while it still listens: later it could be a successor's.
                self._path.unlink(missing_ok=True)
            self._monitor.close()
            self._socket.close()

    @property
    def waiting(self) -> int:
        """How many frames wait for a subscriber that has no room."""
        return len(self._waiting)

    def _on_signal(self) -> None:
        """Read off who subscribed (ZeroMQ acts on it by itself), and use what room there is now.

        A signal that came during a send is not repeated. Then subscriptions stay unread until the next one,
        which harms nothing, and frames that wait are tried again by time.
        """
        try:
            for _ in range(BATCH):
                self._socket.recv(_NOBLOCK)
        except zmq.Again:
            pass
        else:
            self._schedule(0)
        if self._waiting:
            self._flush()

    def _refused(self, _: int) -> None:
        self.handshake_failures += 1

    def _flush(self) -> None:
        try:
            for _ in range(min(BATCH, len(self._waiting))):
                self._send(self._waiting[0], _NOBLOCK)
                self._waiting.popleft()
        except zmq.Again:
            self._schedule(_RETRY)
            return
        if self._waiting:
            self._schedule(0)
        else:
            self._empty.set()

    def _schedule(self, delay: float) -> None:
        if self._next is not None:
            self._next.cancel()
        self._next = self._loop.call_later(delay, self._on_signal)


def _is_taken(address: str) -> bool:
    """Ask whether somebody listens on a local socket: ZeroMQ would take its path away without a word."""
    if not address.startswith("ipc://"):
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        return probe.connect_ex(address.removeprefix("ipc://")) in {0, errno.EAGAIN, errno.EINPROGRESS}


def _in_use(address: str, option: str) -> QuantMindError:
    return QuantMindError(f"zeromq: {address} is in use: stop the pipeline that listens there or change `{option}`")

"""Tells the service manager how this process stands, by the protocol of sd_notify; does nothing where there is none."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Self

_log = logging.getLogger(__name__)

_MICROSECONDS = 1_000_000


class Notifier:
    """Speaks for the main process to the socket that the service manager named; nothing it meets is raised."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        main = environ.get("WATCHDOG_PID", "")
        address = environ.get("NOTIFY_SOCKET", "")
        self._pid = os.getpid()
        # What a service starts itself inherits the variables, and must not speak for it.
        mine = main in ("", str(self._pid))
        self._address = ("\0" + address[1:] if address.startswith("@") else address) if mine else ""
        self._status = ""
        self._lost = False
        self.interval = _interval(environ.get("WATCHDOG_USEC", "")) if self._address else None
        """Seconds between two beats of the watchdog: half of what it bears; None when there is none."""

    def ready(self) -> None:
        """Say that everything is open and the work begins."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """Say in one line how things stand; what was said last is not said again."""
        text = " ".join(text.split())
        if text != self._status:
            self._status = text
            self._send(f"STATUS={text}")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._send("STOPPING=1")

    def watchdog(self) -> None:
        """Say that the work goes on."""
        self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address or os.getpid() != self._pid:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
                # A manager that does not read must not hold up the event loop.
                client.setblocking(False)
                client.sendto(message.encode(errors="replace"), self._address)
        except (OSError, ValueError) as error:
            if not self._lost:
                self._lost = True
                _log.warning("the service manager could not be told %s: %s", message.partition("=")[0], error)


class Watchdog:
    """Feeds the watchdog while events make progress; as a context manager, for as long as it is entered.

    `progress` returns how many events were handled so far, and how many wait. A loop that is frozen feeds nothing by
    itself; one that runs beside a stuck stage is told by events that wait while none is handled.
    """

    def __init__(self, notifier: Notifier, progress: Callable[[], tuple[int, int]]) -> None:
        self._notifier = notifier
        self._progress = progress
        self._handled = -1
        self._stuck = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to feed."""
        if self._notifier.interval is not None:
            self._task = asyncio.create_task(self.run(self._notifier.interval))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Feed no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def run(self, interval: float) -> None:
        """Look every interval, in seconds, without end."""
        while True:
            self.beat()
            await asyncio.sleep(interval)

    def beat(self) -> None:
        """Feed the watchdog, if nothing waits or some event was handled since the last beat."""
        handled, waiting = self._progress()
        stuck = waiting > 0 and handled == self._handled
        self._handled = handled
        if not stuck:
            self._notifier.watchdog()
        if stuck and not self._stuck:
            _log.error("the watchdog is not fed: %d events wait, and none was handled after %d", waiting, handled)
        elif self._stuck and not stuck:
            _log.warning("the watchdog is fed again: events are handled")
        self._stuck = stuck


@contextlib.asynccontextmanager
async def attended(progress: Callable[[], tuple[int, int]]) -> AsyncIterator[Notifier]:
    """Say that the work begins, feed the watchdog for as long as the context lasts, and say that the end has begun."""
    notifier = Notifier()
    async with Watchdog(notifier, progress):
        notifier.ready()
        notifier.status("ready")
        try:
            yield notifier
        finally:
            notifier.stopping()


def _interval(microseconds: str) -> float | None:
    try:
        interval = int(microseconds) / 2 / _MICROSECONDS
    except ValueError:
        return None
    return interval if interval > 0 else None

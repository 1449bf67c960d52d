"""Timers: what the venue does when its clock says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quantmind_venue.clock import Clock

_MS = 1_000_000


class Timers:
    """Calls that are due at a time of the venue's clock (ms).

    Whoever has the time shows it by `check`; once `start` was called the clock itself wakes them, too.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[Hashable, tuple[int, Callable[[], None]]] = {}
        self._next = 1 << 62
        self._tasks: set[asyncio.Task[None]] = set()
        self._started = False

    def at(self, name: Hashable, due: int, call: Callable[[], None]) -> None:
        """Call something at a time, instead of what was to be called by that name."""
        self._due[name] = due, call
        self._next = min(self._next, due)
        if self._started:
            self._wake(due)

    def cancel(self, name: Hashable) -> None:
        """Forget a call."""
        self._due.pop(name, None)

    def check(self, now: int) -> None:
        """Make the calls that are due."""
        if now < self._next:
            return
        while True:
            due = [(at, name) for name, (at, _) in self._due.items() if at <= now]
            if not due:
                break
            name = min(due, key=lambda found: found[0])[1]
            self._due.pop(name)[1]()
        self._next = min((at for at, _ in self._due.values()), default=1 << 62)

    def start(self) -> None:
        """Let the clock wake the timers; a running loop is needed."""
        self._started = True
        for due, _ in self._due.values():
            self._wake(due)

    def _wake(self, due: int) -> None:
        if self._clock.pace == "max":
            # Waiting would move that clock: there the market's events tell the time.
            return
        task = asyncio.get_running_loop().create_task(self._sleep(due))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sleep(self, due: int) -> None:
        while self._clock.now() < due:
            await self._clock.until(due * _MS - self._clock.shift)
            await asyncio.sleep(0.0002)
        self.check(self._clock.now())

    async def stop(self) -> None:
        """Wake no more."""
        self._started = False
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

"""The player: lets the market happen in time, and what the venue does by the clock between it."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterator

from quantmind_venue.clock import Clock
from quantmind_venue.sources.source import Happening
from quantmind_venue.streaming.hub import Hub

_BATCH = 64
"""Happenings after which requests have their turn."""

_UNREAD = 1 << 18
"""Bytes that a client may leave unread before a market at speed `max` waits for it."""

_NEVER = 2**63 - 1

Timer = Callable[[int], None]
"""Called with the time (ms)."""


class Player:
    """Runs happenings and timers in order of their time; timers come after what happens in the same ms."""

    def __init__(self, clock: Clock, hub: Hub) -> None:
        self._clock = clock
        self._hub = hub
        self._timers: list[tuple[int, int, int, Timer]] = []
        self._once: list[tuple[int, int, Callable[[], None]]] = []
        self._number = 0
        self.begin = asyncio.Event()
        """Set when the market may begin."""
        self.ended = asyncio.Event()
        """Set when the market has nothing more to say."""

    def every(self, interval: int, timer: Timer) -> None:
        """Call it at every whole multiple of an interval (ms)."""
        self._number += 1
        self._timers.append((0, self._number, interval, timer))

    def at(self, due: int, call: Callable[[], None]) -> None:
        """Call it once, when it is due (ns)."""
        self._number += 1
        heapq.heappush(self._once, (due, self._number, call))

    async def run(self, play: Callable[[int], Iterator[Happening]]) -> None:
        """Let it happen, until somebody cancels it."""
        await self.begin.wait()
        clock = self._clock
        start = clock.ns()
        happenings = play(start)
        timers = [
            ((start // 1_000_000 // interval + 1) * interval * 1_000_000 + 999_999, number, interval, timer)
            for _, number, interval, timer in self._timers
        ]
        heapq.heapify(timers)
        upcoming = next(happenings, None)
        done = 0
        while True:
            if upcoming is None and not self.ended.is_set():
                self.ended.set()
                if clock.pace == "max":
                    return
            due = min(
                upcoming[0] if upcoming is not None else _NEVER,
                timers[0][0],
                self._once[0][0] if self._once else _NEVER,
            )
            if due > clock.ns():
                await clock.lead(due)
                if not isinstance(clock.pace, str):
                    done = 0
            if done >= _BATCH:
                await self._breathe()
                done = 0
            done += 1
            if upcoming is not None and upcoming[0] == due:
                upcoming[1]()
                upcoming = next(happenings, None)
            elif self._once and self._once[0][0] == due:
                heapq.heappop(self._once)[2]()
            elif timers[0][0] == due:
                _, number, interval, timer = timers[0]
                timer(due // 1_000_000)
                heapq.heapreplace(timers, (due + interval * 1_000_000, number, interval, timer))

    async def _breathe(self) -> None:
        await asyncio.sleep(0)
        # A transport tells nobody that it was read.
        while self._clock.pace == "max" and any(each.unsent > _UNREAD for each in self._hub.connections.values()):  # noqa: ASYNC110
            await asyncio.sleep(0.001)

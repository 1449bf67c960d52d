"""The venue's time: the wall clock, a multiple of it, as fast as the market goes, or as told."""

from __future__ import annotations

import asyncio
import heapq
import time
from typing import Literal

Pace = float | Literal["max", "virtual"]
"""How many times real time the venue runs; `max` is as fast as its clients read; `virtual` goes on when told."""

_SOON = 1_000_000
"""What is due in less than this (ns) is due now: a timer of the event loop is no finer."""


class Clock:
    """Tells the venue's time, and lets wait for it.

    `shift` (ns) is added to what clients are told and judged by: a clock that was set, not a market that jumped.
    """

    def __init__(self, start: int | None, pace: Pace) -> None:
        self.pace = pace
        self.shift = 0
        self.start = time.time_ns() if start is None else start
        self._began = time.monotonic_ns()
        self._now = self.start
        self._target = self.start
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._number = 0
        self._moved = asyncio.Event()
        self._still = asyncio.Event()

    def ns(self) -> int:
        """Return the market's time (ns)."""
        if isinstance(self.pace, str):
            return self._now
        return self.start + int((time.monotonic_ns() - self._began) * self.pace)

    def now(self) -> int:
        """Return the time that clients are told (ms)."""
        return (self.ns() + self.shift) // 1_000_000

    def accepts(self, timestamp: int, window: int) -> Literal["yes", "early", "late"]:
        """Judge the timestamp (ms) of a signed request by the venue's time.

        Where that does not keep pace with the clients', one by their wall clock is good, too.
        """
        times = [self.now()]
        if self.pace != 1:
            times.append((time.time_ns() + self.shift) // 1_000_000)
        if any(timestamp < now + 1000 and now - timestamp <= window for now in times):
            return "yes"
        return "early" if timestamp >= times[0] + 1000 else "late"

    async def until(self, due: int) -> None:
        """Wait until it is `due` (ns)."""
        if isinstance(self.pace, str):
            if due > self._now:
                waiting = asyncio.get_running_loop().create_future()
                self._number += 1
                heapq.heappush(self._waiting, (due, self._number, waiting))
                await waiting
        else:
            await self._sleep(due)

    async def lead(self, due: int) -> None:
        """Wait until it is `due` (ns), as the market does: a clock that does not go by itself follows it."""
        if self.pace == "virtual":
            while due > self._target:
                self._set(self._target)
                self._still.set()
                self._moved.clear()
                await self._moved.wait()
        if isinstance(self.pace, str):
            self._set(max(self._now, due))
        else:
            await self._sleep(due)

    async def _sleep(self, due: int) -> None:
        assert not isinstance(self.pace, str)  # noqa: S101 - the callers saw it
        left = (due - self.ns()) / self.pace
        if left > _SOON:
            await asyncio.sleep(left / 1e9)

    def _set(self, now: int) -> None:
        self._now = now
        while self._waiting and self._waiting[0][0] <= now:
            waiting = heapq.heappop(self._waiting)[2]
            if not waiting.done():
                waiting.set_result(None)

    async def advance(self, ns: int) -> None:
        """Let a virtual clock go on, and return when all that was due is done.

        Raises:
            ValueError: the clock goes by itself, or this would be backwards.
        """
        if self.pace != "virtual":
            raise ValueError(f"the clock goes by itself (speed {self.pace}): start the venue with speed virtual")
        if ns < 0:
            raise ValueError(f"a clock goes forward, was {ns}")
        self._target += ns
        self._still.clear()
        self._moved.set()
        await self._still.wait()

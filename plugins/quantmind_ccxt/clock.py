"""The clock: how far the venue's is ahead of ours."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

EVERY = 60.0
"""Seconds between two samples."""

_RETRY = 5.0
_log = logging.getLogger(__name__)


class VenueClock:
    """Samples the venue's clock; an answer's time is taken to be that of half its way."""

    def __init__(self, fetch: Callable[[], Awaitable[int | None]], tolerance: int = 0) -> None:
        self.offset = 0
        """ns that the venue's clock is ahead of ours, by the last sample."""
        self.sampled = False
        self._fetch = fetch
        self._tolerance = tolerance
        self._doubt = 0

    @property
    def now(self) -> int:
        """The venue's time (ns), as well as it is known."""
        return time.time_ns() + self.offset

    async def sample(self) -> None:
        """Ask the venue for the time (ms)."""
        wall, began = time.time_ns(), time.monotonic_ns()
        told = await self._fetch()
        took = time.monotonic_ns() - began
        if told is not None:
            self.offset = told * 1_000_000 - (wall + took // 2)
            self._doubt = took // 2
            self.sampled = True

    async def run(self) -> None:
        """Sample for ever."""
        while True:
            try:
                await self.sample()
                pause = EVERY
            except Exception as error:  # noqa: BLE001 - ccxt raises many kinds, and the last sample stands
                _log.warning("ccxt: the venue's time cannot be had: %s", error)
                pause = _RETRY
            await asyncio.sleep(pause)

    @property
    def ailment(self) -> str:
        """What is wrong with it: empty while the clocks agree, whatever the answer's way may hide."""
        if abs(self.offset) - self._doubt <= self._tolerance:
            return ""
        side = "behind" if self.offset > 0 else "ahead of"
        return f"this machine's clock is {abs(self.offset) / 1e9:.3f} s {side} the venue's: set it by NTP"

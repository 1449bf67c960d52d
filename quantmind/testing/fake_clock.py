"""A clock that goes on when it is told to, for what takes a clock."""

from __future__ import annotations

import asyncio

from quantmind.testing.proving.walk import START


class FakeClock:
    """Stands still at `start` (ns UTC) until it is advanced; its methods stand in for those of `time` and `asyncio`.

    clock = FakeClock()
    watch = Watch(now=clock.time_ns)
    clock.advance(5_000_000_000)
    assert watch.late
    """

    def __init__(self, start: int = START) -> None:
        self._start = self._now = start

    def advance(self, ns: int) -> None:
        """Let so many ns pass.

        Raises:
            ValueError: it would go back.
        """
        if ns < 0:
            raise ValueError(f"a clock goes forward, was {ns}")
        self._now += ns

    def time_ns(self) -> int:
        """Return the time, ns UTC."""
        return self._now

    def time(self) -> float:
        """Return the time in seconds, UTC."""
        return self._now / 1e9

    def monotonic_ns(self) -> int:
        """Return the ns since it was made."""
        return self._now - self._start

    def monotonic(self) -> float:
        """Return the seconds since it was made."""
        return (self._now - self._start) / 1e9

    async def sleep(self, seconds: float) -> None:
        """Let this time pass at once; others may run meanwhile."""
        self._now += round(max(seconds, 0.0) * 1e9)
        await asyncio.sleep(0)

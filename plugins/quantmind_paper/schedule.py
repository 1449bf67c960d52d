"""The schedule of a made-up market: when the next quote, trade, mark price and funding rate are due."""

from __future__ import annotations

from collections.abc import Sequence


class Schedule:
    """Times of the kinds of events, each at its interval from the start; of funding at whole multiples of its own."""

    def __init__(self, start: int, intervals: Sequence[int], funding_interval: int) -> None:
        self._intervals = [*intervals, funding_interval]
        self._next = [*([start] * len(intervals)), (start // funding_interval + 1) * funding_interval]
        self.due = min(self._next)
        """When something is due next."""

    def take(self) -> list[int]:
        """Return the kinds that are due next, in their order, and go on to what follows."""
        due, times = self.due, self._next
        kinds = [kind for kind, time in enumerate(times) if time == due]
        for kind in kinds:
            times[kind] += self._intervals[kind]
        self.due = min(times)
        return kinds

    def skip(self, now: int) -> None:
        """Leave out what is due before `now`, except funding: what is settled is settled, however late."""
        for kind, time in enumerate(self._next[:-1]):
            if time < now:
                self._next[kind] += -(-(now - time) // self._intervals[kind]) * self._intervals[kind]
        self.due = min(self._next)

"""When a stage that has ended is started again: ever later, not for ever, and not after a mistake of its user."""

from __future__ import annotations

import random
from collections import deque

FINAL = frozenset({2, 78})
"""Exit codes of wrong usage and of a recipe that cannot be run: starting again would not help."""

FIRST = 0.5
"""Seconds before the first restart; each one after it waits twice as long."""
LONGEST = 30.0
MOST = 10
"""Restarts within `WINDOW` seconds at the most."""
WINDOW = 300.0


class Restarts:
    """Counts the restarts of one stage."""

    def __init__(self) -> None:
        self._ended: deque[float] = deque()

    def delay(self, now: float) -> float | None:
        """Return how long to wait, in seconds, before a stage that ended at `now` is started again; None for never.

        A tenth is added or taken at random, so that stages which fell together do not get up together.
        """
        while self._ended and now - self._ended[0] > WINDOW:
            self._ended.popleft()
        if len(self._ended) >= MOST:
            return None
        self._ended.append(now)
        delay: float = min(LONGEST, FIRST * 2.0 ** (len(self._ended) - 1))
        return delay * random.uniform(0.9, 1.1)  # noqa: S311 - nothing secret

"""The returns of an instrument's last bars."""

from __future__ import annotations

from collections import deque

from quantmind.events import Bar, Market
from quantmind.risk.moments import moments


class Returns:
    """A window of returns from close to close of bars that follow each other; a gap gives no return."""

    def __init__(self, symbol: str, interval: int, window: int) -> None:
        self.values: deque[float] = deque(maxlen=window)
        self._symbol = symbol
        self._interval = interval
        self._last: Bar | None = None
        self._moments: tuple[float, float] | None = None

    def note(self, event: Market) -> None:
        """Take the next bar; any other event is left aside."""
        if not isinstance(event, Bar) or event.interval != self._interval or event.symbol != self._symbol:
            return
        last = self._last
        if last is not None and event.ts <= last.ts:
            return
        self._last = event
        if last is not None and event.ts == last.ts + self._interval and last.close > 0.0:
            self.values.append(event.close / last.close - 1.0)
            self._moments = None

    @property
    def moments(self) -> tuple[float, float] | None:
        """Their mean and variance; None until the window is full."""
        if self._moments is None and len(self.values) == self.values.maxlen:
            self._moments = moments(self.values)
        return self._moments

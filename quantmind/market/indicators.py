"""Streaming indicators: one price in, one value out, `None` until the first value exists.

All agree with TA-Lib to 1e-12 of the price. Every mean is taken around a price of its own window, so
that a flat market has exactly that price as its average: two averages of it never cross by a rounding.
"""

from __future__ import annotations

import math
from collections import deque

_FLAT = 1e-16
"""The average movement, as a part of the price, below which no float shows it."""


def _checked(owner: str, name: str, count: int) -> int:
    if count < 1:
        raise ValueError(f"{owner}.{name}: must be at least 1, was {count}")
    return count


def _mean(values: list[float]) -> float:
    first = values[0]
    return first + math.fsum([value - first for value in values]) / len(values)


class SMA:
    """Simple moving average, in the unit of x: (x[0] + ... + x[n-1]) / n; first value at index n-1.

    n is the `period`, a number of values; `value` is the last average, None before the first. The running sum carries
    its own rounding error along (the two-sum of Knuth, The Art of Computer Programming, volume 2, 3rd ed. 1997, 4.2.2,
    theorem B), so it stays exact while the prices are within 2**52 / n of each other, at the same cost for any period.

    Raises:
        ValueError: the period is below 1.
    """

    __slots__ = ("_period", "_rest", "_total", "_window", "value")

    def __init__(self, period: int) -> None:
        self._period = _checked("SMA", "period", period)
        self._window: deque[float] = deque()
        self._total = 0.0
        self._rest = 0.0
        self.value: float | None = None

    def update(self, x: float) -> float | None:
        """Take the next x and return the average."""
        window = self._window
        window.append(x)
        total = self._total
        grown = total + x
        part = grown - total
        rest = self._rest + ((total - (grown - part)) + (x - part))
        if len(window) > self._period:
            old = -window.popleft()
            shrunk = grown + old
            part = shrunk - grown
            rest += (grown - (shrunk - part)) + (old - part)
            grown = shrunk
        self._total = total = grown + rest
        self._rest = rest - (total - grown)
        if len(window) == self._period:
            self.value = x + (total - self._period * x) / self._period
        return self.value


class EMA:
    """Exponential moving average, in the unit of x: e += (x - e) * 2 / (n + 1); first value at index n-1.

    n is the `period`, a number of values; `value` is the last average, None before the first. The seed is the simple
    average of the first n, as in TA-Lib.

    Raises:
        ValueError: the period is below 1.
    """

    __slots__ = ("_factor", "_first", "_period", "value")

    def __init__(self, period: int) -> None:
        self._period = _checked("EMA", "period", period)
        self._factor = 2.0 / (period + 1)
        self._first: list[float] = []
        self.value: float | None = None

    def update(self, x: float) -> float | None:
        """Take the next x and return the average."""
        value = self.value
        if value is not None:
            self.value = value = value + (x - value) * self._factor
            return value
        first = self._first
        first.append(x)
        if len(first) == self._period:
            self.value = _mean(first)
            self._first = []
        return self.value


class RSI:
    """Relative strength index, 0 to 100: 100 * gain / (gain + loss) of Wilder's averages; first at index n.

    Wilder, New Concepts in Technical Trading Systems (1978): the first averages are the means of the first n
    gains and losses, then a += (new - a) / n. While both averages are too small for a float of the price to
    show, it is 50: the market never moved, or stopped long ago (TA-Lib says 0, others NaN). n is the `period`, a number
    of changes; `value` is the last index, None before the first.

    Raises:
        ValueError: the period is below 1.
    """

    __slots__ = ("_changes", "_gain", "_last", "_loss", "_period", "value")

    def __init__(self, period: int) -> None:
        self._period = _checked("RSI", "period", period)
        self._changes: list[float] = []
        self._last: float | None = None
        self._gain = 0.0
        self._loss = 0.0
        self.value: float | None = None

    def update(self, x: float) -> float | None:
        """Take the next x and return the index."""
        if self._last is None:
            self._last = x
            return None
        change = x - self._last
        self._last = x
        period = self._period
        if self.value is None:
            changes = self._changes
            changes.append(change)
            if len(changes) < period:
                return None
            self._gain = math.fsum([max(each, 0.0) for each in changes]) / period
            self._loss = math.fsum([max(-each, 0.0) for each in changes]) / period
            self._changes = []
        elif change > 0.0:
            self._gain = (self._gain * (period - 1) + change) / period
            self._loss = self._loss * (period - 1) / period
        else:
            self._gain = self._gain * (period - 1) / period
            self._loss = (self._loss * (period - 1) - change) / period
        moved = self._gain + self._loss
        self.value = value = 50.0 if moved <= _FLAT * abs(x) else 100.0 * (self._gain / moved)
        return value


class ATR:
    """Average true range, in the unit of the prices, smoothed as Wilder does; first value at index n.

    Wilder, New Concepts in Technical Trading Systems (1978): the true range is max(high - low, |high - close before|,
    |low - close before|), and a += (range - a) / n. As in TA-Lib the first bar, which has no close before it, is left
    out; the first value is the mean of the n ranges after it. n is the `period`, a number of bars; `value` is the last
    average, None before the first.

    Raises:
        ValueError: the period is below 1.
    """

    __slots__ = ("_close", "_period", "_ranges", "value")

    def __init__(self, period: int) -> None:
        self._period = _checked("ATR", "period", period)
        self._ranges: list[float] = []
        self._close: float | None = None
        self.value: float | None = None

    def update(self, high: float, low: float, close: float) -> float | None:
        """Take the next bar and return the average range."""
        before = self._close
        self._close = close
        if before is None:
            return None
        true_range = max(high, before) - min(low, before)
        value = self.value
        if value is not None:
            self.value = value = (value * (self._period - 1) + true_range) / self._period
            return value
        ranges = self._ranges
        ranges.append(true_range)
        if len(ranges) == self._period:
            self.value = _mean(ranges)
            self._ranges = []
        return self.value


class Bollinger:
    """Bollinger bands: middle = SMA(n), upper and lower = middle +- width * deviation; first at index n-1.

    Bollinger, Bollinger on Bollinger Bands (2001): the `deviation` is the population's, sqrt(sum((x - middle)**2) / n),
    as https://www.bollingerbands.com/bollinger-bands says too. It is summed anew around the last price on each update:
    a running sum of squares would lose what a calm window is made of. n is the `window`, a number of values. `middle`
    (`value` is the same), `upper`, `lower` and `deviation` are the last ones, in the unit of x, None before the first.

    Raises:
        ValueError: the window is below 1, or the width not a number above 0.
    """

    __slots__ = ("_width", "_window", "_xs", "deviation", "lower", "middle", "upper", "value")

    def __init__(self, window: int, width: float) -> None:
        self._window = _checked("Bollinger", "window", window)
        if not 0.0 < width < math.inf:
            raise ValueError(f"Bollinger.width: must be a number above 0, was {width}")
        self._width = width
        self._xs: deque[float] = deque(maxlen=window)
        self.value: float | None = None
        self.middle: float | None = None
        self.upper: float | None = None
        self.lower: float | None = None
        self.deviation: float | None = None

    def update(self, x: float) -> float | None:
        """Take the next x and return the middle."""
        xs = self._xs
        xs.append(x)
        window = self._window
        if len(xs) < window:
            return None
        apart = [each - x for each in xs]
        shift = math.fsum(apart) / window
        # The last price is one of the window, so shift**2 is at most n times the variance: little cancels.
        variance = math.fsum([each * each for each in apart]) / window - shift * shift
        self.deviation = deviation = math.sqrt(max(variance, 0.0))
        self.value = self.middle = middle = x + shift
        self.upper = middle + self._width * deviation
        self.lower = middle - self._width * deviation
        return middle

"""Moments of returns: their mean, their variance, and the volatility of a year."""

from __future__ import annotations

import math
from collections.abc import Sequence

_YEAR = 365 * 86_400_000_000_000
"""Crypto trades every day of the year."""


def moments(returns: Sequence[float]) -> tuple[float, float]:
    """Return mean = sum(r) / n and sample variance = sum((r - mean)**2) / (n - 1), by definition.

    The returns are parts of the price before, at least two of them, in any order; so is the mean.

    Raises:
        ValueError: there are fewer.
    """
    n = len(returns)
    if n < 2:
        raise ValueError(f"returns: must be at least 2, was {n}")
    mean = math.fsum(returns) / n
    return mean, math.fsum([(each - mean) ** 2 for each in returns]) / (n - 1)


def annual_volatility(variance: float, interval: int) -> float:
    """Return the volatility of a year from the variance per bar of `interval` ns: sqrt(variance * bars in 365 d).

    By the square root of time, as in Hull, Options, Futures, and Other Derivatives (10th ed. 2018), 15.4; but the year
    has all its days, as crypto is traded. The result is a part of the price: 0.8 is 80 %.
    """
    return math.sqrt(variance * (_YEAR / interval))

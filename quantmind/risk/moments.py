"""Moments of returns: their mean, their variance, and the volatility of a year."""

from __future__ import annotations

import math
from collections.abc import Sequence

_YEAR = 365 * 86_400_000_000_000
"""Crypto trades every day of the year."""


def moments(returns: Sequence[float]) -> tuple[float, float]:
    """Return the mean and the sample variance (n - 1) of at least two returns.

    Raises:
        ValueError: there are fewer.
    """
    n = len(returns)
    if n < 2:
        raise ValueError(f"returns: must be at least 2, was {n}")
    mean = math.fsum(returns) / n
    return mean, math.fsum([(each - mean) ** 2 for each in returns]) / (n - 1)


def annual_volatility(variance: float, interval: int) -> float:
    """Return the volatility of a year from the variance per bar of `interval` ns: sqrt(variance * bars in 365 d)."""
    return math.sqrt(variance * (_YEAR / interval))

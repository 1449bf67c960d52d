"""The Beta distribution: what n trials say about a rate."""

from __future__ import annotations

import math

_TINY = 1e-300
_ENOUGH = 3e-16
_STEPS = 100_000


def cumulative(x: float, a: float, b: float) -> float:
    """Return P(X <= x) of Beta(a, b): the regularised incomplete beta function I_x(a, b).

    By its continued fraction, d_2m = m (b - m) x / ((a + 2m - 1) (a + 2m)) and d_2m+1 = -(a + m) (a + b + m) x / ((a +
    2m) (a + 2m + 1)), in Lentz's form (Press et al., Numerical Recipes, 3rd ed. 2007, 6.4; NIST Digital Library of
    Mathematical Functions, https://dlmf.nist.gov/8.17#v), on the side of the mean where it converges fast. x and the
    probability are in [0, 1].

    Raises:
        ValueError: a or b is not above 0.
        ArithmeticError: it does not converge in 100,000 steps.
    """
    if not (a > 0.0 and b > 0.0):
        raise ValueError(f"Beta({a}, {b}): both figures must be above 0")
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    scale = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return scale * _fraction(x, a, b) / a
    return 1.0 - scale * _fraction(1.0 - x, b, a) / b


def quantile(p: float, a: float, b: float) -> float:
    """Return the x that Beta(a, b) stays at or below with probability p: `cumulative(x, a, b) = p`, by bisection.

    The source is that of `cumulative`, https://dlmf.nist.gov/8.17.

    Raises:
        ValueError: p is not between 0 and 1, or a or b is not above 0.
        ArithmeticError: as for `cumulative`.
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"the probability of a quantile must be between 0 and 1, was {p}")
    if p in {0.0, 1.0}:
        return p
    low, high = 0.0, 1.0
    while True:
        middle = (low + high) / 2.0
        if not low < middle < high or high - low <= 1e-15 * middle:
            return middle
        if cumulative(middle, a, b) < p:
            low = middle
        else:
            high = middle


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of I_x(a, b).

    Raises:
        ArithmeticError: it does not converge.
    """
    c = 1.0
    d = 1.0 / _not_zero(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        d = 1.0 / _not_zero(1.0 + even * d)
        c = _not_zero(1.0 + even / c)
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        d = 1.0 / _not_zero(1.0 + odd * d)
        c = _not_zero(1.0 + odd / c)
        value *= d * c
        if abs(d * c - 1.0) <= _ENOUGH:
            return value
    raise ArithmeticError(f"Beta({a}, {b}) does not converge at {x}")


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY

"""Rounding of what refusals say, so that a figure never reads as if it kept the limit that it broke."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Context, Decimal

DOWN = Context(prec=28, rounding=ROUND_DOWN)
"""What is left below a limit must not grow by rounding."""

_PLACES = Decimal("0.0001")


def above(value: Decimal) -> str:
    """Write a figure that is above its limit, rounded up to four decimals."""
    return _plain(value.quantize(_PLACES, ROUND_CEILING))


def reached(value: Decimal, limit: Decimal) -> str:
    """Write a figure that is at least its limit, rounded down to four decimals, or to the limit's own."""
    return _plain(value.quantize(_finer(limit), ROUND_FLOOR))


def below(value: Decimal) -> str:
    """Write a figure that is below its limit, rounded down to four decimals."""
    return _plain(value.quantize(_PLACES, ROUND_FLOOR))


def _finer(limit: Decimal) -> Decimal:
    exponent = limit.as_tuple().exponent
    return min(_PLACES, Decimal(1).scaleb(exponent)) if isinstance(exponent, int) else _PLACES


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}" if value else "0"

"""Figures as the venue writes them: plain decimals in strings, never an exponent."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

ZERO = Decimal(0)
_CENT = Decimal("1E-8")


def plain(figure: Decimal) -> str:
    """Write a figure with the digits it has."""
    return f"{figure:f}"


def money(amount: Decimal) -> str:
    """Write an amount with eight places, or with all it has: amounts are never rounded, so that their sum is theirs."""
    shown = amount.quantize(_CENT, ROUND_HALF_EVEN)
    if shown == amount:
        return f"{shown:f}" if shown else "0.00000000"
    return f"{amount.normalize():f}"


def rounded(amount: Decimal) -> str:
    """Write a figure that was divided, with eight places."""
    shown = amount.quantize(_CENT, ROUND_HALF_EVEN)
    return f"{shown:f}" if shown else "0.00000000"

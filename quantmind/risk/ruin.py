"""Ruin: how likely a loss is at a given part of the Kelly fraction."""

from __future__ import annotations

from decimal import Decimal

from quantmind.risk.ranges import INSIDE, POSITIVE

_ONE = Decimal(1)


def ruin(fraction: Decimal, drawdown: Decimal) -> Decimal:
    """Return the probability of ever losing a part d of the present equity: (1 - d) ** (2 / f - 1).

    f is the part of the full Kelly fraction that is held, rebalanced all the time and for ever. Wealth is then a
    geometric Brownian motion whose logarithm has the drift (f - f**2 / 2) s**2 and the variance f**2 s**2 per
    unit of time, s being the Sharpe ratio; P(ever at ln(1 - d)) = exp(2 * drift * ln(1 - d) / variance), in which
    s cancels (Thorp, The Kelly Criterion in Blackjack, Sports Betting and the Stock Market, 2006, section 7). At
    twice Kelly and beyond there is no growth, and it is certain. A drawdown from later peaks comes with certainty
    at every f: this is about the equity of today.

    Raises:
        ValueError: the fraction is not above 0, or the drawdown not above 0 and below 1.
    """
    POSITIVE.check("fraction", fraction)
    INSIDE.check("drawdown", drawdown)
    if fraction >= 2:
        return _ONE
    return (_ONE - drawdown) ** (2 / fraction - 1)

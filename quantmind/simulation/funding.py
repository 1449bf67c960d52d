"""Funding: what longs and shorts pay each other."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from quantmind.events import Funded, FundingRate

_STEP = Decimal("1E-8")


def funded(event: FundingRate, quantity: Decimal, mark: float) -> Funded:
    """Settle funding: amount = -quantity * mark * rate, rounded half-even to 8 decimals; negative is paid.

    Binance FAQ "Introduction to Binance Futures Funding Rates". The quantity is in base currency, short is negative;
    the mark price is in quote currency, the amount in the settlement currency.
    """
    price, rate = Decimal(repr(mark)), Decimal(repr(event.rate))
    amount = (-quantity * price * rate).quantize(_STEP, ROUND_HALF_EVEN)
    return Funded(event.symbol, event.ts, f"funding-{event.symbol}-{event.ts}", rate, price, quantity, amount)

"""Funding: what longs and shorts pay each other."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from quantmind.events import Funded, FundingRate

_STEP = Decimal("1E-8")


def funded(event: FundingRate, quantity: Decimal, mark: float) -> Funded:
    """Settle funding on a signed quantity at a mark price: longs pay when the rate is positive."""
    price, rate = Decimal(repr(mark)), Decimal(repr(event.rate))
    amount = (-quantity * price * rate).quantize(_STEP, ROUND_HALF_EVEN)
    return Funded(event.symbol, event.ts, f"funding-{event.symbol}-{event.ts}", rate, price, quantity, amount)

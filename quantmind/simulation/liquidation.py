"""Liquidation: the price at which what a position is backed by falls to its maintenance margin."""

from __future__ import annotations

from decimal import Decimal

from quantmind.market.instruments import Instrument


def liquidation_price(instrument: Instrument, quantity: Decimal, cost: Decimal, backing: Decimal) -> Decimal | None:
    """Return the price at which backing + profit equals the maintenance margin; None where no price above 0 does.

    `quantity` (base currency) and `cost` are signed; `backing` is the wallet with what other positions add to it or
    need of it, both in the settlement currency; the price is in quote currency. It solves backing + quantity * p - cost
    = |quantity| * p * rate - amount in the tier that p itself falls into (Binance FAQ "How to Calculate Liquidation
    Price of USD-M Futures Contracts"). A position that is past it at every price of a tier is not found there.
    """
    size = abs(quantity)
    tiers = instrument.tiers
    for index, tier in enumerate(tiers):
        slope = quantity - size * tier.rate
        if not slope:
            continue
        price = (cost - backing - tier.amount) / slope
        notional = size * price
        above = index + 1 < len(tiers) and notional >= tiers[index + 1].floor
        if price > 0 and notional >= tier.floor and not above:
            return price
    return None

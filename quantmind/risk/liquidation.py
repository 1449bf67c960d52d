"""The liquidation price: where the margin of a position is used up."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from quantmind.events import Side
from quantmind.market.instruments import Tier
from quantmind.risk.ranges import POSITIVE

MarginMode = Literal["cross", "isolated"]
"""What backs a position: the whole wallet, or its own margin only."""

_ZERO = Decimal(0)


class Liquidation(msgspec.Struct, frozen=True):
    """A liquidation price, unrounded, and the maintenance tier that holds there."""

    price: Decimal | None
    """In quote currency. None for a long position that no price liquidates; 0 for a short one that every price does."""
    tier: Tier
    """The tier that the notional falls in at that price."""


def price_in_tier(
    side: Side,
    quantity: Decimal,
    entry: Decimal,
    margin: Decimal,
    tier: Tier,
    maintenance: Decimal = _ZERO,
    unrealised: Decimal = _ZERO,
) -> Decimal:
    """Return (WB - TMM + UPNL + cum - side * q * entry) / (q * MMR - side * q), which may be below 0.

    Binance FAQ "How to Calculate Liquidation Price of USD-M Futures Contracts", one-way mode: the price at which
    the margin balance is the maintenance margin, a margin ratio of 100 %. WB is the wallet balance (cross) or the
    margin of the position (isolated); TMM and UPNL are the maintenance margin and the unrealised profit of all
    other positions, both 0 when isolated; all of them, as cum, the tier's amount, in the settlement currency. q is the
    quantity in base currency, MMR the tier's rate; entry and the result are in quote currency.
    """
    signed = quantity if side == "buy" else -quantity
    return (margin - maintenance + unrealised + tier.amount - signed * entry) / (quantity * tier.rate - signed)


def liquidation(
    side: Side,
    quantity: Decimal,
    entry: Decimal,
    margin: Decimal,
    tiers: Sequence[Tier],
    maintenance: Decimal = _ZERO,
    unrealised: Decimal = _ZERO,
) -> Liquidation:
    """Return the liquidation price in the maintenance tier that its own notional falls in: floor <= quantity * price.

    It begins with the tier of the notional at entry. Where the price's notional falls in another tier, it is computed
    anew with that one (Binance FAQ, as for `price_in_tier`). `tiers` are in order, from the lowest floor on; `quantity`
    is in base currency, `entry` in quote currency, all other money in the settlement currency.

    Raises:
        ValueError: quantity or entry is not above 0, or there are no tiers.
    """
    POSITIVE.check("quantity", quantity)
    POSITIVE.check("entry", entry)
    if not tiers:
        raise ValueError("tiers: must be at least one")
    tier = _tier(tiers, quantity * entry)
    seen: list[Tier] = []
    prices: list[Decimal] = []
    while tier not in seen:
        price = price_in_tier(side, quantity, entry, margin, tier, maintenance, unrealised)
        seen.append(tier)
        prices.append(price)
        tier = _tier(tiers, quantity * price)
    # Tiers whose margin jumps at a floor may lead round in a circle; then the price met first is told.
    again = seen.index(tier)
    price, tier = (max if side == "buy" else min)(
        zip(prices[again:], seen[again:], strict=True), key=lambda found: found[0]
    )
    if price <= 0:
        return Liquidation(None if side == "buy" else _ZERO, tier)
    return Liquidation(price, tier)


def _tier(tiers: Sequence[Tier], notional: Decimal) -> Tier:
    found = tiers[0]
    for tier in tiers:
        if tier.floor > notional:
            break
        found = tier
    return found

"""Fees: what a venue takes of the notional of a fill."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec


class Fees(msgspec.Struct, frozen=True):
    """The parts of the notional that a `maker`, whose order was resting, and a `taker` pay: 0.0002 is 0.02 %."""

    maker: Decimal = Decimal("0.0002")
    taker: Decimal = Decimal("0.0005")


class FeeTier(msgspec.Struct, frozen=True):
    """The `fees` of an account that traded at least a `volume` (settlement currency) in the venue's period."""

    volume: Decimal
    fees: Fees


def fees_of(tiers: Iterable[FeeTier], volume: Decimal) -> Fees:
    """Return the fees of the highest tier, of tiers in any order, that a volume (settlement currency) reaches.

    Raises:
        ValueError: the volume reaches none.
    """
    reached = [tier for tier in tiers if tier.volume <= volume]
    if not reached:
        raise ValueError(f"no fee tier begins at or below a volume of {volume}")
    return max(reached, key=lambda tier: tier.volume).fees

"""Sizing rules: how much to hold at most."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from quantmind.kinds.component import Component, O
from quantmind.market.instruments import Instrument


class Sizing(msgspec.Struct, frozen=True, gc=False):
    """What a sizing rule judges by."""

    instrument: Instrument
    price: Decimal
    """The last price when the Target came."""
    equity: Decimal
    """Balance and unrealised profit of the account."""
    stop_distance: Decimal | None
    """The distance of the protective stop in price units; None without one."""


class SizingRule(Component[O]):
    """Gives the quantity it would hold at a Target of 1; the budget is the smallest of all rules."""

    kind = "sizing"

    def budget(self, sizing: Sizing) -> Decimal:
        """Return the quantity, in base currency, not yet rounded to the instrument's step."""
        raise NotImplementedError

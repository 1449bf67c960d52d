"""Sizing rules: how much to hold at most."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from quantmind.kinds.component import O
from quantmind.kinds.rule import Rule
from quantmind.market.instruments import Instrument


class Sizing(msgspec.Struct, frozen=True, gc=False):
    """What a sizing rule judges by."""

    instrument: Instrument
    """What would be held."""
    price: Decimal
    """The last price when the Target came, in quote currency."""
    equity: Decimal
    """Balance and unrealised profit of the account, in the settlement currency."""
    stop_distance: Decimal | None
    """The distance of the protective stop in quote currency; None without one."""


class SizingRule(Rule[O]):
    """Gives the quantity it would hold at a Target of 1; the budget is the smallest of all rules.

    There is one instance for each instrument.
    """

    kind = "sizing"

    def __init__(self, options: O, instrument: Instrument) -> None:
        super().__init__(options)
        self.instrument = instrument
        """What it sizes positions of."""

    def budget(self, sizing: Sizing) -> Decimal:
        """Return the quantity, in base currency, not yet rounded to the instrument's step."""
        raise NotImplementedError

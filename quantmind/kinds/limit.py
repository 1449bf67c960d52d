"""Limits: what may not be increased any further."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from quantmind.events import Side
from quantmind.kinds.component import Component, O
from quantmind.market.instruments import Instrument


class Increase(msgspec.Struct, frozen=True, gc=False):
    """The part of an order that would increase the absolute position."""

    instrument: Instrument
    side: Side
    quantity: Decimal
    price: Decimal
    """The last price of the symbol."""
    held: Decimal
    """What is held already on the increasing side, all working orders on that side included (>= 0)."""
    gross: Decimal
    """The notional of all symbols, working orders included, before this increase."""
    equity: Decimal
    """Balance and unrealised profit of the account."""


class Allowed(msgspec.Struct, frozen=True, gc=False):
    """The whole increase may pass."""


class Shrunk(msgspec.Struct, frozen=True, gc=False):
    """Only `quantity` may pass; the gate rounds it down to the step."""

    quantity: Decimal
    code: str
    figures: str


class Refused(msgspec.Struct, frozen=True, gc=False):
    """Nothing of it may pass; `figures` says which figure broke which limit."""

    code: str
    figures: str


Verdict = Allowed | Shrunk | Refused
"""What a limit answers."""

ALLOWED = Allowed()


class Limit(Component[O]):
    """Judges what increases the absolute position; never enlarges it. What reduces is never asked for."""

    kind = "limit"

    def check(self, increase: Increase) -> Verdict:
        """Allow, shrink or refuse an increase."""
        raise NotImplementedError

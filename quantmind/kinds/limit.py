"""Limits: what may not be increased any further, and when to stop."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from quantmind.events import LatchLevel, Side
from quantmind.kinds.component import O
from quantmind.kinds.rule import Rule
from quantmind.kinds.standing import Standing
from quantmind.market.instruments import Instrument


class Increase(msgspec.Struct, frozen=True, gc=False):
    """The part of an order that would increase the absolute position."""

    instrument: Instrument
    """What would be increased."""
    side: Side
    """The side of the order."""
    quantity: Decimal
    """What the order would add, in base currency, above 0."""
    price: Decimal
    """The last price of the symbol, in quote currency; a limit order's own."""
    held: Decimal
    """What is held already on the increasing side, working orders included: in base currency, at least 0."""
    gross: Decimal
    """The notional of all symbols in the settlement currency, working orders included, before this increase."""
    equity: Decimal
    """Balance and unrealised profit of the account, in the settlement currency."""
    ts: int = 0
    """The time of the decision, ns UTC."""
    priced_at: int = 0
    """The time of the last price of the symbol, ns UTC."""
    mark: Decimal | None = None
    """The last mark price, else the last price, in quote currency; None before any."""
    standing: Standing = Standing(Decimal(0), ())
    """The whole account, this increase not included."""


class Allowed(msgspec.Struct, frozen=True, gc=False):
    """The whole increase may pass."""


class Shrunk(msgspec.Struct, frozen=True, gc=False):
    """Only `quantity` (base currency) may pass; the gate rounds it down to the step.

    `code` is the limit's name, `figures` says which figure broke which limit.
    """

    quantity: Decimal
    code: str
    figures: str


class Refused(msgspec.Struct, frozen=True, gc=False):
    """Nothing of it may pass: `code` is the limit's name, `figures` says which figure broke which limit."""

    code: str
    figures: str


Verdict = Allowed | Shrunk | Refused
"""What a limit answers."""

ALLOWED = Allowed()
"""The answer of a limit that has nothing against an increase."""


class Stop(msgspec.Struct, frozen=True, gc=False):
    """Stop trading, until the latch is reset."""

    level: LatchLevel
    """What is stopped: see `LatchLevel`."""
    figures: str
    """Which figure broke which limit, in words."""


class Limit(Rule[O]):
    """Judges what increases the absolute position; never enlarges it. What reduces is never asked for.

    One instance judges all instruments. Its `name` is the code of its refusals and of its latch.
    """

    kind = "limit"

    def check(self, increase: Increase) -> Verdict:  # noqa: ARG002
        """Allow, shrink or refuse an increase."""
        return ALLOWED

    def watch(self, standing: Standing) -> Stop | None:
        """Say whether trading must stop; asked after every market event and every fill, unless its latch is set."""

    def reset(self, standing: Standing) -> None:
        """Begin anew after the operator cleared the latch: a peak is the present equity."""

"""Order events: what an executor answers, and what the venue does on its own.

Figures are exact, in Decimal: prices in quote currency, quantities in base currency, fees and other money in the
settlement currency. Times are ns UTC.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from quantmind.events.commands import Side


class Accepted(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="accepted"):
    """The venue has the `order` (our id of it), since its time `ts` (ns UTC)."""

    order: str
    ts: int


class Rejected(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="rejected"):
    """The venue refused the `order` at `ts` (ns UTC), for a `reason` in its words; nothing of it was executed."""

    order: str
    ts: int
    reason: str


class Executed(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="executed"):
    """A part of the order traded."""

    order: str
    """Our id of the order."""
    ts: int
    """The venue's time of the trade, ns UTC."""
    execution: str
    """The venue's id of the trade, unique in the account."""
    price: Decimal
    """Quote currency."""
    quantity: Decimal
    """What traded, in base currency, above 0."""
    fee: Decimal
    """What was paid for it, in the settlement currency; negative when received."""
    maker: bool = False
    """Whether the order was resting."""


class Triggered(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="triggered"):
    """A conditional `order` became, at `ts` (ns UTC), a market order that could not be filled at once."""

    order: str
    ts: int


class Amended(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="amended"):
    """A resting `order` was changed at `ts` (ns UTC); these are its figures now.

    `quantity` is in base currency, `price` and `trigger` are in quote currency, None where it has none. Of a trailing
    stop `price` is the best price it follows from.
    """

    order: str
    ts: int
    quantity: Decimal
    price: Decimal | None
    trigger: Decimal | None


class AmendRejected(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="amend_rejected"):
    """An `order` stays as it was: at `ts` (ns UTC) its change was refused, for a `reason` in the venue's words."""

    order: str
    ts: int
    reason: str


class Cancelled(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="cancelled"):
    """What was left of the `order` is withdrawn at `ts` (ns UTC); with a `reason` nobody asked for it."""

    order: str
    ts: int
    reason: str = ""


class CancelRejected(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="cancel_rejected"):
    """The cancel of an `order` came too late or found nothing, at `ts` (ns UTC); `reason` is in the venue's words."""

    order: str
    ts: int
    reason: str


class Absent(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="absent"):
    """It is proven at `ts` (ns UTC) that the venue never received the `order`."""

    order: str
    ts: int


class Liquidated(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="liquidated"):
    """The venue closed a position, or a part of it, by an order of its own."""

    symbol: str
    """The unified symbol."""
    ts: int
    """The venue's time of it, ns UTC."""
    execution: str
    """The venue's id of it, unique in the account and symbol."""
    side: Side
    """The side of the venue's order: it sells what is long."""
    price: Decimal
    """Quote currency."""
    quantity: Decimal
    """What was closed, in base currency, above 0."""
    fee: Decimal
    """The venue's fee for it, in the settlement currency."""


class Funded(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="funded"):
    """Funding was settled on a position."""

    symbol: str
    """The unified symbol."""
    ts: int
    """The time of the settlement, ns UTC."""
    execution: str
    """The venue's id of it, unique in the account and symbol."""
    rate: Decimal
    """The part of the notional that is paid: by longs when positive."""
    mark: Decimal
    """The mark price it was settled at, in quote currency."""
    quantity: Decimal
    """The position it was settled on, in base currency, short is negative."""
    amount: Decimal
    """-quantity * mark * rate, in the settlement currency: received, negative when paid."""


OrderEvent = (
    Accepted
    | Rejected
    | Executed
    | Triggered
    | Amended
    | AmendRejected
    | Cancelled
    | CancelRejected
    | Absent
    | Liquidated
    | Funded
)
"""What an executor reports, by type."""

"""Commands to an executor, the order events it answers with, and the facts the Trader makes of them.

Prices, quantities and fees are Decimal: what is ordered and booked is exact.
"""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import Literal

import msgspec

Side = Literal["buy", "sell"]


class OrderState(enum.StrEnum):
    """Where an order is in its life; `orders.py` says which step may follow which."""

    # An enum's own hash is Python code, and every step of an order asks for it several times.
    __hash__ = str.__hash__

    INTENT = "intent"
    ACCEPTED = "accepted"
    CANCELLING = "cancelling"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    NOT_PLACED = "not_placed"


class Submit(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="submit"):
    """Place a market order of `quantity` > 0."""

    order: str
    symbol: str
    side: Side
    quantity: Decimal
    reduce_only: bool
    ts: int
    after: int
    """The last market event that came in before the decision: only a later one may fill it."""


class Cancel(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="cancel"):
    """Take back what is left of an order."""

    order: str
    symbol: str
    ts: int


class Query(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="query"):
    """Ask what became of an order; it changes nothing, so the gate is not asked."""

    order: str
    symbol: str


Command = Submit | Cancel
"""What an executor is told to do, always inside an `Approved`."""


class Accepted(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="accepted"):
    """The venue has the order."""

    order: str
    ts: int


class Rejected(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="rejected"):
    """The venue refused the order; nothing of it was executed."""

    order: str
    ts: int
    reason: str


class Executed(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="executed"):
    """A part of the order traded; `execution` is the venue's trade id, unique per account."""

    order: str
    ts: int
    execution: str
    price: Decimal
    quantity: Decimal
    fee: Decimal


class Cancelled(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="cancelled"):
    """What was left of the order is withdrawn."""

    order: str
    ts: int


class CancelRejected(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="cancel_rejected"):
    """The cancel came too late or found nothing."""

    order: str
    ts: int
    reason: str


class Absent(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="absent"):
    """It is proven that the venue never received the order."""

    order: str
    ts: int


OrderEvent = Accepted | Rejected | Executed | Cancelled | CancelRejected | Absent
"""What an executor reports."""


class OrderUpdate(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="order"):
    """Fact: an order reached a state. `number` is the fact's place in the journal."""

    number: int
    order: str
    symbol: str
    side: Side
    quantity: Decimal
    filled: Decimal
    reduce_only: bool
    state: OrderState
    ts: int
    cause: str
    reason: str = ""


class Fill(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="fill"):
    """Fact: a part of an order traded, with the position it led to (signed) and its average price."""

    number: int
    id: str
    order: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    realised: Decimal
    position: Decimal
    average_price: Decimal
    ts: int
    cause: str
    execution: str


class Refusal(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="refusal"):
    """Fact: an increase, or a part of it, was not allowed; `figures` says which figure broke which limit."""

    number: int
    symbol: str
    side: Side
    quantity: Decimal
    code: str
    figures: str
    ts: int
    cause: str


Fact = OrderUpdate | Fill | Refusal
"""What the Trader tells everyone else."""


class Done(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="done"):
    """The Trader's report that market event `seq` is handled, with every fact since the last report."""

    seq: int
    facts: tuple[Fact, ...] = ()

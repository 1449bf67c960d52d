"""Commands to an executor, the order events it answers with, and the facts the Trader makes of them.

Prices, quantities and fees are Decimal: what is ordered and booked is exact.
"""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import Literal

import msgspec

Side = Literal["buy", "sell"]

OrderType = Literal["market", "limit", "stop_market", "take_profit_market", "trailing_stop_market"]
"""What an order waits for: nothing, a price or better, or a trigger that makes it a market order."""

TimeInForce = Literal["gtc", "ioc", "fok", "gtx"]
"""Until cancelled; at once or not; at once and whole or not; only as a maker (post-only)."""

TriggerBy = Literal["last", "mark"]
"""The price that triggers: the last traded one (bid and ask of quotes, the path of bars), or the mark price."""

Purpose = Literal["target", "stop", "take_profit", "flatten"]
"""Why an order is made: to reach a Target, to protect a position, or to close it by the word of a limit."""

LatchLevel = Literal["reduce", "flatten", "halt"]
"""From weak to strong: increases are refused; positions are closed as well; only the operator ends it."""


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
    """Place an order of `quantity` > 0; with `close_position` it closes what is held when it triggers.

    `price` is a limit order's. `trigger` is the price at which a stop or a take-profit becomes a market order; a
    trailing stop has a `callback` as well, the distance it follows at as a part of the price, and follows from
    `trigger` on (at once without one).
    """

    order: str
    symbol: str
    side: Side
    quantity: Decimal
    reduce_only: bool
    ts: int
    after: int
    """The last market event that came in before the decision: only a later one may fill it."""
    order_type: OrderType = "market"
    price: Decimal | None = None
    trigger: Decimal | None = None
    callback: Decimal | None = None
    time_in_force: TimeInForce = "gtc"
    close_position: bool = False
    trigger_by: TriggerBy = "last"


class Amend(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="amend"):
    """Change a resting order in place; what is None stays as it is."""

    order: str
    symbol: str
    ts: int
    quantity: Decimal | None = None
    price: Decimal | None = None
    trigger: Decimal | None = None
    after: int = 0
    """The last market event that came in before the decision: it meets the order as it was."""


class Cancel(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="cancel"):
    """Take back what is left of an order."""

    order: str
    symbol: str
    ts: int
    after: int = 0
    """The last market event that came in before the decision: it still meets the order."""


class Query(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="query"):
    """Ask what became of an order; it changes nothing, so the gate is not asked."""

    order: str
    symbol: str


Command = Submit | Amend | Cancel
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
    maker: bool = False


class Triggered(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="triggered"):
    """A conditional order has become a market order that could not be filled at once."""

    order: str
    ts: int


class Amended(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="amended"):
    """A resting order was changed; these are its figures now."""

    order: str
    ts: int
    quantity: Decimal
    price: Decimal | None
    trigger: Decimal | None


class AmendRejected(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="amend_rejected"):
    """An order stays as it was."""

    order: str
    ts: int
    reason: str


class Cancelled(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="cancelled"):
    """What was left of the order is withdrawn; with a `reason` nobody asked for it."""

    order: str
    ts: int
    reason: str = ""


class CancelRejected(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="cancel_rejected"):
    """The cancel came too late or found nothing."""

    order: str
    ts: int
    reason: str


class Absent(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="absent"):
    """It is proven that the venue never received the order."""

    order: str
    ts: int


class Liquidated(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="liquidated"):
    """The venue closed `quantity` > 0 of a position by an order of its own, on `side`."""

    symbol: str
    ts: int
    execution: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal


class Funded(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="funded"):
    """Funding was settled: `amount` = -quantity * mark * rate was received (negative: paid)."""

    symbol: str
    ts: int
    execution: str
    rate: Decimal
    mark: Decimal
    quantity: Decimal
    amount: Decimal


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
"""What an executor reports."""


class Part(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What one strategy's sub-position has of something: a signed quantity, what it realised, its fee."""

    strategy: str
    quantity: Decimal
    realised: Decimal
    fee: Decimal = Decimal(0)


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
    order_type: OrderType = "market"
    purpose: Purpose = "target"
    price: Decimal | None = None
    trigger: Decimal | None = None


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
    maker: bool = False
    parts: tuple[Part, ...] = ()


class Transfer(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="transfer"):
    """Fact: strategies passed a position to each other at the mark price, free of fees; quantities sum to 0."""

    number: int
    id: str
    symbol: str
    price: Decimal
    parts: tuple[Part, ...]
    ts: int
    cause: str


class Funding(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="funding"):
    """Fact: funding was settled on a position; `amount` was received, negative when paid.

    Each part has its sub-position's signed quantity and, as `realised`, what it received.
    """

    number: int
    id: str
    symbol: str
    rate: Decimal
    mark: Decimal
    quantity: Decimal
    amount: Decimal
    parts: tuple[Part, ...]
    ts: int
    cause: str
    execution: str


class Latch(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="latch"):
    """Fact: `name`, a limit or the operator, stops trading at a `level`, or no longer does (None)."""

    number: int
    name: str
    level: LatchLevel | None
    figures: str
    ts: int
    cause: str


class Valuation(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="valuation"):
    """Fact: the account was valued, at these (symbol, price): the marks, else the last prices."""

    number: int
    ts: int
    equity: Decimal
    prices: tuple[tuple[str, float], ...]


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


Fact = OrderUpdate | Fill | Transfer | Funding | Latch | Valuation | Refusal
"""What the Trader tells everyone else."""


class Done(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="done"):
    """The Trader's report that market event `seq` is handled, with every fact since the last report."""

    seq: int
    facts: tuple[Fact, ...] = ()

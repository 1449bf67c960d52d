"""Commands to an executor, the order events it answers with, and the facts the Trader makes of them.

What is ordered and booked is exact, in Decimal: prices in quote currency, quantities in base currency, fees and other
money in the settlement currency. Times are ns UTC.
"""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import Literal

import msgspec

Side = Literal["buy", "sell"]
"""Which way an order changes the position: up, or down."""

OrderType = Literal["market", "limit", "stop_market", "take_profit_market", "trailing_stop_market"]
"""What an order waits for: nothing, a price or better, or a trigger that makes it a market order."""

TimeInForce = Literal["gtc", "ioc", "fok", "gtx"]
"""Until cancelled; at once or not; at once and whole or not; only as a maker (post-only)."""

TriggerBy = Literal["last", "mark"]
"""The price that triggers: the last traded one (bid and ask of quotes, the path of bars), or the mark price."""

Purpose = Literal["target", "stop", "take_profit", "flatten"]
"""Why an order is made: to reach a Target, to protect a position, or to close it by the word of a limit."""

LatchLevel = Literal["reduce", "flatten", "halt"]
"""From weak to strong. `reduce` refuses what increases a position; `flatten` cancels entries and closes all positions
as well; `halt` refuses increases and cancels entries, but what is held stays with its stops. None ends by itself.
"""


class OrderState(enum.StrEnum):
    """Where an order is in its life; `Order.may_become` says which step may follow which.

    `INTENT` is on record and perhaps sent, `ACCEPTED` known to the venue, `CANCELLING` being taken back; `FILLED`,
    `CANCELLED`, `REJECTED` (by the venue) and `NOT_PLACED` (proven never to have reached it) are ends, but for news
    that was overtaken.
    """

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
    """Place an order."""

    order: str
    """Our id of it, unique in the account for ever."""
    symbol: str
    """The unified symbol."""
    side: Side
    """Buy or sell."""
    quantity: Decimal
    """How much, in base currency, above 0."""
    reduce_only: bool
    """Whether it may only take a position towards 0."""
    ts: int
    """The time of the decision, ns UTC."""
    after: int
    """The number of the last market event that came in before the decision: only a later one may fill it."""
    order_type: OrderType = "market"
    """What it waits for."""
    price: Decimal | None = None
    """A limit order's price, in quote currency; None for every other."""
    trigger: Decimal | None = None
    """The price (quote currency) that makes a stop or a take-profit a market order; a trailing stop follows from it on,
    at once without one.
    """
    callback: Decimal | None = None
    """The distance at which a trailing stop follows, as a part of the price."""
    time_in_force: TimeInForce = "gtc"
    """How long a limit order may rest."""
    close_position: bool = False
    """Whether it closes what is held when it triggers, whatever `quantity` says."""
    trigger_by: TriggerBy = "last"
    """The price that its trigger is compared with."""


class Amend(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="amend"):
    """Change a resting `order` of a `symbol` in place, decided at `ts` (ns UTC); what is None stays as it is.

    `quantity` is the whole of it in base currency, what has traded included; `price` and `trigger` are in quote
    currency.
    """

    order: str
    symbol: str
    ts: int
    quantity: Decimal | None = None
    price: Decimal | None = None
    trigger: Decimal | None = None
    after: int = 0
    """The number of the last market event that came in before the decision: it meets the order as it was."""


class Cancel(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="cancel"):
    """Take back what is left of an `order` of a `symbol`, decided at `ts` (ns UTC)."""

    order: str
    symbol: str
    ts: int
    after: int = 0
    """The number of the last market event that came in before the decision: it still meets the order."""


class Query(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="query"):
    """Ask what became of an `order` of a `symbol`; it changes nothing, so the gate is not asked."""

    order: str
    symbol: str


Command = Submit | Amend | Cancel
"""What an executor is told to do, always inside an `Approved`."""


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


class Part(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What one strategy's sub-position has of a fill, a transfer or a settlement of funding."""

    strategy: str
    """The strategy's id in the recipe."""
    quantity: Decimal
    """Signed, in base currency: its part of a fill or transfer; for funding, what it holds."""
    realised: Decimal
    """What it earned, in the settlement currency, fees apart; for funding, what it received."""
    fee: Decimal = Decimal(0)
    """Its part of the fee, in the settlement currency."""


class OrderUpdate(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="order"):
    """Fact: an order reached a state, or was changed in the same state."""

    number: int
    """The fact's number in the account's journal, from 1 on without holes."""
    order: str
    """Our id of the order."""
    symbol: str
    """The unified symbol."""
    side: Side
    """Buy or sell."""
    quantity: Decimal
    """Of the whole order, in base currency."""
    filled: Decimal
    """What of it has traded so far, in base currency."""
    reduce_only: bool
    """Whether it may only take a position towards 0."""
    state: OrderState
    """Where it is in its life now."""
    ts: int
    """The time of the decision or of the venue's answer, ns UTC."""
    cause: str
    """What led to the order: a Target's id, `stop` or `take_profit` and its level, a latch's name, or `liquidation`."""
    reason: str = ""
    """Why, in the venue's words or ours; empty where nobody said."""
    order_type: OrderType = "market"
    """What it waits for."""
    purpose: Purpose = "target"
    """Why it was made."""
    price: Decimal | None = None
    """A limit order's price, in quote currency."""
    trigger: Decimal | None = None
    """Where it triggers now, in quote currency."""


class Fill(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="fill"):
    """Fact: a part of an order traded, with the position it led to."""

    number: int
    """The fact's number in the account's journal, from 1 on without holes."""
    id: str
    """`f`, and its position: epoch, market event, and what happened since it."""
    order: str
    """Our id of the order."""
    symbol: str
    """The unified symbol."""
    side: Side
    """Buy or sell."""
    quantity: Decimal
    """What traded, in base currency, above 0."""
    price: Decimal
    """Quote currency."""
    fee: Decimal
    """What was paid, in the settlement currency; negative when received."""
    realised: Decimal
    """What the net position earned by it, in the settlement currency, fees apart."""
    position: Decimal
    """The net position after it, in base currency, short is negative."""
    average_price: Decimal
    """The average entry price of that position, in quote currency; 0 when flat."""
    ts: int
    """The venue's time of the trade, ns UTC."""
    cause: str
    """What led to the order: a Target's id, `stop` or `take_profit` and its level, a latch's name, or `liquidation`."""
    execution: str
    """The venue's id of the trade, unique in the account."""
    maker: bool = False
    """Whether the order was resting."""
    parts: tuple[Part, ...] = ()
    """What of it is whose, in no particular order; their quantities sum to the signed fill."""


class Transfer(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="transfer"):
    """Fact: strategies passed a position to each other, free of fees."""

    number: int
    """The fact's number in the account's journal, from 1 on without holes."""
    id: str
    """`x`, and its position: epoch, market event, and what happened since it."""
    symbol: str
    """The unified symbol."""
    price: Decimal
    """The mark price, else the last one, in quote currency; after a liquidation the price of that."""
    parts: tuple[Part, ...]
    """By how much each position changed, in no particular order; their quantities sum to 0."""
    ts: int
    """The time of the decision, ns UTC."""
    cause: str
    """A Target's id, `flatten`, or the id of the venue's order that liquidated."""


class Funding(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="funding"):
    """Fact: funding was settled on a position."""

    number: int
    """The fact's number in the account's journal, from 1 on without holes."""
    id: str
    """`u`, and its position: epoch, market event, and what happened since it."""
    symbol: str
    """The unified symbol."""
    rate: Decimal
    """The part of the notional that is paid: by longs when positive."""
    mark: Decimal
    """The mark price it was settled at, in quote currency."""
    quantity: Decimal
    """The net position it was settled on, in base currency, short is negative."""
    amount: Decimal
    """Received, in the settlement currency; negative when paid."""
    parts: tuple[Part, ...]
    """What each strategy holds and, as `realised`, received, in the order of the recipe; it sums to `amount`."""
    ts: int
    """The time of the settlement, ns UTC."""
    cause: str
    """The market event it came with, `epoch-seq`."""
    execution: str
    """The venue's id of it, unique in the account and symbol."""


class Latch(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="latch"):
    """Fact: a latch was set, which stops trading, or was cleared."""

    number: int
    """The fact's number in the account's journal, from 1 on without holes."""
    name: str
    """What set it: a limit's name, `halted` or `flattened` (by the operator), or `liquidated`."""
    level: LatchLevel | None
    """What it stops; None when it was cleared."""
    figures: str
    """Which figure broke which limit, or the operator's reason."""
    ts: int
    """The time of it, ns UTC."""
    cause: str
    """The last market event before it, `epoch-seq`."""


class Valuation(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="valuation"):
    """Fact: the account was valued."""

    number: int
    """The fact's number in the account's journal, from 1 on without holes."""
    ts: int
    """The time of it, ns UTC."""
    equity: Decimal
    """The wallet and all unrealised profit, in the settlement currency."""
    prices: tuple[tuple[str, float], ...]
    """The symbols and the prices (quote currency) they were valued at, in the order of the recipe: marks, else last
    prices.
    """


class Refusal(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="refusal"):
    """Fact: an increase, or a part of it, was not allowed."""

    number: int
    """The fact's number in the account's journal, from 1 on without holes."""
    symbol: str
    """The unified symbol."""
    side: Side
    """The side of the increase."""
    quantity: Decimal
    """What may not pass, in base currency."""
    code: str
    """Why, as a code: a limit's name, `stale`, `below_minimum_notional` or the like."""
    figures: str
    """Which figure broke which limit, in words."""
    ts: int
    """The time of the Target, ns UTC."""
    cause: str
    """The Target's id."""


Fact = OrderUpdate | Fill | Transfer | Funding | Latch | Valuation | Refusal
"""What the Trader tells everyone else."""


class Done(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="done"):
    """The Trader's report that the market event numbered `seq` is handled, with every fact since the last report.

    `facts` are in the order of their numbers.
    """

    seq: int
    facts: tuple[Fact, ...] = ()

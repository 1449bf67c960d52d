"""The facts that the Trader makes of commands and order events, and its report of them.

What is booked is exact, in Decimal: prices in quote currency, quantities in base currency, fees and other money in the
settlement currency. Times are ns UTC.
"""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import Literal

import msgspec

from quantmind.events.commands import OrderType, Side

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

"""Commands to an executor: what it is told to do with orders.

Figures are exact, in Decimal: prices in quote currency, quantities in base currency. Times are ns UTC.
"""

from __future__ import annotations

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

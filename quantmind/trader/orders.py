"""Orders: the state machine of one order, from the intent to the end of it."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from quantmind.events import Cancel, OrderState, OrderType, OrderUpdate, Purpose, Side, Submit, TimeInForce, TriggerBy

_ZERO = Decimal(0)
_OPEN = frozenset({OrderState.INTENT, OrderState.ACCEPTED, OrderState.CANCELLING})

_FOLLOWS: dict[OrderState, frozenset[OrderState]] = {
    OrderState.INTENT: frozenset(OrderState) - {OrderState.INTENT},
    OrderState.ACCEPTED: frozenset(
        {OrderState.CANCELLING, OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED}
    ),
    OrderState.CANCELLING: frozenset(
        {OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.NOT_PLACED}
    ),
    # A fill can overtake the news of a cancel; the position follows the fill.
    OrderState.CANCELLED: frozenset({OrderState.FILLED}),
    OrderState.FILLED: frozenset(),
    OrderState.REJECTED: frozenset(),
    # Absence can be wrong: a late acknowledgement must count.
    OrderState.NOT_PLACED: frozenset(
        {OrderState.ACCEPTED, OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED}
    ),
}


class Step(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One step in the life of an order."""

    number: int
    """The fact's number in the account's journal."""
    state: OrderState
    """Where the order is from then on."""
    seq: int
    """The number of the last market event handled before it."""
    n: int
    """What number it has among what happened since that."""
    ts: int
    """The time of it, ns UTC."""
    filled: Decimal
    """What had traded by then, in base currency."""
    reason: str = ""
    """Why, in the venue's words or ours; empty where nobody said."""
    trigger: Decimal | None = None
    """Where it triggered by then, in quote currency."""


class Order(msgspec.Struct, gc=False, array_like=True):
    """One order and what is known of it, so that its facts can be told again.

    (`epoch`, `seq`, `n`) is the position of the intent: the number of the feed's start, of the last market event
    handled, and of what happened since. `after` is the number of the last market event that had come in by then, which
    is one more than `seq` for an order that a fill of that event led to.
    """

    epoch: int
    seq: int
    n: int
    id: str
    """Our id of it, unique in the account for ever."""
    symbol: str
    """The unified symbol."""
    side: Side
    """Buy or sell."""
    quantity: Decimal
    """Of the whole order, in base currency."""
    reduce_only: bool
    """Whether it may only take a position towards 0."""
    ts: int
    """The time of the decision, ns UTC."""
    cause: str
    """What led to it: a Target's id, `stop` or `take_profit` and its level, a latch's name, or `liquidation`."""
    after: int = 0
    state: OrderState = OrderState.INTENT
    """Where it is in its life now."""
    filled: Decimal = _ZERO
    """What of it has traded, in base currency."""
    cancel_ts: int = 0
    """When it was taken back, ns UTC; 0 while it was not."""
    trail: list[Step] = []
    """Every step so far, in order."""
    executions: list[str] = []
    """The venue's ids of its trades, in order."""
    purpose: Purpose = "target"
    """Why it was made."""
    order_type: OrderType = "market"
    """What it waits for."""
    price: Decimal | None = None
    """A limit order's price, in quote currency."""
    trigger: Decimal | None = None
    """Where it triggers, in quote currency."""
    callback: Decimal | None = None
    """The distance at which a trailing stop follows, as a part of the price."""
    time_in_force: TimeInForce = "gtc"
    """How long a limit order may rest."""
    close_position: bool = False
    """Whether it closes what is held when it triggers."""
    trigger_by: TriggerBy = "last"
    """The price that its trigger is compared with."""
    deadline: int = 0
    """When an entry that waits for its price is given up, ns UTC; 0 for never."""
    distance: Decimal | None = None
    """The stop distance that its size was computed with, in quote currency."""
    cancel_after: int = 0
    """The number of the last market event that had come in when it was cancelled."""
    moving: Decimal | None = None
    """The trigger that it is being moved to, in quote currency; None when it is not."""
    moved_ts: int = 0
    """When it was moved last, ns UTC; 0 while it was not."""
    moved_after: int = 0
    """The number of the last market event that had come in when it was moved."""
    refused: Decimal | None = None
    """The trigger that the venue would not have it moved to, in quote currency; None when there is none."""
    closes: Decimal = _ZERO
    """With `close_position`, what was held (base currency) when it began to be filled; 0 before."""
    triggered: bool = False
    """Whether a stop or a take-profit has become a market order."""
    matched: int = 0
    """The number of the last market event that filled a part of it: should that come again, it has filled what it
    could.
    """

    @property
    def open(self) -> bool:
        """Whether more of it may still trade."""
        return self.state in _OPEN

    @property
    def protective(self) -> bool:
        """Whether it rests to close a position; such orders are not working ones."""
        return self.purpose in {"stop", "take_profit"}

    @property
    def acknowledged(self) -> bool:
        """Whether the venue is known to have had it."""
        return self.state is not OrderState.INTENT and any(s.state is OrderState.ACCEPTED for s in self.trail)

    @property
    def buys(self) -> bool:
        """Whether it is on the buying side."""
        return self.side == "buy"

    @property
    def remaining(self) -> Decimal:
        """The signed quantity that may still trade."""
        if self.state not in _OPEN:
            return _ZERO
        left = self.quantity - self.filled
        return left if self.side == "buy" else -left

    def may_become(self, state: OrderState) -> bool:
        """Return whether this state may follow the present one."""
        return state in _FOLLOWS[self.state]

    def submit(self) -> Submit:
        """Return the command that places it."""
        after = max(self.after, self.matched)
        if self.order_type == "market":
            return Submit(self.id, self.symbol, self.side, self.quantity, self.reduce_only, self.ts, after)
        return Submit(
            self.id,
            self.symbol,
            self.side,
            self.quantity,
            self.reduce_only,
            self.ts,
            after,
            self.order_type,
            self.price,
            self.trigger,
            self.callback,
            self.time_in_force,
            self.close_position,
            self.trigger_by,
        )

    def cancel(self) -> Cancel | None:
        """Return the command that takes it back; None while nobody has asked for that."""
        if self.state is not OrderState.CANCELLING:
            return None
        return Cancel(self.id, self.symbol, self.cancel_ts, self.cancel_after)

    def told(self, step: Step) -> OrderUpdate:
        """Return the fact of one of its steps."""
        return OrderUpdate(
            step.number,
            self.id,
            self.symbol,
            self.side,
            self.quantity,
            step.filled,
            self.reduce_only,
            step.state,
            step.ts,
            self.cause,
            step.reason,
            self.order_type,
            self.purpose,
            self.price,
            step.trigger,
        )

"""Orders: the state machine of one order, from the intent to the end of it."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from quantmind.events import OrderState, Side, Submit

_OPEN = frozenset({OrderState.INTENT, OrderState.ACCEPTED, OrderState.CANCELLING})

_FOLLOWS: dict[OrderState, frozenset[OrderState]] = {
    OrderState.INTENT: frozenset(OrderState) - {OrderState.INTENT},
    OrderState.ACCEPTED: frozenset(
        {OrderState.CANCELLING, OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED}
    ),
    OrderState.CANCELLING: frozenset({OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED}),
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
    """One step in the life of an order: the fact's number, the state, and the position it came at."""

    number: int
    state: OrderState
    seq: int
    n: int
    ts: int
    filled: Decimal
    reason: str = ""


class Order:
    """One order and what is known of it; `trail` has every step, so that its facts can be told again."""

    __slots__ = (
        "cancel_ts",
        "cause",
        "epoch",
        "executions",
        "filled",
        "id",
        "n",
        "quantity",
        "reduce_only",
        "seq",
        "side",
        "sign",
        "state",
        "symbol",
        "trail",
        "ts",
    )

    def __init__(
        self,
        id: str,
        symbol: str,
        side: Side,
        quantity: Decimal,
        reduce_only: bool,
        ts: int,
        position: tuple[int, int, int],
        cause: str,
    ) -> None:
        self.id = id
        self.symbol = symbol
        self.side = side
        self.sign = 1 if side == "buy" else -1
        self.quantity = quantity
        self.reduce_only = reduce_only
        self.ts = ts
        self.epoch, self.seq, self.n = position
        self.cause = cause
        self.state = OrderState.INTENT
        self.filled = Decimal(0)
        self.cancel_ts = 0
        self.executions: set[str] = set()
        self.trail: list[Step] = []

    @property
    def open(self) -> bool:
        """Whether more of it may still trade."""
        return self.state in _OPEN

    @property
    def remaining(self) -> Decimal:
        """The signed quantity that may still trade."""
        return (self.quantity - self.filled) * self.sign if self.state in _OPEN else Decimal(0)

    def may_become(self, state: OrderState) -> bool:
        """Return whether this state may follow the present one."""
        return state in _FOLLOWS[self.state]

    def submit(self) -> Submit:
        """Return the command that places it."""
        return Submit(self.id, self.symbol, self.side, self.quantity, self.reduce_only, self.ts, self.seq)

"""Dealings: orders that are given to a simulated executor while it is shown a market, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec

from quantmind.events import (
    Absent,
    Accepted,
    Amend,
    AmendRejected,
    Cancel,
    Cancelled,
    CancelRejected,
    Executed,
    Funded,
    Liquidated,
    Market,
    OrderEvent,
    OrderState,
    OrderType,
    Query,
    Rejected,
    Side,
    Submit,
    TimeInForce,
)
from quantmind.kinds import Channel, Executor
from quantmind.ledger.accounts import Account
from quantmind.market.instruments import Instrument
from quantmind.testing.proving.promise import expect
from quantmind.trader.orders import Order, Step

_ENDS = (Cancelled, Rejected, Absent)


class Wish(msgspec.Struct, frozen=True):
    """Something to do after a market event: place an order, or change or take back the one placed last."""

    at: int
    what: Literal["submit", "amend", "cancel", "query"]
    symbol: int = 0
    side: Side = "buy"
    quantity: Decimal = Decimal("0.010")
    order_type: OrderType = "market"
    off: int = 0
    """How far the price, or the trigger, is from the last price, in ticks."""
    reduce_only: bool = False
    close_position: bool = False
    time_in_force: TimeInForce = "gtc"


class Ordered(msgspec.Struct):
    """An order, and what became of it."""

    command: Submit
    quantity: Decimal
    """What it may be filled to, after it was amended."""
    held: Decimal
    """The signed position before its first fill."""
    filled: Decimal = Decimal(0)
    accepted: bool = False
    ended: OrderEvent | None = None
    fills: int = 0
    closed: bool = False
    """Whether it has closed the position that it was to close."""


class Dealing:
    """Shows an executor events and gives it commands, and expects of each answer that it can be true.

    With `lazy` it is shown events while it waits for some, and no others.
    """

    def __init__(
        self, executor: Executor[Any], channels: Mapping[str, frozenset[Channel]], *, lazy: bool = False
    ) -> None:
        self.executor = executor
        self.orders: dict[str, Ordered] = {}
        self.told: list[OrderEvent] = []
        self.account = Account(executor.balance, executor.instruments)
        self.seq = 0
        self.ts = 0
        self.seen: list[Market] = []
        self._lazy = lazy
        self._channels = channels
        self._prices: dict[str, float] = {}
        self._executions: set[str] = set()
        self._last = ""
        self._waiting = executor.waiting
        executor.prepare(channels)
        same = executor.waiting is self._waiting
        expect(same, "waiting is the same object for ever, but prepare put another in its place")

    def run(self, market: Sequence[Market], wishes: Sequence[Wish]) -> None:
        """Show a market, and do what is wished for after its events."""
        for index, event in enumerate(market):
            self.show(event)
            for wish in wishes:
                if wish.at % len(market) == index:
                    self.do(wish)

    def show(self, event: Market) -> None:
        """Show one event."""
        self.seq += 1
        self.ts = event.ts
        self.seen.append(event)
        price = _price(event)
        if price:
            self._prices[event.symbol] = price
        if self._waiting or not self._lazy:
            self._take(self.executor.on_market(self.seq, event), event)
        unseen = [order.command.order for order in self.open() if not self.executor.waiting]
        expect(not unseen, f"order {', '.join(unseen)} is open, but waiting is empty: it would be shown nothing more")

    def do(self, wish: Wish) -> str:
        """Do one thing; returns the order's id, empty where it cannot be done yet."""
        symbols = list(self.executor.instruments)
        symbol = symbols[wish.symbol % len(symbols)]
        if symbol not in self._prices:
            return ""
        instrument = self.executor.instruments[symbol]
        if wish.what == "submit":
            command = self._submit(instrument, wish)
            return self.submit(command)
        order = self._last
        if not order:
            return ""
        placed = self.orders[order].command
        if wish.what == "cancel":
            self.take(self.executor.cancel(Cancel(order, placed.symbol, self.ts, self.seq)))
        elif wish.what == "query":
            self.take(self.executor.query(Query(order, placed.symbol)))
        elif placed.order_type == "limit":
            price = self._near(instrument, wish.off)
            self.take(self.executor.amend(Amend(order, placed.symbol, self.ts, price=price, after=self.seq)))
        return order

    def submit(self, command: Submit) -> str:
        """Place an order."""
        position = self.account.positions[command.symbol].quantity
        self.orders[command.order] = Ordered(command, command.quantity, position)
        self._last = command.order
        self.take(self.executor.submit(command))
        return command.order

    def take(self, events: Iterable[OrderEvent]) -> None:
        """Take what a command was answered with."""
        self._take(events, None)

    def position(self, symbol: str) -> Decimal:
        """Return the signed position that the fills come to."""
        return self.account.positions[symbol].quantity

    def open(self) -> list[Ordered]:
        """Return the orders that were accepted and have not ended."""
        return [order for order in self.orders.values() if order.accepted and not order.ended and not _full(order)]

    def restart(self, executor: Executor[Any]) -> None:
        """Go on with another executor, which is given back what the journal knows."""
        executor.prepare(self._channels)
        executor.restore([_journalled(order) for order in self.open()], self.account)
        for seq, event in enumerate(self.seen, 1):
            executor.remember(seq, event)
        self.executor = executor
        self._waiting = executor.waiting

    def _submit(self, instrument: Instrument, wish: Wish) -> Submit:
        order = f"o{len(self.orders) + 1}"
        symbol, kind = instrument.symbol, wish.order_type
        held = self.position(symbol)
        side = wish.side
        if wish.reduce_only or wish.close_position:
            side = "sell" if held > 0 else "buy"
        quantity = wish.quantity
        if wish.close_position:
            quantity = abs(held) or wish.quantity
        reduces = wish.reduce_only or wish.close_position
        if kind == "market":
            return Submit(order, symbol, side, quantity, reduces, self.ts, self.seq)
        if kind == "limit":
            price = self._near(instrument, wish.off)
            return Submit(
                order, symbol, side, quantity, reduces, self.ts, self.seq, "limit", price,
                time_in_force=wish.time_in_force,
            )  # fmt: skip
        # A stop lies on the far side of the price: below when it sells, above when it buys.
        off = abs(wish.off) + 1
        trigger = self._near(instrument, -off if side == "sell" else off)
        return Submit(
            order, symbol, side, quantity, True, self.ts, self.seq, "stop_market", trigger=trigger, close_position=True
        )

    def _near(self, instrument: Instrument, off: int) -> Decimal:
        price = instrument.sell_price(self._prices[instrument.symbol]) + off * instrument.tick
        return max(price, instrument.tick)

    def _take(self, events: Iterable[OrderEvent], shown: Market | None) -> None:
        for event in events:
            self.told.append(event)
            if isinstance(event, Funded):
                self.account.fund(event.symbol, event.amount)
            elif isinstance(event, Liquidated):
                sign = 1 if event.side == "buy" else -1
                self.account.fill(event.symbol, sign * event.quantity, event.price, event.fee)
            else:
                expect(isinstance(event, OrderEvent), f"it answers {event!r}, which is no order event")
                self._hear(event, shown)

    def _hear(self, event: Any, shown: Market | None) -> None:
        order = self.orders.get(event.order)
        if order is None:
            expect(isinstance(event, Absent | CancelRejected | AmendRejected), f"nobody placed the order of {event}")
            return
        if isinstance(event, Absent | CancelRejected | AmendRejected):
            # What it is asked about may be over; of one that is not, none of these is true.
            over = order.ended is not None or _full(order) or not isinstance(event, Absent)
            expect(over, f"it has the order, and says {event}")
            return
        expect(order.ended is None, f"after {order.ended} comes {event}")
        if isinstance(event, Accepted):
            order.accepted = True
        elif isinstance(event, Executed):
            self._executed(order, event, shown)
        elif isinstance(event, _ENDS):
            # One that closes a position may have been for more than was left to close.
            done = _full(order) and not order.command.close_position
            expect(not done, f"it was filled whole, and then comes {event}")
            order.ended = event

    def _executed(self, order: Ordered, event: Executed, shown: Market | None) -> None:
        command = order.command
        expect(order.accepted, f"it was never accepted, and then comes {event}")
        instrument = self.executor.instruments[command.symbol]
        expect(event.quantity > 0 and event.price > 0, f"a fill has a quantity and a price above 0: {event}")
        expect(event.price % instrument.tick == 0, f"a price is a whole number of ticks of {instrument.tick}: {event}")
        expect(event.fee.is_finite(), f"a fee is finite: {event}")
        expect(event.execution not in self._executions, f"the id of an execution is its own: {event}")
        self._executions.add(event.execution)
        if shown is None:
            raise AssertionError(f"it is filled as it is placed, by a price of before: {event}")
        expect(self.seq > command.after, f"it is filled by the event that it was decided on: {event}")
        late = command.ts <= event.ts <= shown.ts
        expect(late, f"it was placed at {command.ts}, and the market is at {shown.ts}, but it is filled at {event.ts}")
        before = self.position(command.symbol)
        quantity = event.quantity if command.side == "buy" else -event.quantity
        self.account.fill(command.symbol, quantity, event.price, event.fee)
        order.filled += event.quantity
        order.fills += 1
        order.closed = command.close_position and not self.position(command.symbol)
        if command.reduce_only:
            after = self.position(command.symbol)
            sound = abs(after) < abs(before) and before * after >= 0
            expect(sound, f"it only reduces, but took the position from {before} to {after}: {event}")
        if not command.close_position:
            expect(order.filled <= order.quantity, f"of {order.quantity} it filled {order.filled}")


def _full(order: Ordered) -> bool:
    return order.filled >= order.quantity or order.closed


def _price(event: Any) -> float:
    """Return what an event says of the price; 0 where it says nothing."""
    for name in ("close", "price", "bid"):
        if value := getattr(event, name, None):
            return float(value)
    return 0.0


def _journalled(order: Ordered) -> Order:
    command = order.command
    accepted = Step(1, OrderState.ACCEPTED, command.after, 1, command.ts, Decimal(0), "", command.trigger)
    return Order(
        1, command.after, 1, command.order, command.symbol, command.side, command.quantity, command.reduce_only,
        command.ts, "t", command.after, OrderState.ACCEPTED, order.filled, 0, [accepted],
        [f"x{number}" for number in range(order.fills)], "stop" if command.close_position else "target",
        command.order_type, command.price, command.trigger, command.callback, command.time_in_force,
        command.close_position, command.trigger_by,
    )  # fmt: skip

"""Outcomes: what becomes of orders, and what the venue does by itself."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from quantmind.events import (
    Absent,
    Accepted,
    Amended,
    AmendRejected,
    Cancelled,
    CancelRejected,
    Executed,
    Funded,
    Liquidated,
    OrderEvent,
    OrderState,
    Rejected,
    Triggered,
)
from quantmind.trader.desk import TRIES, Desk
from quantmind.trader.floor import Floor
from quantmind.trader.gate import Approved
from quantmind.trader.halts import Halts
from quantmind.trader.intents import Intents
from quantmind.trader.orders import Order
from quantmind.trader.restart import AUTOCLOSE
from quantmind.trader.stops import Stops

_RETRY_AFTER = 10_000_000_000
"""Event time after which what the venue refused twice is tried again, in ns."""


class Outcomes:
    """Books what an executor reports, and has done what follows from it."""

    def __init__(
        self, floor: Floor, stops: Stops, intents: Intents, halts: Halts, settled: set[tuple[str, str]]
    ) -> None:
        self._floor = floor
        self._stops = stops
        self._intents = intents
        self._halts = halts
        self._settled = settled
        """Settlements of funding and liquidations that are booked, by symbol and execution."""

    def take(self, event: OrderEvent) -> list[Approved]:
        """Take what became of an order; returns the commands to perform."""
        commands: list[Approved] = []
        floor = self._floor
        now = max(event.ts, floor.now)
        if isinstance(event, Funded | Liquidated):
            return self._on_own(event, now)
        order = floor.orders.get(event.order) or floor.find(event.order)
        desk = floor.desk(order.symbol)
        if isinstance(event, Executed):
            self._on_executed(desk, order, event, now)
        elif isinstance(event, Absent) and order.open:
            self._absent(desk, order, commands)
        else:
            self._on_answer(desk, order, event)
        floor.keep(desk, order)
        # A refused move is not asked for again before the rules say something new.
        settled = not isinstance(event, Accepted | AmendRejected | CancelRejected)
        waiting: Collection[Desk] = (desk,)
        if floor.unanswered and order.id in floor.unanswered:
            floor.unanswered.remove(order.id)
            settled, waiting = True, floor.desks.values() if not floor.unanswered else ()
        for each in waiting:
            if settled and (each.guards or each.protective):
                self._stops.rest(each, now, commands)
            if each.stale:
                self._intents.compute(each, now, commands)
        if floor.latches.cancelling:
            self._halts.obey(now, commands)
        if isinstance(event, Executed) and floor.rules.watchers:
            self._halts.watch(now, commands)
        return commands

    def _on_answer(self, desk: Desk, order: Order, event: OrderEvent) -> None:
        """Take what the venue says of an order that did not trade.

        After a CancelRejected the event that says how the order ended is on its way; else it is cancelled again.
        """
        if isinstance(event, Accepted):
            # An order that was given up and turns up after all counts again, and the intent with it.
            desk.stale = desk.stale or order.state is OrderState.NOT_PLACED
            self._floor.chronicle.step(order, OrderState.ACCEPTED, event.ts)
        elif isinstance(event, Triggered):
            order.triggered = True
            self._floor.chronicle.changed(order, event.ts, "triggered")
        elif isinstance(event, Amended):
            self._stops.moved(order, event)
        elif isinstance(event, AmendRejected):
            self._stops.not_moved(order)
        elif isinstance(event, CancelRejected):
            if order.open:
                self._retry(desk)
        elif isinstance(event, Cancelled):
            if order.may_become(OrderState.CANCELLED):
                self._on_cancelled(desk, order, event)
        elif isinstance(event, Rejected) and order.may_become(OrderState.REJECTED):
            self._floor.chronicle.step(order, OrderState.REJECTED, event.ts, event.reason)
            self._on_lost(desk, order)

    def _on_executed(self, desk: Desk, order: Order, event: Executed, now: int) -> None:
        if event.execution in order.executions:
            return
        floor = self._floor
        # What comes of an order that was thought to be over changes what is to be done.
        desk.stale = desk.stale or not order.open
        held = desk.position.quantity
        if order.close_position and not order.filled:
            order.closes = abs(held)
        order.executions.append(event.execution)
        order.filled += event.quantity
        order.matched = floor.came_in
        signed = event.quantity if order.buys else -event.quantity
        closing = order.purpose != "target"
        side = -1 if order.buys else 1
        realised = floor.account.fill(order.symbol, signed, event.price, event.fee)
        parts = desk.subs.fill(desk.allot(signed, protective=closing), event.price, event.fee)
        if order.protective:
            desk.block(side)
            desk.stale = True
        elif order.reduce_only and desk.position.quantity and (desk.position.quantity > 0) == order.buys:
            # It closed what is not known to have been opened: fills came in another order than they were made.
            desk.stale = True
        floor.moved = True
        floor.books.settle(desk)
        floor.chronicle.fill(order, event, realised, desk.position, parts)
        if order.filled >= (order.closes or order.quantity) or (order.close_position and not desk.position.quantity):
            floor.chronicle.step(order, OrderState.FILLED, event.ts)
        elif order.closes and order.filled >= order.quantity:
            # It may be done: what was held grew before it was reached, or only seems to have.
            self._retry(desk)
        if (desk.failures or desk.exits) and held * desk.position.quantity <= 0:
            desk.stale = desk.stale or desk.exits > 0
            desk.failures = desk.exits = 0
        if floor.rules.guards:
            desk.watch(order.distance, now, floor.came_in)
            self._stops.reckon(desk)

    def _on_cancelled(self, desk: Desk, order: Order, event: Cancelled) -> None:
        self._floor.chronicle.step(order, OrderState.CANCELLED, event.ts, event.reason)
        if order.deadline and order.cancel_ts > order.deadline:
            self._intents.given_up(desk, order)
        if event.reason:
            self._on_lost(desk, order)

    def _on_lost(self, desk: Desk, order: Order) -> None:
        """Learn that the venue refused an order or took it away: twice at once is enough of anything."""
        held = desk.position.quantity
        if order.purpose == "take_profit":
            return
        if not held or (held > 0) == order.buys:
            # An exit that something else was faster than: what it was to leave room for may still be missing.
            desk.stale = desk.stale or (order.reduce_only and order.purpose == "target")
            return
        if order.purpose == "stop":
            desk.failures += 1
            if desk.failures == TRIES:
                # Without a stop nothing is held: the position is left as if the stop had been hit.
                desk.block(1 if held > 0 else -1)
                desk.stale = True
                self._retry(desk)
            return
        desk.exits += 1
        if desk.exits < TRIES:
            desk.stale = True
        else:
            self._retry(desk)

    def _retry(self, desk: Desk) -> None:
        """Let what the venue refused rest for a while."""
        floor = self._floor
        desk.retry_at = floor.now + _RETRY_AFTER
        floor.alarm = min(floor.alarm, desk.retry_at)

    def _on_funded(self, event: Funded) -> None:
        desk = self._floor.desk(event.symbol)
        self._floor.account.fund(event.symbol, event.amount)
        parts = desk.subs.fund(event.amount, event.mark, event.rate)
        self._floor.moved = True
        self._floor.books.settle(desk)
        self._floor.chronicle.funding(event, parts)

    def _on_own(self, event: Funded | Liquidated, now: int) -> list[Approved]:
        """Take what the venue did by itself, once."""
        commands: list[Approved] = []
        key = (event.symbol, event.execution)
        if key not in self._settled:
            self._settled.add(key)
            if isinstance(event, Funded):
                self._on_funded(event)
            else:
                self._on_liquidated(event, commands, now)
        return commands

    def _on_liquidated(self, event: Liquidated, commands: list[Approved], now: int) -> None:
        """Book what the venue closed; trading stops until somebody has looked at it."""
        floor = self._floor
        desk = floor.desk(event.symbol)
        order = floor.draft(desk, event.side, event.quantity, event.ts, "liquidation", "flatten", reduce_only=True)
        order.id = f"{AUTOCLOSE}{event.execution}"
        order.filled = event.quantity
        signed = event.quantity if event.side == "buy" else -event.quantity
        executed = Executed(order.id, event.ts, event.execution, event.price, event.quantity, event.fee)
        realised = floor.account.fill(event.symbol, signed, event.price, event.fee)
        parts = desk.subs.fill(desk.allot(signed, protective=True), event.price, event.fee)
        desk.block(1 if event.side == "sell" else -1)
        floor.moved = True
        floor.books.settle(desk)
        order.state = OrderState.FILLED
        floor.chronicle.fill(order, executed, realised, desk.position, parts)
        # Of strategies against each other nothing is left either: they were held on one margin.
        desk.desired = dict.fromkeys(desk.subs.positions, Decimal(0))
        transfers = desk.transfers() if not desk.position.quantity else {}
        if transfers:
            floor.pass_on(desk, transfers, event.price, now, order.id)
        if floor.rules.guards:
            desk.watch(None, now, floor.came_in)
            self._stops.reckon(desk)
        figures = f"{event.quantity:f} {event.symbol} closed by the venue at {event.price:f}"
        self._stops.rest(desk, now, commands)
        self._halts.latch("liquidated", "halt", figures, now, commands)
        if desk.position.quantity:
            self._intents.compute(desk, now, commands)

    def _absent(self, desk: Desk, order: Order, commands: list[Approved]) -> None:
        floor = self._floor
        fresh = (order.epoch, order.seq) == (floor.chronicle.epoch, floor.chronicle.seq)
        may = (
            order.reduce_only
            or order.close_position
            or (floor.gate.latch is None and not floor.gate.ails(order.symbol))
        )
        if fresh and order.state is OrderState.INTENT and not order.filled and may:
            # Nothing has happened since it was intended: it is as right now as it was then.
            commands.append(floor.gate.protect(order) if order.purpose != "target" else floor.gate.approve(order))
        elif desk.last is None and not order.protective:
            # Given up only together with what takes its place, which needs a price: a crash must not part them.
            desk.absent.append(order)
            floor.unpriced.add(order.symbol)
        else:
            self.give_up(desk, order)

    def give_up(self, desk: Desk, order: Order) -> None:
        """Learn that the venue never received an order."""
        self._floor.chronicle.step(order, OrderState.NOT_PLACED, self._floor.now, "never reached the venue")
        self._floor.keep(desk, order)
        desk.stale = desk.stale or not order.protective

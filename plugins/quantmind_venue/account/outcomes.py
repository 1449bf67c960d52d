"""Outcomes: what the matching engine tells, brought to the orders, the ledger and the user stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from quantmind.events import (
    Amended,
    Cancelled,
    Executed,
    Funded,
    Liquidated,
    OrderEvent,
    Rejected,
    Triggered,
)
from quantmind_venue.account.algo_orders import AlgoOrder
from quantmind_venue.account.orders import Order
from quantmind_venue.figures import ZERO
from quantmind_venue.listing import Listed

if TYPE_CHECKING:
    from quantmind_venue.account.account import Account

_LATER = 10
"""How long (ms) after a triggered order has ended the conditional one is told to have finished."""

REASONS = {"margin": "Margin is insufficient.", "reduce_only": "ReduceOnly Order is rejected."}


class Outcomes:
    """Takes the engine's events one by one, and tells of each before the next."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.records: dict[str, Order | AlgoOrder] = {}
        """The open orders by what the engine calls them."""
        self.forced = "autoclose-"
        """What client ids of orders begin with that the venue makes by itself."""
        self.forced_orders: list[Order] = []
        """Those orders."""
        self._fired: list[str] = []
        self._flat: set[str] = set()
        """Contracts whose position was closed."""
        self._handlers: dict[type[OrderEvent], Callable[..., None]] = {
            Executed: self._executed,
            Cancelled: self._cancelled,
            Rejected: self._rejected,
            Triggered: self._triggered,
            Amended: self._moved,
            Liquidated: self._liquidated,
            Funded: self._funded,
        }

    def tell(self, events: Iterable[OrderEvent]) -> None:
        """Bring events to the books, in their order."""
        for event in events:
            handler = self._handlers.get(event.__class__)
            if handler is not None:
                handler(event)
        while self._flat:
            self._account.flat(self._flat.pop())
        while self._fired:
            # What a mark price triggered meets the present price at once.
            engine = self._fired.pop(0)
            record = self.records.get(engine)
            if record is not None:
                self._account.meet(record.listed, engine)

    def _executed(self, event: Executed) -> None:
        record = self.records[event.order]
        order = self._order(record)
        account = self._account
        now = account.clock.now()
        traded = account.ledger.trade(
            order.listed, order.id, order.buys, event.price, event.quantity, event.fee, event.maker, now
        )
        order.filled += event.quantity
        order.quote += event.quantity * event.price
        order.update_time = now
        done = order.filled >= order.quantity
        order.status = "FILLED" if done else "PARTIALLY_FILLED"
        if not event.maker:
            account.present.taken(order.listed, order.buys, event.quantity)
        account.stream.traded(order, traded, now)
        self._booked("ORDER", order.listed)
        account.stream.order(order, "TRADE", now, traded)
        if not account.ledger.position(order.listed).quantity:
            self._flat.add(order.listed.spelling)
        if done:
            self._ended(event.order, record, order)

    def _order(self, record: Order | AlgoOrder) -> Order:
        """Return the order itself; a conditional one becomes it with the first that is heard of it."""
        if isinstance(record, Order):
            return record
        return record.order or self._fire(record)

    def _fire(self, algo: AlgoOrder) -> Order:
        account = self._account
        now = self._triggering(algo)
        quantity = algo.quantity
        if algo.close_position:
            quantity = abs(account.ledger.position(algo.listed).quantity)
        order = Order(
            account.next_number(),
            algo.client,
            algo.listed,
            algo.side,
            algo.actual_type,
            quantity,
            algo.price,
            now,
            "GTC" if algo.time_in_force == "GTE_GTC" else algo.time_in_force,
            algo.reduce_only or algo.close_position,
            algo.engine,
        )
        order.original_type = algo.type
        order.close_position = algo.close_position
        order.working_type, order.stop = algo.working_type, algo.trigger
        order.rate, order.activation = algo.rate, algo.activation
        order.prevention, order.protect = algo.prevention, algo.protect
        algo.order = order
        account.orders.add(order)
        account.stream.order(order, "NEW", now)
        algo.status = "TRIGGERED"
        account.algos.ended(algo)
        account.stream.algo(algo, now)
        return order

    def _triggering(self, algo: AlgoOrder) -> int:
        now = self._account.clock.now()
        algo.status, algo.trigger_time, algo.update_time = "TRIGGERING", now, now
        self._account.stream.algo(algo, now)
        return now

    def _triggered(self, event: Triggered) -> None:
        record = self.records.get(event.order)
        if isinstance(record, AlgoOrder):
            self._order(record)
            self._fired.append(event.order)

    def _moved(self, event: Amended) -> None:
        """Take note of where a trailing stop is now."""
        record = self.records.get(event.order)
        if isinstance(record, AlgoOrder) and record.order is None:
            record.trigger = event.trigger

    def _cancelled(self, event: Cancelled) -> None:
        record = self.records.get(event.order)
        if record is None:
            return
        status = "CANCELED" if event.reason in {"", "liquidated"} else "EXPIRED"
        if isinstance(record, AlgoOrder) and record.order is None:
            if event.reason in {"ioc", "fok", "post_only"}:
                # It was triggered, and found nobody to trade with.
                self._order(record)
            else:
                self._held_back(event.order, record, event.reason, status)
                return
        order = self._order(record)
        order.status, order.update_time = status, self._account.clock.now()
        self._account.stream.order(order, status, order.update_time)
        self._ended(event.order, record, order)

    def _held_back(self, engine: str, algo: AlgoOrder, reason: str, status: str) -> None:
        """End a conditional order that never became one."""
        if reason == "reduce_only":
            self._triggering(algo)
            status = "EXPIRED" if algo.close_position else "REJECTED"
            algo.reason = REASONS[reason]
        elif status == "EXPIRED":
            algo.reason = reason
        self._over(engine, algo, status)

    def expired(self, algo: AlgoOrder, reason: str) -> None:
        """End a conditional order because what it was for is gone."""
        algo.reason = reason
        self._over(algo.engine, algo, "EXPIRED")

    def _over(self, engine: str, algo: AlgoOrder, status: str) -> None:
        account = self._account
        algo.status, algo.update_time = status, account.clock.now()
        account.algos.ended(algo)
        account.stream.algo(algo, algo.update_time)
        self.records.pop(engine, None)

    def _rejected(self, event: Rejected) -> None:
        record = self.records.get(event.order)
        if record is None:
            return
        if isinstance(record, AlgoOrder) and record.order is None:
            self._triggering(record)
            record.reason = REASONS.get(event.reason, event.reason)
            self._over(event.order, record, "REJECTED")
            return
        order = self._order(record)
        order.status, order.update_time = "EXPIRED", self._account.clock.now()
        self._account.stream.order(order, "EXPIRED", order.update_time)
        self._ended(event.order, record, order)

    def _ended(self, engine: str, record: Order | AlgoOrder, order: Order) -> None:
        self.records.pop(engine, None)
        self._account.orders.ended(order)
        if order.good_till:
            self._account.timers.cancel(("good till", order.id))
        if isinstance(record, AlgoOrder):
            record.status, record.update_time = "FINISHED", order.update_time
            account, finish = self._account, partial(self._finish, record)
            if account.clock.pace == "max":
                # Nothing may come after it there by which it would be told.
                finish()
            else:
                # Another service tells of it, so it never comes in one piece with the trade: clients count on that.
                account.timers.at(("finished", record.id), order.update_time + _LATER, finish)

    def _finish(self, algo: AlgoOrder) -> None:
        self._account.stream.algo(algo, self._account.clock.now())

    def _liquidated(self, event: Liquidated) -> None:
        account = self._account
        listed = account.by_symbol(event.symbol)
        now = account.clock.now()
        number = account.next_number()
        client = self.forced if not self.forced.endswith("-") else f"{self.forced}{now}{number % 1_000_000:06d}"
        side = "BUY" if event.side == "buy" else "SELL"
        order = Order(number, client, listed, side, "LIMIT", event.quantity, event.price, now, "IOC")
        account.orders.add(order)
        self.forced_orders.append(order)
        account.stream.order(order, "NEW", now)
        traded = account.ledger.trade(
            listed, number, order.buys, event.price, event.quantity, event.fee, False, now, "INSURANCE_CLEAR"
        )
        order.filled, order.quote = event.quantity, event.quantity * event.price
        order.status = "FILLED"
        account.orders.ended(order)
        self._booked("ORDER", listed)
        account.stream.order(order, "CALCULATED", now, traded)
        account.board.liquidated(listed.spelling, side, event.quantity, event.price)
        if not account.ledger.position(listed).quantity:
            self._flat.add(listed.spelling)

    def _funded(self, event: Funded) -> None:
        account = self._account
        listed = account.by_symbol(event.symbol)
        account.ledger.book(listed.spelling, "FUNDING_FEE", event.amount, account.clock.now())
        self._booked("FUNDING_FEE", listed, event.amount)

    def _booked(self, reason: str, listed: Listed, change: Decimal = ZERO) -> None:
        """Tell the wallet and the position; `change` is what was neither earned by trades nor paid for them."""
        account = self._account
        held = account.ledger.position(listed)
        shown = held if reason != "FUNDING_FEE" or account.settings.isolated(listed) else None
        account.stream.account(
            reason,
            account.ledger,
            shown,
            account.margins.profit(held),
            account.margins.own(held),
            change,
            account.margins.cross_wallet(),
            account.clock.now(),
            listed.spelling,
        )

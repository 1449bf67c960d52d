"""Restored orders: those of before a restart, and which of them had reached the venue by then."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from quantmind.events import Bar, Book, Mark, Market, Quote, Trade
from quantmind.simulation.contract import Contract
from quantmind.simulation.filling import Filling
from quantmind.simulation.resting import Resting
from quantmind.simulation.trailing import resume


class Restored:
    """Orders that were accepted before a restart. They count as arrived, until the events since then are shown."""

    def __init__(self, filling: Filling, queue: bool) -> None:
        self._filling = filling
        self._queue = queue
        self._orders: dict[str, Resting] = {}
        self._shown = False

    def add(self, contract: Contract, order: Resting, filled: Decimal, fills: int, triggered: bool) -> None:
        """Take back an order of which `filled` was executed in so many fills."""
        order.left -= filled
        order.filled, order.fills = filled, fills
        if order.kind == "market":
            return
        if order.kind == "trailing_stop_market" and order.price is not None:
            resume(contract.instrument, order, order.price)
        if triggered or (filled and order.kind != "limit"):
            order.fire()
        order.arrived = order.submit.time_in_force in {"gtc", "gtx"}
        self._orders[order.id] = order

    def forget(self, ended: Iterable[str]) -> None:
        """Take off those of these orders that ended."""
        if self._orders:
            for order in ended:
                self._orders.pop(order, None)

    def remember(self, contract: Contract, seq: int, event: Market) -> None:
        """Take note of an event that was matched before the restart."""
        if not self._shown:
            self._shown = True
            for order in self._orders.values():
                order.arrived = order.filled > 0 or order.triggered
        if isinstance(event, Mark):
            contract.marked(event.price, event.ts)
        elif contract.priced_by(event):
            contract.seen = event
            self._arrived(contract, seq, event)
        elif isinstance(event, Trade) and self._queue and contract.source == "quote":
            for order in self._orders.values():
                if order.kind == "limit" and order.level == event.price and order.submit.symbol == event.symbol:
                    order.queue = max(order.queue - event.size, 0.0)

    def _arrived(self, contract: Contract, seq: int, event: Quote | Book | Trade | Bar) -> None:
        """Take note of the orders that had reached the venue by an event."""
        at = event.ts - event.interval if isinstance(event, Bar) else event.ts
        for order in self._orders.values():
            late = order.after >= seq or order.due > at
            if not order.arrived and not late and order.id in contract.orders:
                order.arrived = True
                if self._queue and order.kind == "limit":
                    self._filling.queue(order, event)

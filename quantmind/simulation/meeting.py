"""A market event meets the orders and the position of its contract."""

from __future__ import annotations

from quantmind.events import Bar, Book, Cancelled, FundingRate, Mark, Market, OrderEvent, Quote, Trade
from quantmind.simulation.account import MarginAccount
from quantmind.simulation.amending import amended
from quantmind.simulation.contract import Contract
from quantmind.simulation.depth import Depth
from quantmind.simulation.filling import Filling
from quantmind.simulation.funding import funded
from quantmind.simulation.path import Path, in_force
from quantmind.simulation.resting import Resting
from quantmind.simulation.terms import Terms
from quantmind.simulation.trailing import follow, told


class Meeting:
    """Matches events of each kind; what comes of it is added to the events it is given."""

    def __init__(self, terms: Terms, account: MarginAccount, filling: Filling) -> None:
        self._partial = terms.partial
        self._optimistic = terms.optimistic
        self._queue = terms.queue
        self._account = account
        self._filling = filling
        self.path = Path(terms, account, filling)

    def meet(self, contract: Contract, seq: int, event: Market, events: list[OrderEvent]) -> None:
        """Match one event."""
        if isinstance(event, Bar):
            self._bar(contract, seq, event, events)
        elif isinstance(event, FundingRate):
            self._fund(contract, event, events)
        elif isinstance(event, Mark):
            if event.price > 0:
                contract.marked(event.price, event.ts)
                self._mark(contract, seq, event, events)
        elif contract.priced_by(event) and not isinstance(event, Bar):
            contract.seen = event
            self._shown(contract, seq, event, events)
        elif isinstance(event, Trade) and contract.source == "quote":
            self._traded(contract, seq, event, events)
        trails = (order for order in contract.orders.values() if order.kind == "trailing_stop_market" and order.moved)
        events.extend(told(order, event.ts) for order in trails)

    def _shown(self, contract: Contract, seq: int, event: Quote | Book | Trade, events: list[OrderEvent]) -> None:
        """Match a quote or a book, or a trade where there are none."""
        depth = Depth.of(event, self._partial)
        for order in tuple(contract.orders.values()):
            if order.after >= seq or order.due > event.ts or order.id not in contract.orders:
                continue
            amend_due(contract, order, seq, event.ts, events)
            if not order.arrived:
                self._filling.arrive(contract, order, depth, event.ts, events)
                if order.kind == "limit" and self._queue and order.arrived:
                    self._filling.queue(order, event)
                if order.kind in {"limit", "market"} or not order.arrived:
                    continue
            if order.kind == "market":
                self._filling.market(contract, order, depth, event.ts, events)
            elif not order.by_mark and reaches(contract, order, depth.best(order.buys)):
                if order.kind != "limit":
                    self._filling.trigger(contract, order, depth, event.ts, events)
                elif event.__class__ is not Trade or depth.best(True) != order.level or self._optimistic:
                    self._filling.touched(contract, order, depth, event.ts, events)

    def present(
        self, contract: Contract, order: Resting, event: Quote | Book | Trade, events: list[OrderEvent]
    ) -> None:
        """Match one order alone against a quote or a book, or a trade where there are none."""
        depth = Depth.of(event, self._partial)
        while order.amends and order.amends[0][0] <= event.ts:
            due, command = order.amends[0]
            order.amends = order.amends[1:] or None
            events.append(amended(order, command, due))
        if not order.arrived:
            self._filling.arrive(contract, order, depth, event.ts, events)
            if order.kind == "limit" and self._queue and order.arrived:
                self._filling.queue(order, event)
        elif order.kind == "market":
            self._filling.market(contract, order, depth, event.ts, events)

    def _traded(self, contract: Contract, seq: int, trade: Trade, events: list[OrderEvent]) -> None:
        """Let a trade use up the queues ahead of limit orders."""
        if not self._queue or not trade.price > 0:
            return
        for order in tuple(contract.orders.values()):
            if order.kind == "limit" and order.arrived and in_force(order, seq, trade.ts):
                self._filling.queued(contract, order, trade, events)

    def _bar(self, contract: Contract, seq: int, bar: Bar, events: list[OrderEvent]) -> None:
        """Match a bar: what reached the venue before it opened first, what came in the meantime after it."""
        if bar.interval != contract.interval:
            return
        begin = bar.ts - bar.interval
        for order in contract.orders.values():
            if order.amends:
                amend_due(contract, order, seq, begin, events)
        if contract.trades(bar):
            self.path.walk(contract, seq, bar, events)
            contract.seen = bar
        for order in tuple(contract.orders.values()):
            if order.cancel_due is not None and order.cancel_due <= bar.ts and order.cancel_after < seq:
                contract.forget(order)
                events.append(Cancelled(order.id, order.cancel_due))
            elif order.amends:
                amend_due(contract, order, seq, bar.ts, events)

    def _mark(self, contract: Contract, seq: int, mark: Mark, events: list[OrderEvent]) -> None:
        """Trigger what waits for a mark price; it is filled at the next price of the contract."""
        for order in tuple(contract.orders.values()):
            if not order.by_mark or order.kind == "market" or not in_force(order, seq, mark.ts):
                continue
            if reaches(contract, order, mark.price):
                order.arrived = True
                order.after = seq
                self._filling.trigger(contract, order, None, mark.ts, events)

    def _fund(self, contract: Contract, event: FundingRate, events: list[OrderEvent]) -> None:
        mark = event.mark if event.mark > 0 else contract.value_price
        quantity = contract.position.quantity
        if quantity and mark:
            settled = funded(event, quantity, mark)
            self._account.wallet += settled.amount
            events.append(settled)


def reaches(contract: Contract, order: Resting, price: float) -> bool:
    """Let a trailing stop follow a price; say whether the price is at the level of an order or beyond it."""
    if order.kind == "trailing_stop_market":
        follow(contract.instrument, order, price)
        if not order.active:
            return False
    return price <= order.level if order.falls else price >= order.level


def amend_due(contract: Contract, order: Resting, seq: int, ts: int, events: list[OrderEvent]) -> None:
    """Change an order as it was asked to until then."""
    while order.amends and order.amends[0][0] <= ts and order.amends[0][1].after < seq:
        due, command = order.amends[0]
        order.amends = order.amends[1:] or None
        events.append(amended(order, command, due))
        contract.expect()
        contract.watch()

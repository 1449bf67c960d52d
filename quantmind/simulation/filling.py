"""Filling: what becomes of an order that arrives, is triggered, or meets a price."""

from __future__ import annotations

from decimal import Decimal
from math import inf, nan

from quantmind.events import Book, Cancelled, Executed, Market, OrderEvent, Quote, Rejected, Trade, Triggered
from quantmind.simulation.account import MarginAccount
from quantmind.simulation.contract import Contract
from quantmind.simulation.depth import Depth
from quantmind.simulation.resting import Resting
from quantmind.simulation.terms import Terms
from quantmind.simulation.trailing import follow

_ZERO = Decimal(0)


class Filling:
    """The rules of one venue for one order at a time; every method adds to the events it is given."""

    def __init__(self, terms: Terms, account: MarginAccount) -> None:
        self._terms = terms
        self._account = account
        self.refusals = 0
        """How many of the triggers to come find no margin, whatever there is: a venue may refuse a stop."""

    def arrive(self, contract: Contract, order: Resting, depth: Depth, ts: int, events: list[OrderEvent]) -> None:
        """Take an order in: what is refused now was never there. Without a price to judge by it waits."""
        best = depth.best(order.buys)
        if not best > 0:
            return
        order.arrived = True
        kind = order.kind
        if kind not in {"market", "limit"}:
            if kind == "trailing_stop_market":
                follow(contract.instrument, order, best)
            return
        if order.reduces and not self.reducible(contract, order):
            self._reject(contract, order, ts, "reduce_only", events)
        elif not self._account.allows(contract, order, best if kind == "market" else min(best, order.level)):
            self._reject(contract, order, ts, "margin", events)
        elif kind == "market":
            self.market(contract, order, depth, ts, events)
        else:
            self._limit(contract, order, depth, ts, events)

    def _limit(self, contract: Contract, order: Resting, depth: Depth, ts: int, events: list[OrderEvent]) -> None:
        best, force = depth.best(order.buys), order.submit.time_in_force
        if best <= order.level if order.buys else best >= order.level:
            if force == "gtx":
                self._cancel(contract, order, ts, "post_only", events)
                return
            self._take(contract, order, depth, ts, events, order.level, whole=force == "fok")
        if order.id in contract.orders and force in {"ioc", "fok"}:
            self._cancel(contract, order, ts, force, events)

    def market(self, contract: Contract, order: Resting, depth: Depth, ts: int, events: list[OrderEvent]) -> None:
        """Fill what there is to fill it with; the rest waits for the next event."""
        self._take(contract, order, depth, ts, events, nan)

    def whole(
        self, contract: Contract, order: Resting, price: float, shown: float, ts: int, events: list[OrderEvent]
    ) -> None:
        """Take a market order in and fill it at a price that is good for any size."""
        quantity = order.left
        if order.reduces:
            if not self.reducible(contract, order):
                self._reject(contract, order, ts, "reduce_only", events)
                return
            quantity = self._wanted(contract, order, ts, events)
        elif not self._account.allows(contract, order, price):
            self._reject(contract, order, ts, "margin", events)
            return
        slippage = self._terms.slippage
        if slippage:
            price = slippage.worse(price, order.buys, float(quantity), shown, contract.tick.size)
        self._execute(contract, order, price, quantity, ts, events, maker=False)
        if order.reduces:
            self._ended(contract, order, ts, events)
        else:
            contract.forget(order)

    def trigger(
        self, contract: Contract, order: Resting, depth: Depth | None, ts: int, events: list[OrderEvent]
    ) -> None:
        """Make a market or a limit order of a conditional one; without a depth it is filled at the next price."""
        price = depth.best(order.buys) if depth is not None else order.level
        order.fire()
        order.due = ts
        if order.kind == "limit":
            price = min(price, order.level) if order.buys else price
            order.arrived = depth is not None
        if self.refusals:
            self.refusals -= 1
            self._reject(contract, order, ts, "margin", events)
            return
        if order.reduces:
            room = self.reducible(contract, order)
            if not room:
                self._cancel(contract, order, ts, "reduce_only", events)
                return
            if order.submit.close_position:
                order.close(room)
        elif not self._account.allows(contract, order, price):
            self._reject(contract, order, ts, "margin", events)
            return
        if depth is not None and order.kind == "limit":
            self._limit(contract, order, depth, ts, events)
        elif depth is not None:
            self.market(contract, order, depth, ts, events)
        if order.id in contract.orders:
            events.append(Triggered(order.id, ts))

    def touched(self, contract: Contract, order: Resting, depth: Depth, ts: int, events: list[OrderEvent]) -> None:
        """Fill a resting limit order at its own price, with the size that came to it."""
        wanted = self._wanted(contract, order, ts, events)
        if not wanted:
            return
        # Whoever came to the order's price trades at that price, at a better one for himself or not.
        for _, quantity, _ in depth.take(contract.instrument, order.buys, wanted, order.level):
            self._execute(contract, order, order.level, quantity, ts, events, maker=True)
        self._ended(contract, order, ts, events)

    def queued(self, contract: Contract, order: Resting, trade: Trade, events: list[OrderEvent]) -> None:
        """Let a trade at or through the price of a limit order use up the queue ahead, then fill it."""
        if order.level != trade.price:
            if (trade.price < order.level) == order.buys:
                self.touched(contract, order, Depth.of(trade, self._terms.partial), trade.ts, events)
            return
        if self._terms.optimistic:
            self.touched(contract, order, Depth.of(trade, self._terms.partial), trade.ts, events)
        elif trade.side == (-1 if order.buys else 1):
            order.queue -= trade.size
            if order.queue < 0:
                size = -order.queue if self._terms.partial else inf
                order.queue = 0.0
                self.touched(contract, order, Depth.at(trade.price, size), trade.ts, events)

    def queue(self, order: Resting, event: Market) -> None:
        """Take note of the size ahead of a limit order, where the event shows it."""
        if isinstance(event, Quote):
            levels = [(event.bid, event.bid_size)] if order.buys else [(event.ask, event.ask_size)]
        elif isinstance(event, Book):
            levels = list(event.bids if order.buys else event.asks)
        else:
            return
        for price, size in levels:
            if price == order.level:
                order.queue = size if size > 0 else inf
                return
            if price < order.level if order.buys else price > order.level:
                # Nobody else is at this price.
                order.queue = 0.0
                return

    def reducible(self, contract: Contract, order: Resting) -> Decimal:
        """Return how much of the position an order can close."""
        quantity = contract.position.quantity
        return abs(quantity) if quantity and (quantity < 0) == order.buys else _ZERO

    def _wanted(self, contract: Contract, order: Resting, ts: int, events: list[OrderEvent]) -> Decimal:
        """Return the quantity that may be filled now; an order that has nothing to reduce is cancelled."""
        if not order.reduces:
            return order.left
        room = self.reducible(contract, order)
        if not room:
            # A market order is judged when it is filled, however long it waited for a size.
            end = self._reject if order.kind == "market" and not order.triggered else self._cancel
            end(contract, order, ts, "reduce_only", events)
        elif order.submit.close_position and not order.closing:
            order.close(room)
        return min(order.left, room)

    def _take(
        self,
        contract: Contract,
        order: Resting,
        depth: Depth,
        ts: int,
        events: list[OrderEvent],
        limit: float,
        whole: bool = False,
    ) -> None:
        wanted = self._wanted(contract, order, ts, events)
        if not wanted:
            return
        slippage = self._terms.slippage
        for price, quantity, size in depth.take(contract.instrument, order.buys, wanted, limit, whole):
            at = price
            if slippage:
                at = slippage.worse(price, order.buys, float(quantity), size, contract.tick.size)
                if limit > 0:
                    at = min(at, limit) if order.buys else max(at, limit)
            self._execute(contract, order, at, quantity, ts, events, maker=False)
        self._ended(contract, order, ts, events)

    def _execute(
        self,
        contract: Contract,
        order: Resting,
        price: float,
        quantity: Decimal,
        ts: int,
        events: list[OrderEvent],
        maker: bool,
    ) -> None:
        paid = contract.tick.price(price, order.buys)
        fee = self._account.fill(contract, order.buys, quantity, paid, maker)
        order.left -= quantity
        order.filled += quantity
        order.fills += 1
        events.append(Executed(order.id, ts, f"{order.id}-{order.fills}", paid, quantity, fee, maker))

    def _ended(self, contract: Contract, order: Resting, ts: int, events: list[OrderEvent]) -> None:
        """Take an order off that is filled, or that has nothing left to reduce."""
        if order.reduces and order.filled and not self.reducible(contract, order):
            if order.filled < order.total:
                reason = "close_position" if order.submit.close_position else "reduce_only"
                self._cancel(contract, order, ts, reason, events)
            else:
                contract.forget(order)
        elif not order.left:
            contract.forget(order)

    def _cancel(self, contract: Contract, order: Resting, ts: int, reason: str, events: list[OrderEvent]) -> None:
        contract.forget(order)
        events.append(Cancelled(order.id, ts, reason))

    def _reject(self, contract: Contract, order: Resting, ts: int, reason: str, events: list[OrderEvent]) -> None:
        if order.filled:
            self._cancel(contract, order, ts, reason, events)
            return
        contract.forget(order)
        events.append(Rejected(order.id, ts, reason))

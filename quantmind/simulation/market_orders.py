"""Market orders alone: the common case, in which an event reaches nothing else."""

from __future__ import annotations

from math import inf

from quantmind.events import Bar, Book, Market, OrderEvent, Quote, Trade
from quantmind.simulation.account import MarginAccount
from quantmind.simulation.contract import Contract
from quantmind.simulation.filling import Filling
from quantmind.simulation.path import Path
from quantmind.simulation.terms import Terms


class MarketOrders:
    """Fills pending market orders where any size is to be had, without a look at the orders that rest."""

    def __init__(self, terms: Terms, account: MarginAccount, filling: Filling, path: Path) -> None:
        self._any_size = not terms.partial and terms.participation is None
        self._account = account
        self._filling = filling
        self._path = path

    def meet(self, contract: Contract, seq: int, event: Market, events: list[OrderEvent]) -> bool:
        """Fill what is due, if an event can do no more than that; returns whether it was so."""
        if not self._any_size or not contract.priced_by(event):
            return False
        bid_size = ask_size = 0.0
        at = event.ts
        if isinstance(event, Bar):
            at -= event.interval
            bid = ask = event.open
            if contract.reaches(event.low, event.high) or not event.low <= bid <= event.high:
                return False
            bid_size = ask_size = event.volume
        else:
            if isinstance(event, Quote):
                bid, ask, bid_size, ask_size = event.bid, event.ask, event.bid_size, event.ask_size
            elif isinstance(event, Book):
                (bid, bid_size), (ask, ask_size) = event.bids[0], event.asks[0]
            else:
                bid = ask = event.price
                bid_size = ask_size = event.size
            if contract.reaches(bid, ask):
                return False
            contract.seen = event
        late = []
        for order in contract.pending:
            if order.after >= seq or order.due > at:
                late.append(order)
            elif order.buys:
                self._filling.whole(contract, order, ask, ask_size, at, events)
            else:
                self._filling.whole(contract, order, bid, bid_size, at, events)
        contract.pending = late
        if isinstance(event, Bar):
            self._follow(contract, event, events)
        return True

    def _follow(self, contract: Contract, bar: Bar, events: list[OrderEvent]) -> None:
        """Liquidate what was opened with the bar and does not survive it."""
        if self._account.booked and contract.quantity and self._account.asks_margin and not contract.has_marks:
            self._account.rebound()
            if contract.reaches(bar.low, bar.high):
                self._path.both_ways(contract, (), bar, inf, events)
                contract.refresh()
        contract.seen = bar

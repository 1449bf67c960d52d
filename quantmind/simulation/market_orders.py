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
        if not self._any_size:
            return False
        if isinstance(event, Bar):
            return self._bar(contract, seq, event, events)
        if not contract.priced_by(event):
            return False
        if isinstance(event, Quote):
            bid, bid_size, ask, ask_size = event.bid, event.bid_size, event.ask, event.ask_size
        elif isinstance(event, Book):
            (bid, bid_size), (ask, ask_size) = event.bids[0], event.asks[0]
        elif isinstance(event, Trade):
            bid = ask = event.price
            bid_size = ask_size = event.size
        if contract.reaches(bid, ask):
            return False
        contract.seen = event
        self._fill(contract, seq, event.ts, (bid, bid_size), (ask, ask_size), events)
        return True

    def _bar(self, contract: Contract, seq: int, bar: Bar, events: list[OrderEvent]) -> bool:
        low, high = bar.low, bar.high
        if bar.interval != contract.interval or not bar.volume > 0 or not low <= bar.open <= high:
            return False
        if contract.reaches(low, high):
            return False
        shown = (bar.open, bar.volume)
        self._fill(contract, seq, bar.ts - bar.interval, shown, shown, events)
        account = self._account
        if account.booked and contract.quantity and account.asks_margin and contract.mark is None:
            # What was opened with the bar may not survive it.
            account.rebound()
            if contract.reaches(low, high):
                self._path.both_ways(contract, (), bar, inf, events)
                contract.expect()
                account.booked = True
        contract.seen = bar
        return True

    def _fill(
        self,
        contract: Contract,
        seq: int,
        at: int,
        bid: tuple[float, float],
        ask: tuple[float, float],
        events: list[OrderEvent],
    ) -> None:
        """Fill what is due by then at a price, with the size shown there."""
        late = []
        for order in contract.pending:
            if order.after >= seq or order.due > at:
                late.append(order)
            else:
                price, shown = ask if order.buys else bid
                self._filling.whole(contract, order, price, shown, at, events)
        contract.pending = late

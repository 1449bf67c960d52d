"""The path of a bar: in which order its prices reach the orders, to the account's harm."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from decimal import Decimal
from math import inf, nan

from quantmind.events import Bar, Executed, Liquidated, OrderEvent
from quantmind.simulation.account import MarginAccount
from quantmind.simulation.contract import Contract
from quantmind.simulation.depth import Depth
from quantmind.simulation.filling import Filling
from quantmind.simulation.resting import Resting
from quantmind.simulation.terms import Terms
from quantmind.simulation.trailing import follow


class Path:
    """Matches bars: the open first, then by way of low and high to the close.

    Whether the low or the high came first nobody knows. Both are tried, and the one that leaves the account with
    less, valued at the close, counts; `decided` is the number of fills in bars where that made a difference.
    """

    def __init__(self, terms: Terms, account: MarginAccount, filling: Filling) -> None:
        self._terms = terms
        self._account = account
        self._filling = filling
        self.decided = 0

    def walk(self, contract: Contract, seq: int, bar: Bar, events: list[OrderEvent]) -> None:
        """Match a bar against the orders that are in force when it opens."""
        at = bar.ts - bar.interval
        part = self._terms.participation
        depth = Depth.at(bar.open, inf if part is None else part * bar.volume, bar.volume)
        active = [order for order in contract.orders.values() if in_force(order, seq, at)]
        if len(active) > 1:
            active.sort(key=_rank)
        self._liquidate(contract, bar.open, at, events)
        for order in active:
            if order.id in contract.orders:
                self._open(contract, order, depth, at, events)
        if not self._reached(contract, active, bar, bool(events)):
            return
        self.both_ways(contract, active, bar, depth.size(True), events)

    def _open(self, contract: Contract, order: Resting, depth: Depth, at: int, events: list[OrderEvent]) -> None:
        price = depth.best(order.buys)
        if not order.arrived:
            self._filling.arrive(contract, order, depth, at, events)
            if order.kind in {"limit", "market"} or not order.arrived:
                return
        if order.kind == "market":
            self._filling.market(contract, order, depth, at, events)
        elif order.by_mark:
            return
        elif order.kind == "limit":
            through = price < order.level if order.falls else price > order.level
            if through or (self._terms.optimistic and price == order.level):
                self._filling.touched(contract, order, depth, at, events)
        else:
            if order.kind == "trailing_stop_market":
                follow(contract.instrument, order, price)
                if not order.active:
                    return
            if price <= order.level if order.falls else price >= order.level:
                self._trigger(contract, order, price, depth, at, events)

    def _trigger(
        self, contract: Contract, order: Resting, price: float, depth: Depth, ts: int, events: list[OrderEvent]
    ) -> None:
        """Fill a conditional order at the price that triggers it; a take-profit no better than its trigger."""
        depth.move(order.level if order.kind == "take_profit_market" else price)
        self._filling.trigger(contract, order, depth, ts, events)
        depth.move(price)

    def _reached(self, contract: Contract, active: list[Resting], bar: Bar, opened: bool) -> bool:
        """Say whether anything is left that the path of the bar can reach."""
        if self._account.asks_margin and contract.mark is None and contract.quantity:
            if opened:
                contract.expect()
                self._account.rebound()
            if bar.low <= contract.liquidation_low or bar.high >= contract.liquidation_high:
                return True
        for order in active:
            if order.id not in contract.orders or order.kind == "market" or order.by_mark:
                continue
            if order.kind == "trailing_stop_market" or (
                bar.low <= order.level if order.falls else bar.high >= order.level
            ):
                return True
        return False

    def both_ways(
        self, contract: Contract, active: Sequence[Resting], bar: Bar, size: float, events: list[OrderEvent]
    ) -> None:
        """Go from the open to the close by both ways, and stay with what came of the worse one."""
        ways = [(bar.open, bar.low, bar.high, bar.close), (bar.open, bar.high, bar.low, bar.close)]
        if contract.quantity < 0:
            ways.reverse()
        names = {order.id for order in active}
        close = Decimal(repr(bar.close))
        outcomes = []
        for way in ways:
            before, wallet = contract.saved(), self._account.wallet
            told: list[OrderEvent] = []
            self._follow(contract, names, way, Depth.at(bar.open, size, bar.volume), bar.ts, told)
            worth = self._account.wallet + contract.position.quantity * close - contract.position.cost
            outcomes.append((worth, told, contract.saved(), self._account.wallet))
            contract.restore(before)
            self._account.wallet = wallet
        first, second = outcomes
        worst = second if second[0] < first[0] else first
        if first[0] != second[0]:
            self.decided += sum(isinstance(event, Executed | Liquidated) for event in worst[1])
        events.extend(worst[1])
        contract.restore(worst[2])
        self._account.wallet = worst[3]

    def _follow(
        self,
        contract: Contract,
        names: set[str],
        way: tuple[float, ...],
        depth: Depth,
        ts: int,
        events: list[OrderEvent],
    ) -> None:
        for begin, end in itertools.pairwise(way):
            if begin == end:
                continue
            falling = end < begin
            now = begin
            while True:
                found = self._next(contract, names, now, end, falling)
                level = found.level if found is not None else nan
                margin_call = self._liquidation(contract, now, end, falling)
                if margin_call is not None and not (level > margin_call if falling else level < margin_call):
                    self._account.close(contract, Decimal(repr(margin_call)), ts, events)
                    continue
                if found is None:
                    break
                # What the path has passed already meets it where it is.
                now = min(now, level) if falling else max(now, level)
                depth.move(now)
                if found.kind == "limit":
                    before = found.left
                    self._filling.touched(contract, found, depth, ts, events)
                    if found.left == before:
                        names = names - {found.id}
                else:
                    self._trigger(contract, found, now, depth, ts, events)
            for order in contract.orders.values():
                if order.kind == "trailing_stop_market" and order.id in names and not order.by_mark:
                    follow(contract.instrument, order, end)

    def _next(self, contract: Contract, names: set[str], now: float, end: float, falling: bool) -> Resting | None:
        """Return the order that a leg of the path reaches first; of several at one price the worst."""
        nearest: Callable[[Resting], tuple[float, int]] = lambda order: (  # noqa: E731 - a key of two lines
            max(now - order.level, 0.0) if falling else max(order.level - now, 0.0),
            order.rank,
        )
        found = [
            order
            for order in contract.orders.values()
            if order.id in names and order.kind != "market" and self._passes(order, end, falling)
        ]
        return min(found, key=nearest, default=None)

    def _passes(self, order: Resting, end: float, falling: bool) -> bool:
        if order.by_mark or (order.kind == "trailing_stop_market" and not order.active) or order.falls != falling:
            return False
        if order.kind == "limit" and not self._terms.optimistic:
            return order.level > end if falling else order.level < end
        return order.level >= end if falling else order.level <= end

    def _liquidation(self, contract: Contract, now: float, end: float, falling: bool) -> float | None:
        """Return the price of a leg at which the position is liquidated."""
        quantity = contract.quantity
        if not quantity or contract.mark is not None or not self._account.asks_margin or (quantity > 0) != falling:
            return None
        level = self._account.liquidated_at(contract)
        if level is None:
            return None
        price = float(level)
        if price < end if falling else price > end:
            return None
        return min(now, price) if falling else max(now, price)

    def _liquidate(self, contract: Contract, price: float, ts: int, events: list[OrderEvent]) -> None:
        """Liquidate at the open what it has passed."""
        if contract.mark is not None or contract.liquidation_low < price < contract.liquidation_high:
            return
        found = self._liquidation(contract, price, price, contract.quantity > 0)
        if found is not None:
            self._account.close(contract, Decimal(repr(found)), ts, events)


def in_force(order: Resting, seq: int, at: int) -> bool:
    """Say whether a price of time `at`, in market event `seq`, may meet an order."""
    return order.after < seq and order.due <= at and (order.cancel_due is None or at < order.cancel_due)


def _rank(order: Resting) -> int:
    return order.rank if order.kind != "market" else 1

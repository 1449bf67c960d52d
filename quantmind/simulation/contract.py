"""A contract: what the venue keeps of one instrument, and the prices between which nothing happens."""

from __future__ import annotations

import copy
import math
from collections.abc import Collection
from decimal import Decimal
from math import inf
from typing import TypeGuard

from quantmind.events import Bar, Book, Market, Quote, Trade
from quantmind.kinds.channel import BOOKS, MARKS, QUOTES, TRADES, Channel
from quantmind.ledger.positions import Position
from quantmind.market.bars import NEVER
from quantmind.market.instruments import Instrument
from quantmind.market.marks import FRESH
from quantmind.simulation.resting import Resting
from quantmind.simulation.tick import Tick


class Contract:
    """The orders and the position of one symbol, its last prices, and cached triggers.

    Orders are matched against quotes and books where there are any, else trades, else the shortest bars.
    """

    __slots__ = (
        "adding",
        "cost",
        "cross",
        "crossed",
        "gone",
        "has_marks",
        "high",
        "instrument",
        "interval",
        "leverage",
        "liquidation_high",
        "liquidation_low",
        "low",
        "mark",
        "mark_high",
        "mark_low",
        "mark_until",
        "order_high",
        "order_low",
        "order_mark_high",
        "order_mark_low",
        "orders",
        "pending",
        "position",
        "quantity",
        "reserved",
        "seen",
        "shows_position",
        "source",
        "symbol",
        "tick",
        "tiers",
        "weight",
    )

    def __init__(self, instrument: Instrument, channels: Collection[Channel]) -> None:
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.source, self.interval = _source(channels)
        self.has_marks = MARKS in channels
        self.shows_position = any(channel.kind == "funding" for channel in channels)
        """Whether events must be shown while a position is held, if only for the funding."""
        self.tick = Tick(instrument)
        self.tiers = [(float(tier.floor), float(tier.rate), float(tier.amount)) for tier in instrument.tiers]
        self.position = Position()
        self.cross = True
        """Whether the whole account backs the position; else its own margin does."""
        self.leverage = Decimal(1)
        self.weight = 1.0
        """How much more margin a notional of it asks for than at the leverage of the account's terms."""
        self.orders: dict[str, Resting] = {}
        self.gone: list[str] = []
        """Orders that ended in the event at hand."""
        self.seen: Market | None = None
        """The last event with a price of its source."""
        self.mark: float | None = None
        """The last mark price since the position was opened, while it is fresh."""
        self.mark_until = NEVER
        """When it is fresh no longer; never without one."""
        self.pending: list[Resting] = []
        """The market orders on their way, which whatever comes next may meet."""
        self.order_low = self.order_mark_low = self.liquidation_low = self.low = self.mark_low = 0.0
        self.order_high = self.order_mark_high = self.liquidation_high = self.high = self.mark_high = inf
        self.adding = (0.0, 0.0, 0.0)
        """The notional of resting limit orders that add to no position, to a long one, to a short one."""
        self.reserved = 0.0
        """The notional of resting limit orders that add to the position as it was when last watched."""
        self.crossed = False
        """Whether the position may have used up its margin: the sums must tell."""
        self.quantity = self.cost = 0.0
        """The position in floats, for the quick sums."""

    @property
    def last(self) -> float | None:
        """The last price: the middle of bid and ask, the trade, the close of the bar."""
        event = self.seen
        if isinstance(event, Bar):
            return event.close
        if isinstance(event, Quote):
            return (event.bid + event.ask) / 2
        if isinstance(event, Book):
            return (event.bids[0][0] + event.asks[0][0]) / 2
        return event.price if isinstance(event, Trade) else None

    @property
    def value_price(self) -> float | None:
        """The price that the position is valued at: the mark, else the last price."""
        if self.mark is not None:
            return self.mark
        event = self.seen
        return event.close if isinstance(event, Bar) else self.last

    def marked(self, price: float, ts: int) -> None:
        """Take note of a mark price."""
        if price > 0:
            self.mark, self.mark_until = price, ts + FRESH

    def unmark(self) -> None:
        """Forget the mark price: what is traded values the position, and may liquidate it."""
        self.mark, self.mark_until = None, NEVER
        self.expect()

    def priced_by(self, event: Market) -> TypeGuard[Quote | Book | Trade | Bar]:
        """Say whether an event has a price that orders of the contract are matched against."""
        if self.source == "quote":
            if isinstance(event, Quote):
                return event.bid > 0 and event.ask > 0
            return isinstance(event, Book) and bool(event.bids and event.asks)
        if self.source == "trade":
            return isinstance(event, Trade) and event.price > 0
        return self.trades(event)

    def trades(self, event: Market) -> bool:
        """Say whether an event is a bar of the contract's interval in which something traded."""
        return isinstance(event, Bar) and event.interval == self.interval and event.volume > 0

    def held(self) -> None:
        """Take note of a changed position."""
        position = self.position
        if position.quantity:
            self.quantity, self.cost = float(position.quantity), float(position.cost)
        else:
            self.quantity = self.cost = 0.0

    def maintenance(self, price: float) -> float:
        """Return the maintenance margin at a price, as a float."""
        notional = abs(self.quantity) * price
        margin = 0.0
        for floor, rate, amount in self.tiers:
            if floor > notional:
                break
            margin = notional * rate - amount
        return margin

    def spare(self, price: float, backing: float) -> float:
        """Return how much more than the maintenance margin there is, as a float."""
        return backing + self.quantity * price - self.cost - self.maintenance(price)

    def bound(self, price: float | None, spare: float) -> None:
        """Cache the prices between which the position cannot use up a share of the margin that is spare."""
        low, high = 0.0, inf
        if price is None or spare <= 0:
            # Every price is of interest.
            low = inf
        elif self.quantity > 0:
            low = max(price - spare * (1 - 1e-9) / self.quantity, 0.0)
        else:
            high = price - spare * (1 - 1e-9) / (self.quantity * (1 + self.tiers[-1][1]))
        self.liquidation_low, self.liquidation_high = low, high
        self.crossed = not low < (price or 0.0) < high
        self.watch()

    def unbound(self) -> None:
        """Forget the cached prices of liquidation: nothing is held."""
        self.liquidation_low, self.liquidation_high = 0.0, inf
        self.crossed = False
        self.watch()

    def expect(self) -> None:
        """Let whatever comes next have a close look, and the triggers of the orders be worked out again."""
        self.order_low = self.order_mark_low = self.low = self.mark_low = inf

    def reaches(self, low: float, high: float) -> bool:
        """Say whether prices between two may do more than meet pending orders."""
        if not (self.order_low < low <= high < self.order_high):
            return True
        return not (self.mark is not None or self.liquidation_low < low <= high < self.liquidation_high)

    def _rescan(self) -> None:
        low, high, mark_low, mark_high = 0.0, inf, 0.0, inf
        pending: list[Resting] = []
        buying: list[float] = []
        selling: list[float] = []
        for order in self.orders.values():
            if order.plain:
                pending.append(order)
                continue
            if not order.arrived or order.kind == "market" or order.cancel_due is not None or order.amends:
                # It waits for whatever comes next.
                low = mark_low = inf
                continue
            level = order.level
            if order.kind == "trailing_stop_market":
                least, most = trailing_range(order)
            elif order.falls:
                least, most = level, inf
            else:
                least, most = 0.0, level
            if order.by_mark:
                mark_low, mark_high = max(mark_low, least), min(mark_high, most)
            else:
                low, high = max(low, least), min(high, most)
            if order.kind == "limit" and not order.reduces:
                (buying if order.buys else selling).append(float(order.left) * level)
        self.pending = pending
        self.order_low, self.order_high, self.order_mark_low, self.order_mark_high = low, high, mark_low, mark_high
        self.adding = (math.fsum(buying + selling), math.fsum(buying), math.fsum(selling))

    def watch(self) -> None:
        """Cache the prices between which an event changes nothing, with the orders and the position as they are."""
        if self.order_low == inf:
            self._rescan()
        low, high, mark_low, mark_high = self.order_low, self.order_high, self.order_mark_low, self.order_mark_high
        quantity = self.quantity
        if quantity and self.mark is not None:
            mark_low, mark_high = max(mark_low, self.liquidation_low), min(mark_high, self.liquidation_high)
        elif quantity:
            low, high = max(low, self.liquidation_low), min(high, self.liquidation_high)
        self.low = inf if self.pending else low
        self.high = high
        self.mark_low = mark_low
        self.mark_high = mark_high
        self.reserved = self.adding[0 if not quantity else 1 if quantity > 0 else 2]

    def forget(self, order: Resting) -> None:
        """Take an order that ended off."""
        del self.orders[order.id]
        self.gone.append(order.id)

    def saved(self) -> tuple[Position, dict[str, Resting], list[str]]:
        """Return what matching changes, to be gone back to."""
        orders = {order.id: order.copy() for order in self.orders.values()}
        return copy.copy(self.position), orders, self.gone.copy()

    def restore(self, saved: tuple[Position, dict[str, Resting], list[str]]) -> None:
        """Go back to what was saved."""
        self.position, self.orders, self.gone = saved
        self.held()


def trailing_range(order: Resting) -> tuple[float, float]:
    """Return the prices between which a trailing stop neither triggers nor moves."""
    if not order.active and order.trigger is None:
        # One that was restored before it saw a price: the next is its first.
        return inf, inf
    if order.buys:
        return (order.extreme, order.level) if order.active else (order.level, inf)
    return (order.level, order.extreme) if order.active else (0.0, order.level)


def _source(channels: Collection[Channel]) -> tuple[str, int]:
    if QUOTES in channels or BOOKS in channels:
        return "quote", 0
    if TRADES in channels:
        return "trade", 0
    shortest = min((channel for channel in channels if channel.kind == "bar"), default=None)
    return ("bar", shortest.interval) if shortest is not None else ("", 0)

"""A desk: what the Trader keeps of one symbol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import inf
from typing import Any

import msgspec

from quantmind.events import Bar, Book, FundingRate, Mark, Market, OrderState, Quote, Share, Target, Trade
from quantmind.ledger.positions import Position
from quantmind.ledger.sub_positions import SubPositions, spread
from quantmind.market.bars import NEVER
from quantmind.market.instruments import Instrument
from quantmind.market.marks import FRESH
from quantmind.trader.guard import Guard
from quantmind.trader.orders import Order

_ZERO = Decimal(0)


TRIES = 2
"""How often a stop may be refused before the position is left at market, and an exit before it must wait."""


WHATEVER = Decimal("Infinity")
"""As much as a Target wants."""


class DeskState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of a desk no fact tells."""

    blocked: dict[str, int] = {}
    desired: dict[str, Decimal] = {}
    guards: dict[str, Guard] = {}
    stale: bool = False
    urgent: Decimal | None = None
    held_up: bool = False
    failures: int = 0
    exits: int = 0
    retry_at: int = 0


class Desk:
    """The last prices, the Target, the open orders, the position of a symbol and what of it is whose."""

    __slots__ = (
        "absent",
        "ask",
        "bid",
        "blocked",
        "calm_high",
        "calm_low",
        "cost_now",
        "desired",
        "exits",
        "failures",
        "guards",
        "held_up",
        "high",
        "index",
        "instrument",
        "last",
        "low",
        "mark",
        "marked_at",
        "orders",
        "position",
        "priced_at",
        "protective",
        "quantity_now",
        "retry_at",
        "routes",
        "shared",
        "stale",
        "subs",
        "target",
        "urgent",
        "value_price",
    )

    leverage: Decimal | None = None

    def __init__(self, index: int, instrument: Instrument, position: Position, strategies: Sequence[str]) -> None:
        self.index = index
        """Its place in the recipe: intents of one event are judged in this order."""
        self.instrument = instrument
        self.position = position
        self.subs = SubPositions(strategies, instrument.step)
        self.shared = len(self.subs.positions) > 1
        """Whether the position may belong to several strategies."""
        self.last: float | None = None
        """The last price, of any kind but a mark unless there is no other."""
        self.mark: float | None = None
        self.marked_at = 0
        self.value_price: float | None = None
        """What the position is valued at: the mark price while it is fresh, else the last price."""
        self.bid = self.ask = 0.0
        """The best prices of the last quote or book; 0 before one."""
        self.high = self.low = 0.0
        """How far the price went in the last event."""
        self.priced_at = 0
        self.target: Target | None = None
        self.orders: dict[str, Order] = {}
        """The working orders by id."""
        self.protective: dict[str, Order] = {}
        """The open stops and take-profits by id."""
        self.absent: list[Order] = []
        """Orders that the venue never received, to be given up as soon as there is a price."""
        self.stale = False
        """The intent must be computed anew when a cancel is confirmed or the account is ready."""
        self.held_up = False
        """A part of the intent was refused for want of health: it is computed anew when all is well again."""
        self.urgent: Decimal | None = None
        """What is left of an entry that had its time: it goes at market, and no more than that for the same Target."""
        self.blocked: dict[str, int] = {}
        """Strategies that were stopped out, and on which side: their share is 0 until they change their mind."""
        self.desired: dict[str, Decimal] = {}
        """The sub-positions that were wanted when the intent was computed last."""
        self.guards: dict[str, Guard] = {}
        self.failures = 0
        """How often a stop of the present position was refused or taken away."""
        self.exits = 0
        """How often an exit of it was, since the last one that was not."""
        self.retry_at = 0
        """When (ns) what the venue refused is tried again; 0 when nothing is."""
        self.routes: Any = None
        """The rules that want market events of this symbol, by type; see `rules.py`."""
        self.quantity_now = self.cost_now = 0.0
        """The position as floats, for what is looked at at every event."""
        self.calm_low, self.calm_high = inf, -inf
        """Between these prices the equity has no new peak and no new low: nobody need look."""

    def note(self, event: Market) -> None:
        """Take note of a price."""
        # This runs for every event: the exact type is the fastest question.
        kind = event.__class__
        if kind is Bar:
            # The close of a bar without trades is an older price than a quote's.
            if event.volume or self.last is None:  # type: ignore[union-attr] # a bar
                self.last = close = event.close  # type: ignore[union-attr] # a bar
                self.high = event.high  # type: ignore[union-attr] # a bar
                self.low = event.low  # type: ignore[union-attr] # a bar
                self.priced_at = event.ts
                if self.mark is None:
                    self.value_price = close
                else:
                    self._value(event.ts)
        elif kind is Quote:
            self.bid = self.low = event.bid  # type: ignore[union-attr] # a quote
            self.ask = self.high = event.ask  # type: ignore[union-attr] # a quote
            self.last = (event.bid + event.ask) / 2  # type: ignore[union-attr] # a quote
            self.priced_at = event.ts
            self._value(event.ts)
        elif kind is Trade:
            self.last = self.high = self.low = event.price  # type: ignore[union-attr] # a trade
            self.priced_at = event.ts
            self._value(event.ts)
        elif kind is Mark:
            self._mark(event.price, event.ts)  # type: ignore[union-attr] # a mark
        elif kind is FundingRate:
            if event.mark:  # type: ignore[union-attr] # a funding rate
                self._mark(event.mark, event.ts)  # type: ignore[union-attr] # a funding rate
        elif kind is Book and event.bids and event.asks:  # type: ignore[union-attr] # a book
            self.bid = self.low = event.bids[0][0]  # type: ignore[union-attr] # a book
            self.ask = self.high = event.asks[0][0]  # type: ignore[union-attr] # a book
            self.last = (self.bid + self.ask) / 2
            self.priced_at = event.ts
            self._value(event.ts)

    def _mark(self, price: float, ts: int) -> None:
        self.mark = self.value_price = price
        self.marked_at = ts
        if self.last is None:
            self.last = self.high = self.low = price
            self.priced_at = ts

    def _value(self, ts: int) -> None:
        if self.mark is None or ts - self.marked_at > FRESH:
            self.value_price = self.last

    def changes(self, target: Target) -> bool:
        """Say whether a Target is another one than the last."""
        last = self.target
        return last is None or last.value != target.value or last.shares != target.shares

    # What limits see of it (`Holding`).

    @property
    def quantity(self) -> Decimal:
        """The signed position."""
        return self.position.quantity

    @property
    def cost(self) -> Decimal:
        """What the open quantity was bought for, negative when short."""
        return self.position.cost

    @property
    def exposure(self) -> Decimal:
        """The notional that the position may come to, its working orders included; at cost without a price."""
        if self.last is None:
            return abs(self.position.cost)
        long = short = self.position.quantity
        for order in self.orders.values():
            if order.buys:
                long += order.remaining
            else:
                short += order.remaining
        return max(abs(long), abs(short)) * Decimal(repr(self.last))

    @property
    def net(self) -> Decimal:
        """The signed notional once all working orders are filled; at cost without a price."""
        return self.position.cost if self.last is None else self.effective() * Decimal(repr(self.last))

    @property
    def working(self) -> int:
        """The number of its working orders."""
        return len(self.orders)

    def unrealised_now(self) -> float:
        """Return the unrealised profit as a float."""
        price = self.value_price
        if price is None or not self.quantity_now:
            return 0.0
        return self.quantity_now * price - self.cost_now

    def effective(self) -> Decimal:
        """Return the signed position once all working orders are filled; what only reduces ends at 0."""
        held = effective = self.position.quantity
        if not self.orders:
            return effective
        reducing = _ZERO
        for order in self.orders.values():
            if order.reduce_only:
                reducing += order.remaining
            else:
                effective += order.remaining
        if not reducing or (reducing > 0) == (held > 0):
            return effective
        return effective + (max(reducing, -held) if held > 0 else min(reducing, -held))

    def unclosed(self, *, buys: bool) -> Decimal:
        """Return what of a position on the other side no market order is closing yet; 0 of one on this side."""
        left = self.position.quantity
        for order in self.orders.values():
            if order.buys == buys and order.order_type == "market":
                left += order.remaining
        return abs(left) if left and (left < 0) == buys else _ZERO

    def cancelling(self) -> bool:
        """Say whether a cancel is not confirmed yet."""
        return any(order.state is OrderState.CANCELLING for order in self.orders.values())

    def closing(self) -> bool:
        """Say whether a stop or take-profit is being filled: what it leaves is not known yet."""
        return any(order.filled for order in self.protective.values())

    # Whose the position is.

    def shares(self) -> tuple[Decimal, Sequence[Share]]:
        """Return the value of the Target and its shares, less those of strategies that were stopped out."""
        target = self.target
        if target is None:
            return _ZERO, ()
        if not self.blocked:
            return target.value, target.shares
        shares = tuple(share for share in target.shares if share.strategy not in self.blocked)
        return sum((share.value for share in shares), Decimal(0)), shares

    def unblock(self, target: Target) -> None:
        """Let strategies back in that a Target shows to have changed their mind."""
        if self.blocked:
            said = {share.strategy: share.value for share in target.shares}
            self.blocked = {
                strategy: side for strategy, side in self.blocked.items() if said.get(strategy, _ZERO) * side > 0
            }

    def block(self, side: int) -> None:
        """Set the shares of all strategies on a side to 0, until they change their mind."""
        target = self.target
        shares = {share.strategy: share.value for share in target.shares} if target is not None else {}
        for strategy, value in shares.items():
            if value * side > 0:
                self.blocked[strategy] = side
        for strategy, position in self.subs.positions.items():
            # A strategy that has changed its mind already, and is on its way out, is not stopped out.
            if position.quantity * side > 0 and (strategy not in shares or strategy in self.blocked):
                self.blocked.setdefault(strategy, side)
                self.desired[strategy] = _ZERO

    def leave(self, strategy: str, side: int) -> bool:
        """Set the share of one strategy on a side to 0, until it changes its mind; says whether that is new."""
        target = self.target
        if target is None or strategy in self.blocked:
            return False
        if not any(share.strategy == strategy and share.value * side > 0 for share in target.shares):
            return False
        self.blocked[strategy] = side
        return True

    def wish(self, wanted: Decimal, budget: Decimal, shares: Sequence[Share]) -> None:
        """Work out which sub-positions a wanted net position is made of."""
        if not self.shared and len(shares) == 1:
            self.desired = {shares[0].strategy: wanted}
            return
        parts = dict.fromkeys(self.subs.positions, _ZERO)
        parts.update({share.strategy: share.value * budget for share in shares})
        self.desired = spread(wanted, parts, self.instrument.step)

    def transfers(self) -> Mapping[str, Decimal]:
        """Return what strategies can pass to each other on the way to what is wanted; empty when nothing."""
        passed, _ = self.subs.plan(self.desired, {})
        return {strategy: quantity for strategy, quantity in passed.items() if quantity}

    def allot(self, quantity: Decimal, *, protective: bool) -> Mapping[str, Decimal]:
        """Split a signed fill among strategies: by what each still wants, a protective one by what it closes."""
        positions = self.subs.positions
        if not self.shared:
            return dict.fromkeys(positions, quantity)
        rest = {}
        for strategy, position in positions.items():
            held = position.quantity
            rest[strategy] = -held if protective else self.desired.get(strategy, held) - held
        return self.subs.allot(quantity, {s: q for s, q in rest.items() if q * quantity > 0})

    # What protects it.

    def watch(self, order_distance: Decimal | None, ts: int, after: int) -> None:
        """Guard each sub-position: one that was opened or turned around anew, one that is closed no longer."""
        for strategy, position in self.subs.positions.items():
            quantity = position.quantity
            guard = self.guards.get(strategy)
            if not quantity:
                if guard is not None:
                    del self.guards[strategy]
                continue
            side = 1 if quantity > 0 else -1
            if guard is None or guard.side != side:
                self.guards[strategy] = Guard(side, ts, after, float(position.average_price), order_distance)

    def net_stop(self) -> Decimal | None:
        """Return the tightest stop of the strategies on the side of the net position."""
        side = self._side()
        stops = [guard.stop for guard in self.guards.values() if guard.side == side and guard.stop is not None]
        return (max if side > 0 else min)(stops, default=None)

    def net_take_profit(self) -> Decimal | None:
        """Return the nearest take-profit of the strategies on the side of the net position."""
        side = self._side()
        levels = [g.take_profit for g in self.guards.values() if g.side == side and g.take_profit is not None]
        return (min if side > 0 else max)(levels, default=None)

    def next_end(self) -> int:
        """Return the earliest time at which a sub-position is closed at market."""
        return min((guard.until for guard in self.guards.values() if guard.until is not None), default=NEVER)

    def left(self, seq: int) -> list[str]:
        """Return the strategies whose own stop was hit by the last event, where the venue holds none for them."""
        side = self._side()
        return [
            strategy
            for strategy, guard in self.guards.items()
            if guard.side != side and seq > guard.after and guard.hit(self.high, self.low)
        ]

    def _side(self) -> int:
        quantity = self.position.quantity
        return (quantity > 0) - (quantity < 0)

    def state(self) -> DeskState:
        """Return what of it no fact tells."""
        return DeskState(
            self.blocked,
            self.desired,
            self.guards,
            self.stale,
            self.urgent,
            self.held_up,
            self.failures,
            self.exits,
            self.retry_at,
        )

    def restore(self, state: DeskState) -> None:
        """Take back what was saved."""
        self.blocked, self.desired, self.guards = state.blocked, state.desired, state.guards
        # Health does not outlive the process: what it held up is computed as soon as it can be.
        self.stale, self.urgent = state.stale or state.held_up, state.urgent
        self.failures, self.exits, self.retry_at = state.failures, state.exits, state.retry_at

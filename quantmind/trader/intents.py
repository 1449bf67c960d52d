"""Intents: what a Target wants and neither the position nor the working orders give."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from quantmind.events import Side, Target
from quantmind.kinds.sizing import Sizing
from quantmind.trader.desk import WHATEVER, Desk
from quantmind.trader.entry import LimitEntry
from quantmind.trader.floor import MOST_PARTS, Floor
from quantmind.trader.gate import STALE, Approved, Intent
from quantmind.trader.orders import Order
from quantmind.trader.stops import Stops

_ZERO = Decimal(0)
_ONE = Decimal(1)


class Intents:
    """Works intents out, has the gate judge them, and places what may pass."""

    def __init__(self, floor: Floor, no_trade_band: Decimal, entry: LimitEntry | None, stops: Stops) -> None:
        self._floor = floor
        self._stops = stops
        self._band = no_trade_band
        self._entry = entry

    def compute(self, desk: Desk, ts: int, commands: list[Approved]) -> None:
        """Order what is wanted and not held or working; what waits for an answer is computed when it comes."""
        floor = self._floor
        target = desk.target
        if target is None:
            return
        if floor.unanswered or desk.closing():
            desk.stale = True
            return
        if desk.last is None:
            desk.stale = True
            floor.unpriced.add(target.symbol)
            return
        desk.stale, desk.held_up = desk.cancelling(), False
        urgent, desk.urgent = desk.urgent, None
        price = Decimal(repr(desk.last))
        equity = floor.books.equity
        distance = floor.rules.distance(target.symbol, price) if floor.rules.guards else None
        budget = floor.rules.budget(Sizing(desk.instrument, price, equity, distance))
        value, shares = desk.shares()
        wanted = desk.instrument.quantity(value * budget)
        desk.wish(wanted, budget, shares)
        effective = desk.effective()
        quantity = wanted - effective
        if urgent is not None:
            most = urgent + abs(effective) if effective * quantity < 0 else urgent
            quantity = max(-most, min(most, quantity))
        if floor.latches.flattening:
            # The position is on its way out; all that is left to say is what may not be had.
            if quantity and abs(wanted) > abs(effective):
                self._judged(target, self._intent(desk, quantity, effective, price, equity, distance, ts))
            return
        turned = effective * wanted < 0
        small = bool(wanted) and not turned and abs(quantity) < self._band * budget
        if not small and quantity and desk.orders and self._cancel_opposed(desk, quantity > 0, ts, commands):
            desk.stale = True
            return
        if desk.shared:
            self._pass_on(desk, target, budget, price, distance, ts, commands)
        if not quantity or small:
            return
        self._order(desk, target, quantity, effective, price, equity, distance, ts, urgent is not None, commands)

    def _pass_on(
        self,
        desk: Desk,
        target: Target,
        budget: Decimal,
        price: Decimal,
        distance: Decimal | None,
        ts: int,
        commands: list[Approved],
    ) -> None:
        """Let strategies that want the opposite of each other pass positions on, at the mark and without fees."""
        transfers = desk.transfers()
        if not transfers:
            return
        volume = sum((abs(quantity) for quantity in transfers.values()), Decimal(0)) / 2
        if volume < self._band * budget and all(desk.desired.get(strategy) for strategy in transfers):
            return
        at = price if desk.value_price is None else Decimal(repr(desk.value_price))
        self._floor.pass_on(desk, transfers, at, ts, target.id)
        if self._floor.rules.guards:
            desk.watch(distance, ts, self._floor.came_in)
            self._stops.reckon(desk)
            self._stops.rest(desk, ts, commands)

    def _intent(
        self,
        desk: Desk,
        quantity: Decimal,
        effective: Decimal,
        price: Decimal,
        equity: Decimal,
        distance: Decimal | None,
        ts: int,
    ) -> Intent:
        floor = self._floor
        opposite = effective != 0 and (effective > 0) != (quantity > 0)
        held = _ZERO if opposite else abs(effective)
        gross = held * price
        if len(floor.desks) > 1:
            for other in floor.desks.values():
                if other is not desk:
                    gross += other.exposure
        books = floor.books
        books.ts = max(books.ts, ts)
        mark = desk.value_price
        unprotected = ""
        if floor.rules.protects and distance is None:
            unprotected = "no stop distance yet: the protection has not seen enough"
        return Intent(
            desk.instrument,
            "buy" if quantity > 0 else "sell",
            abs(quantity),
            min(abs(quantity), abs(effective)) if opposite else _ZERO,
            price,
            held,
            gross,
            equity,
            ts,
            desk.priced_at,
            None if mark is None else Decimal(repr(mark)),
            books,
            unprotected,
        )

    def _judged(self, target: Target, intent: Intent) -> tuple[Decimal, bool]:
        """Return what may pass, and whether as reduce-only; what may not is on record."""
        passed, reduce_only, cuts = self._floor.gate.judge(intent)
        for cut in cuts:
            self._floor.chronicle.refusal(
                target.symbol, intent.side, cut.quantity, cut.code, cut.figures, target.ts, target.id
            )
            if cut.code == STALE:
                self._floor.desks[target.symbol].held_up = True
        return passed, reduce_only

    def _cancel_opposed(self, desk: Desk, buys: bool, ts: int, commands: list[Approved]) -> bool:
        """Cancel the working orders on the other side; says whether there are any."""
        opposed = False
        for order in desk.orders.values():
            if order.buys != buys:
                opposed = True
                self._floor.cancel(order, ts, commands)
        return opposed

    def _order(
        self,
        desk: Desk,
        target: Target,
        quantity: Decimal,
        effective: Decimal,
        price: Decimal,
        equity: Decimal,
        distance: Decimal | None,
        ts: int,
        urgent: bool,
        commands: list[Approved],
    ) -> None:
        floor = self._floor
        entry = None if urgent else self._entry
        limit = _limit_price(desk, quantity > 0, entry) if entry is not None else None
        intent = self._intent(desk, quantity, effective, price if limit is None else limit, equity, distance, ts)
        passed, reduce_only = self._judged(target, intent)
        if desk.exits and intent.reducing:
            # The venue would not take it whole: first what closes the position.
            passed, reduce_only = min(passed, intent.reducing), True
        if not passed:
            return
        if entry is None or limit is None or reduce_only:
            self._at_market(desk, target, intent.side, passed, reduce_only, distance, ts, commands)
            return
        # A position is left at market; only what opens one waits for its price.
        reducing = min(desk.unclosed(buys=quantity > 0), passed)
        if reducing:
            self._at_market(desk, target, intent.side, reducing, True, distance, ts, commands)
        increase = passed - reducing
        if increase * limit < desk.instrument.min_notional:
            figures = f"notional {increase * limit} < minimum {desk.instrument.min_notional}"
            floor.chronicle.refusal(
                target.symbol, intent.side, increase, "below_minimum_notional", figures, target.ts, target.id
            )
            return
        order = floor.draft(desk, intent.side, increase, ts, target.id, "target")
        order.order_type, order.price, order.distance = "limit", limit, distance
        order.deadline = ts + entry.timeout
        floor.alarm = min(floor.alarm, order.deadline)
        floor.place(desk, order, commands)

    def _at_market(
        self,
        desk: Desk,
        target: Target,
        side: Side,
        quantity: Decimal,
        reduce_only: bool,
        distance: Decimal | None,
        ts: int,
        commands: list[Approved],
    ) -> None:
        """Place market orders, none of them larger than the venue takes at once.

        There are not more than it is well-mannered to send: what closes follows when these are done, what opens is
        refused.
        """
        most = desk.instrument.max_quantity or quantity
        for _ in range(MOST_PARTS):
            part = min(quantity, most)
            quantity -= part
            order = self._floor.draft(desk, side, part, ts, target.id, "target", reduce_only=reduce_only)
            order.distance = distance
            self._floor.place(desk, order, commands)
            if not quantity:
                return
        if reduce_only:
            desk.stale = True
            return
        figures = f"more than {MOST_PARTS} orders of {most:f} at once"
        self._floor.chronicle.refusal(
            target.symbol, side, quantity, "above_maximum_quantity", figures, target.ts, target.id
        )

    def give_up(self, desk: Desk, ts: int, commands: list[Approved]) -> None:
        """Cancel the entries whose time is over."""
        for order in desk.orders.values():
            if order.deadline and ts > order.deadline:
                self._floor.cancel(order, ts, commands)

    def given_up(self, desk: Desk, order: Order) -> None:
        """Learn that an entry that had its time is cancelled: what is left goes at market, if the recipe says so."""
        held = desk.position.quantity
        if self._entry is not None and self._entry.then == "market":
            same = desk.target is not None and desk.target.id == order.cause
            desk.stale, desk.urgent = True, order.quantity - order.filled if same else WHATEVER
        elif held and (held > 0) != order.buys:
            # A part of it would have closed the position: an exit does not wait.
            desk.stale = True

    def next_deadline(self, desk: Desk) -> int:
        """Return the earliest time at which an entry is given up; 0 when none is."""
        return min((order.deadline for order in desk.orders.values() if order.deadline), default=0)


def _limit_price(desk: Desk, buys: bool, entry: LimitEntry) -> Decimal | None:
    """Return the price of an entry: the best of its own side, less so many ticks; the last price without quotes."""
    tick = desk.instrument.tick
    best = (desk.bid if buys else desk.ask) or desk.last
    if best is None:
        return None
    rounding = ROUND_FLOOR if buys else ROUND_CEILING
    price = (Decimal(repr(best)) / tick).quantize(_ONE, rounding) * tick
    away = entry.offset_ticks * tick
    price = price - away if buys else price + away
    return price if price > 0 else None

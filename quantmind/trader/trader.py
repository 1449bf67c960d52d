"""The Trader: Targets, market events and order events in, approved commands and facts out.

It does no I/O but through the journal, reads no clock and draws no random number.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

from quantmind.events import (
    Absent,
    Accepted,
    Amended,
    AmendRejected,
    Cancelled,
    CancelRejected,
    Executed,
    Funded,
    Instruction,
    Liquidated,
    Market,
    OrderEvent,
    OrderState,
    Query,
    Rejected,
    Target,
    Triggered,
    Upto,
)
from quantmind.market.bars import NEVER
from quantmind.market.instruments import Instrument
from quantmind.trader.desk import TRIES, Desk
from quantmind.trader.entry import LimitEntry
from quantmind.trader.floor import Floor
from quantmind.trader.gate import Approved, Gate
from quantmind.trader.halts import Halts
from quantmind.trader.intents import Intents
from quantmind.trader.journal import Journal
from quantmind.trader.orders import Order
from quantmind.trader.restart import AUTOCLOSE, Restored, restore, states, valued
from quantmind.trader.rules import Rules
from quantmind.trader.stops import Stops

_NONE: Sequence[Approved] = ()
_RETRY_AFTER = 10_000_000_000
"""Event time after which what the venue refused twice is tried again, in ns."""
_VALUED_EVERY = 4 * 3_600_000_000_000
"""Event time between two valuations of an account that holds something, in ns."""


class Trader:
    """Turns Targets into vetted orders, and what becomes of them into facts.

    Its state is the journal's: a Trader made on a journal goes on where that one ends, or with `new_epoch` at the
    start of a feed that numbers its events anew. It trades when it is `ready`: after a restart every order in
    flight has been asked for first.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        strategies: Sequence[str],
        rules: Rules,
        gate: Gate,
        journal: Journal,
        no_trade_band: Decimal,
        entry: LimitEntry | None = None,
        new_epoch: bool = False,
    ) -> None:
        self._floor = floor = Floor(instruments, strategies, rules, gate, journal, new_epoch)
        self.gate = gate
        self.account = floor.account
        self.books = floor.books
        self.chronicle = floor.chronicle
        self.latches = floor.latches
        self.unpriced = floor.unpriced
        """The symbols whose intent waits for a first price; the same object for ever."""
        self._desks = floor.desks
        self._rules = rules
        self._stops = Stops(floor)
        self._intents = Intents(floor, no_trade_band, entry, self._stops)
        self._halts = Halts(floor)
        self._value_at = 0
        restored = restore(floor) if self.chronicle.resumed else Restored()
        self._moved = restored.moved
        self._valued = restored.valued
        self._settled = restored.settled
        self.chronicle.states = self._states
        if rules.listens:
            self.chronicle.hear = rules.hear

    @property
    def came_in(self) -> int:
        """The last market event that came in: handled, or being matched before it is."""
        return self._floor.came_in

    @property
    def now(self) -> int:
        """The time of the last event, ns UTC; 0 before the first one."""
        return self._floor.now

    @property
    def ready(self) -> bool:
        """Whether the fate of every order is known."""
        return not self._floor.unanswered

    @property
    def figures(self) -> dict[str, float]:
        """What the rules publish of themselves, by name."""
        return self._rules.figures

    def equity(self) -> Decimal:
        """Return the wallet with open positions at the last mark, else the last price."""
        return self.books.equity

    # Restarts.

    def _states(self) -> dict[str, str]:
        return {**states(self._floor), **self._rules.states()}

    def in_flight(self) -> list[Query | Approved]:
        """Return, after a restart, what to ask and what to say again, in the order it was said first.

        A cancel does no harm when it is repeated; a submit might, so that order is asked for instead.
        """
        items: list[Query | Approved] = []
        for order in sorted(self._floor.orders.values(), key=lambda order: order.trail[-1].number):
            if not order.acknowledged:
                items.append(Query(order.id, order.symbol))
            if order.state is OrderState.CANCELLING:
                items.append(self.gate.cancel(order))
            elif order.moving is not None:
                items.append(self.gate.amend(order))
        return items

    def acknowledged(self) -> list[Order]:
        """Return the open orders that the venue is known to have."""
        return [order for order in self._floor.orders.values() if order.acknowledged]

    def asked(self, order: str) -> Query | None:
        """Return what to ask about an order that may still trade; None when it may not."""
        known = self._floor.orders.get(order)
        return Query(order, known.symbol) if known is not None else None

    def withdrawn(self, order: str) -> bool:
        """Say whether an order was taken back, or is over, before its command was performed."""
        known = self._floor.orders.get(order)
        return known is None or known.state is not OrderState.INTENT

    def warm_up(self, event: Market) -> None:
        """Show the rules an event of before the first one."""
        desk = self._desks.get(event.symbol)
        if desk is not None and desk.routes:
            self._rules.show(desk.routes, event)

    def remember(self, event: Market) -> None:
        """Take note of a price that was handled before a restart."""
        self._floor.now = event.ts
        desk = self._desks.get(event.symbol)
        if desk is not None:
            desk.note(event)
            if desk.routes:
                self._rules.show(desk.routes, event)
        if event.ts > self._value_at:
            self._value_at = _next(event.ts)

    def miss_prices(self) -> None:
        """Know again, after a restart, which intents wait for a first price."""
        for symbol, desk in self._desks.items():
            if desk.target is not None and desk.last is None:
                desk.stale = True
                self.unpriced.add(symbol)

    def settle(self) -> list[Approved]:
        """Do what a restart may have interrupted: stops that were not placed, positions that must be closed."""
        commands: list[Approved] = []
        if self.ready and self.chronicle.resumed:
            for desk in self._desks.values():
                self._stops.rest(desk, self._floor.now, commands)
            self._halts.obey(self._floor.now, commands)
        return commands

    # Market events.

    def on_arrival(self, seq: int, ts: int) -> None:
        """Learn that market event `seq` has come in and open orders are matched against it.

        What those order events lead to is decided now, not at the times they carry, and not for this event.
        """
        self._floor.arrived = seq
        self._floor.now = ts

    def on_market(self, seq: int, event: Market) -> Sequence[Approved]:
        """Handle a market event; returns the commands to perform. The position moves on to this event."""
        chronicle = self.chronicle
        chronicle.seq = seq
        chronicle.n = 0
        self._floor.now = event.ts
        commands = self._ring(event.ts) if event.ts > self._floor.alarm else _NONE
        desk = self._desks.get(event.symbol)
        if desk is None:
            return commands
        desk.note(event)
        if desk.routes or desk.guards:
            shown = bool(desk.routes) and self._rules.show(desk.routes, event)
            if desk.guards:
                commands = [*commands, *self._guard(desk, seq, event.ts, shown)]
        if desk.quantity_now and not desk.calm_low <= (desk.value_price or 0.0) <= desk.calm_high:
            self.books.look()
        if self._rules.watchers:
            commands = list(commands)
            self._halts.watch(event.ts, commands)
        elif self._floor.unvalued:
            valued(self._floor)
        return commands

    def _guard(self, desk: Desk, seq: int, ts: int, shown: bool) -> list[Approved]:
        """Follow the price with the levels of each sub-position; leave those that no resting stop covers."""
        commands: list[Approved] = []
        high, low = desk.high, desk.low
        for guard in desk.guards.values():
            if seq > guard.after:
                guard.better(high, low)
        left = desk.left(seq) if len(desk.guards) > 1 or not desk.quantity_now else ()
        if left:
            left = [strategy for strategy in left if desk.leave(strategy, desk.guards[strategy].side)]
            self._floor.journal.dirty = self._floor.journal.dirty or bool(left)
        if shown and self._stops.reckon(desk, unasked=False):
            self._stops.rest(desk, ts, commands)
        if left:
            self._intents.compute(desk, ts, commands)
        return commands

    def _ring(self, ts: int) -> list[Approved]:
        """Do what was due before an event of time `ts`."""
        commands: list[Approved] = []
        if ts > self._value_at:
            if self._moved or any(desk.position.quantity for desk in self._desks.values()):
                self.value(self._value_at)
            self._value_at = _next(ts)
        alarm = self._value_at
        for desk in self._desks.values():
            if desk.orders:
                self._intents.give_up(desk, ts, commands)
            ended = [s for s, guard in desk.guards.items() if guard.until is not None and ts > guard.until]
            for strategy in ended:
                desk.guards[strategy].until = None
                self._floor.journal.dirty = True
            if [strategy for strategy in ended if desk.leave(strategy, desk.guards[strategy].side)]:
                self._intents.compute(desk, ts, commands)
            if desk.retry_at and ts > desk.retry_at:
                self._try_again(desk, ts, commands)
            alarm = min(alarm, desk.next_end(), self._intents.next_deadline(desk) or NEVER, desk.retry_at or NEVER)
        self._floor.alarm = alarm
        return commands

    def _try_again(self, desk: Desk, ts: int, commands: list[Approved]) -> None:
        """Say again what the venue refused: the stop, the exit, and what was to be cancelled."""
        desk.retry_at = desk.exits = desk.failures = 0
        self._floor.journal.dirty = True
        for order in (*desk.orders.values(), *desk.protective.values()):
            if order.closes and order.filled >= order.quantity:
                self.chronicle.step(order, OrderState.FILLED, ts)
                self._floor.keep(desk, order)
            elif order.state is OrderState.CANCELLING:
                commands.append(self.gate.cancel(order))
        self._stops.rest(desk, ts, commands)
        if desk.position.quantity:
            self._intents.compute(desk, ts, commands)
        self._halts.obey(ts, commands)

    def waits(self, symbol: str) -> bool:
        """Say whether the venue refused something that is tried again in a while."""
        return self._desks[symbol].retry_at > 0

    def value(self, ts: int) -> None:
        """Record what the account is worth."""
        prices = tuple((symbol, desk.value_price) for symbol, desk in self._desks.items() if desk.value_price)
        if prices:
            self._moved = False
            self._valued = ts
            self.chronicle.valuation(ts, self.books.equity, prices)

    def end(self) -> None:
        """Record what the account is worth at the end of a run."""
        held = any(desk.position.quantity for desk in self._desks.values())
        if self._moved or (held and self._valued < self._floor.now):
            self.value(self._floor.now)

    def on_price(self, event: Market) -> list[Approved]:
        """Compute the intent that waited for this price; returns the commands to perform."""
        commands: list[Approved] = []
        desk = self._floor.desk(event.symbol)
        if desk.last is not None:
            self.unpriced.discard(event.symbol)
            self._floor.journal.dirty = True
            self._floor.now = event.ts
            for order in desk.absent:
                self._give_up(desk, order)
            desk.absent.clear()
            self._intents.compute(desk, event.ts, commands)
            self._halts.obey(event.ts, commands)
        return commands

    # Targets.

    def on_upto(self, upto: Upto) -> list[Approved]:
        """Take what the Decider says; returns the commands to perform, their intents on record."""
        changed: list[Desk] = []
        targets: list[Target] = []
        for target in upto.targets:
            desk = self._floor.desk(target.symbol)
            if desk.changes(target):
                desk.target = target
                desk.unblock(target)
                if desk.failures >= TRIES and desk.position.quantity:
                    # It is being left because the venue takes no stop for it: nobody else takes it over.
                    desk.block(1 if desk.position.quantity > 0 else -1)
                changed.append(desk)
                targets.append(target)
        self.chronicle.decision(upto, tuple(targets))
        if len(changed) > 1:
            changed.sort(key=lambda desk: desk.index)
        commands: list[Approved] = []
        for desk in changed:
            self._intents.compute(desk, desk.target.ts if desk.target else 0, commands)
        return commands

    # Order events.

    def on_order_event(self, event: OrderEvent) -> list[Approved]:
        """Take what became of an order; returns the commands to perform."""
        commands: list[Approved] = []
        floor = self._floor
        now = max(event.ts, floor.now)
        if isinstance(event, Funded | Liquidated):
            return self._on_own(event, now)
        order = floor.orders.get(event.order) or floor.find(event.order)
        desk = floor.desk(order.symbol)
        if isinstance(event, Executed):
            self._on_executed(desk, order, event, now)
        elif isinstance(event, Absent) and order.open:
            self._absent(desk, order, commands)
        else:
            self._on_answer(desk, order, event)
        floor.keep(desk, order)
        # A refused move is not asked for again before the rules say something new.
        settled = not isinstance(event, Accepted | AmendRejected | CancelRejected)
        waiting: Collection[Desk] = (desk,)
        if floor.unanswered and order.id in floor.unanswered:
            floor.unanswered.remove(order.id)
            settled, waiting = True, self._desks.values() if self.ready else ()
        for each in waiting:
            if settled and (each.guards or each.protective):
                self._stops.rest(each, now, commands)
            if each.stale:
                self._intents.compute(each, now, commands)
        if self.latches.cancelling:
            self._halts.obey(now, commands)
        if isinstance(event, Executed) and self._rules.watchers:
            self._halts.watch(now, commands)
        return commands

    def _on_answer(self, desk: Desk, order: Order, event: OrderEvent) -> None:
        """Take what the venue says of an order that did not trade.

        After a CancelRejected the event that says how the order ended is on its way; else it is cancelled again.
        """
        if isinstance(event, Accepted):
            # An order that was given up and turns up after all counts again, and the intent with it.
            desk.stale = desk.stale or order.state is OrderState.NOT_PLACED
            self.chronicle.step(order, OrderState.ACCEPTED, event.ts)
        elif isinstance(event, Triggered):
            order.triggered = True
            self.chronicle.changed(order, event.ts, "triggered")
        elif isinstance(event, Amended):
            self._stops.moved(order, event)
        elif isinstance(event, AmendRejected):
            self._stops.not_moved(order)
        elif isinstance(event, CancelRejected):
            if order.open:
                self._retry(desk)
        elif isinstance(event, Cancelled):
            if order.may_become(OrderState.CANCELLED):
                self._on_cancelled(desk, order, event)
        elif isinstance(event, Rejected) and order.may_become(OrderState.REJECTED):
            self.chronicle.step(order, OrderState.REJECTED, event.ts, event.reason)
            self._on_lost(desk, order)

    def _on_executed(self, desk: Desk, order: Order, event: Executed, now: int) -> None:
        if event.execution in order.executions:
            return
        floor = self._floor
        # What comes of an order that was thought to be over changes what is to be done.
        desk.stale = desk.stale or not order.open
        held = desk.position.quantity
        if order.close_position and not order.filled:
            order.closes = abs(held)
        order.executions.append(event.execution)
        order.filled += event.quantity
        order.matched = floor.came_in
        signed = event.quantity if order.buys else -event.quantity
        closing = order.purpose != "target"
        side = -1 if order.buys else 1
        realised = self.account.fill(order.symbol, signed, event.price, event.fee)
        parts = desk.subs.fill(desk.allot(signed, protective=closing), event.price, event.fee)
        if order.protective:
            desk.block(side)
            desk.stale = True
        elif order.reduce_only and desk.position.quantity and (desk.position.quantity > 0) == order.buys:
            # It closed what is not known to have been opened: fills came in another order than they were made.
            desk.stale = True
        self._moved = True
        self.books.settle(desk)
        self.chronicle.fill(order, event, realised, desk.position, parts)
        if order.filled >= (order.closes or order.quantity) or (order.close_position and not desk.position.quantity):
            self.chronicle.step(order, OrderState.FILLED, event.ts)
        elif order.closes and order.filled >= order.quantity:
            # It may be done: what was held grew before it was reached, or only seems to have.
            self._retry(desk)
        if (desk.failures or desk.exits) and held * desk.position.quantity <= 0:
            desk.stale = desk.stale or desk.exits > 0
            desk.failures = desk.exits = 0
        if self._rules.guards:
            desk.watch(order.distance, now, floor.came_in)
            self._stops.reckon(desk)

    def _on_cancelled(self, desk: Desk, order: Order, event: Cancelled) -> None:
        self.chronicle.step(order, OrderState.CANCELLED, event.ts, event.reason)
        if order.deadline and order.cancel_ts > order.deadline:
            self._intents.given_up(desk, order)
        if event.reason:
            self._on_lost(desk, order)

    def _on_lost(self, desk: Desk, order: Order) -> None:
        """Learn that the venue refused an order or took it away: twice at once is enough of anything."""
        held = desk.position.quantity
        if order.purpose == "take_profit":
            return
        if not held or (held > 0) == order.buys:
            # An exit that something else was faster than: what it was to leave room for may still be missing.
            desk.stale = desk.stale or (order.reduce_only and order.purpose == "target")
            return
        if order.purpose == "stop":
            desk.failures += 1
            if desk.failures == TRIES:
                # Without a stop nothing is held: the position is left as if the stop had been hit.
                desk.block(1 if held > 0 else -1)
                desk.stale = True
                self._retry(desk)
            return
        desk.exits += 1
        if desk.exits < TRIES:
            desk.stale = True
        else:
            self._retry(desk)

    def _retry(self, desk: Desk) -> None:
        """Let what the venue refused rest for a while."""
        floor = self._floor
        desk.retry_at = floor.now + _RETRY_AFTER
        floor.alarm = min(floor.alarm, desk.retry_at)

    def _on_funded(self, event: Funded) -> None:
        desk = self._floor.desk(event.symbol)
        self.account.fund(event.symbol, event.amount)
        parts = desk.subs.fund(event.amount, event.mark, event.rate)
        self._moved = True
        self.books.settle(desk)
        self.chronicle.funding(event, parts)

    def _on_own(self, event: Funded | Liquidated, now: int) -> list[Approved]:
        """Take what the venue did by itself, once."""
        commands: list[Approved] = []
        key = (event.symbol, event.execution)
        if key not in self._settled:
            self._settled.add(key)
            if isinstance(event, Funded):
                self._on_funded(event)
            else:
                self._on_liquidated(event, commands, now)
        return commands

    def _on_liquidated(self, event: Liquidated, commands: list[Approved], now: int) -> None:
        """Book what the venue closed; trading stops until somebody has looked at it."""
        floor = self._floor
        desk = floor.desk(event.symbol)
        order = floor.draft(desk, event.side, event.quantity, event.ts, "liquidation", "flatten", reduce_only=True)
        order.id = f"{AUTOCLOSE}{event.execution}"
        order.filled = event.quantity
        signed = event.quantity if event.side == "buy" else -event.quantity
        executed = Executed(order.id, event.ts, event.execution, event.price, event.quantity, event.fee)
        realised = self.account.fill(event.symbol, signed, event.price, event.fee)
        parts = desk.subs.fill(desk.allot(signed, protective=True), event.price, event.fee)
        desk.block(1 if event.side == "sell" else -1)
        self._moved = True
        self.books.settle(desk)
        order.state = OrderState.FILLED
        self.chronicle.fill(order, executed, realised, desk.position, parts)
        # Of strategies against each other nothing is left either: they were held on one margin.
        desk.desired = dict.fromkeys(desk.subs.positions, Decimal(0))
        transfers = desk.transfers() if not desk.position.quantity else {}
        if transfers:
            passed = desk.subs.transfer(transfers, event.price)
            self.chronicle.transfer(event.symbol, event.price, passed, now, order.id)
        if self._rules.guards:
            desk.watch(None, now, floor.came_in)
            self._stops.reckon(desk)
        figures = f"{event.quantity:f} {event.symbol} closed by the venue at {event.price:f}"
        self._stops.rest(desk, now, commands)
        self._halts.latch("liquidated", "halt", figures, now, commands)
        if desk.position.quantity:
            self._intents.compute(desk, now, commands)

    def _absent(self, desk: Desk, order: Order, commands: list[Approved]) -> None:
        fresh = (order.epoch, order.seq) == (self.chronicle.epoch, self.chronicle.seq)
        closing = order.reduce_only or order.close_position
        if fresh and order.state is OrderState.INTENT and not order.filled and (closing or self.gate.latch is None):
            # Nothing has happened since it was intended: it is as right now as it was then.
            commands.append(self.gate.protect(order) if order.purpose != "target" else self.gate.approve(order))
        elif desk.last is None and not order.protective:
            # Given up only together with what takes its place, which needs a price: a crash must not part them.
            desk.absent.append(order)
            self.unpriced.add(order.symbol)
        else:
            self._give_up(desk, order)

    def _give_up(self, desk: Desk, order: Order) -> None:
        self.chronicle.step(order, OrderState.NOT_PLACED, self._floor.now, "never reached the venue")
        self._floor.keep(desk, order)
        desk.stale = desk.stale or not order.protective

    def on_instruction(self, instruction: Instruction) -> list[Approved]:
        """Do what the operator says, on the record; returns the commands to perform.

        Raises:
            QuantMindError: there is no such latch to clear.
        """
        commands: list[Approved] = []
        self._floor.now = max(self._floor.now, instruction.ts)
        if self._halts.instruct(instruction, commands):
            for desk in self._desks.values():
                self._intents.compute(desk, self._floor.now, commands)
        return commands


def _next(ts: int) -> int:
    """Return the first time of a valuation that is not before `ts`."""
    return -(-ts // _VALUED_EVERY) * _VALUED_EVERY

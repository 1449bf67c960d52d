"""The Trader: Targets, market events and order events in, approved commands and facts out.

It does no I/O but through the journal, reads no clock and draws no random number.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from quantmind.events import Health, Instruction, Market, OrderEvent, OrderState, Query, Target, Upto
from quantmind.market.instruments import Instrument
from quantmind.trader.alarms import Alarms
from quantmind.trader.desk import TRIES, WHATEVER, Desk
from quantmind.trader.entry import LimitEntry
from quantmind.trader.floor import Floor
from quantmind.trader.gate import Approved, Gate
from quantmind.trader.halts import Halts
from quantmind.trader.intents import Intents
from quantmind.trader.journal import Journal
from quantmind.trader.orders import Order
from quantmind.trader.outcomes import Outcomes
from quantmind.trader.restart import Restored, restore, states, valued
from quantmind.trader.rules import Rules
from quantmind.trader.stops import Stops

_NONE: Sequence[Approved] = ()


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
        self._alarms = Alarms(floor, self._stops, self._intents, self._halts)
        restored = restore(floor) if self.chronicle.resumed else Restored()
        floor.moved, floor.valued = restored.moved, restored.valued
        self._outcomes = Outcomes(floor, self._stops, self._intents, self._halts, restored.settled)
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
    def next_alarm(self) -> int:
        """When something is due that waits for a time, ns UTC; 0 before the first event."""
        return self._floor.alarm

    @property
    def ready(self) -> bool:
        """Whether the fate of every order is known."""
        return not self._floor.unanswered

    @property
    def figures(self) -> dict[str, float]:
        """What the rules publish of themselves, by name."""
        return self._rules.figures

    def wanted(self, symbol: str) -> Target | None:
        """Return the Target of a symbol that is in force; None where there is none."""
        return self._floor.desk(symbol).target

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
        self._alarms.remember(event.ts)

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
        commands = self._alarms.ring(event.ts) if event.ts > self._floor.alarm else _NONE
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

    def on_price(self, event: Market) -> list[Approved]:
        """Compute the intent that waited for this price; returns the commands to perform."""
        commands: list[Approved] = []
        desk = self._floor.desk(event.symbol)
        if desk.last is not None:
            self.unpriced.discard(event.symbol)
            self._floor.journal.dirty = True
            self._floor.now = event.ts
            for order in desk.absent:
                self._outcomes.give_up(desk, order)
            desk.absent.clear()
            self._intents.compute(desk, event.ts, commands)
            self._halts.obey(event.ts, commands)
        return commands

    # Time and health, where the market is silent.

    def on_clock(self, ts: int) -> Sequence[Approved]:
        """Do what is due at `ts` (ns UTC) and before, at the last known prices; returns the commands to perform.

        Time does not go back: a clock that is behind the last event is passed over.
        """
        floor = self._floor
        if ts <= floor.now:
            return _NONE
        floor.now = ts
        # An event leaves what is due at its own time to the next one; nothing need follow a clock.
        return self._alarms.ring(ts + 1) if ts >= floor.alarm else _NONE

    def on_health(self, health: Health) -> list[Approved]:
        """Stop increases while there are reasons to; where there are none, order what was refused because of them."""
        floor = self._floor
        floor.gate.ailing = "; ".join(health.reasons)
        floor.gate.ailing_symbols = dict(health.symbols)
        commands: list[Approved] = []
        if not health.reasons:
            for symbol, desk in self._desks.items():
                if desk.held_up and symbol not in floor.gate.ailing_symbols:
                    floor.journal.dirty = True
                    desk.held_up = False
                    self._intents.compute(desk, max(floor.now, health.ts), commands)
        return commands

    # Targets.

    def on_upto(self, upto: Upto, since: int = 0) -> list[Approved]:
        """Take what the Decider says; returns the commands to perform, their intents on record.

        What is done is done at the time of each Target, and not before `since`: a Target may come late.
        """
        changed: list[Desk] = []
        targets: list[Target] = []
        for target in upto.targets:
            desk = self._floor.desk(target.symbol)
            if desk.changes(target):
                desk.target = target
                if desk.urgent is not None:
                    desk.urgent = WHATEVER
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
            self._intents.compute(desk, max(desk.target.ts if desk.target else 0, since), commands)
        return commands

    # Order events and the operator.

    def on_order_event(self, event: OrderEvent) -> list[Approved]:
        """Take what became of an order; returns the commands to perform."""
        return self._outcomes.take(event)

    def waits(self, symbol: str) -> bool:
        """Say whether the venue refused something that is tried again in a while."""
        return self._desks[symbol].retry_at > 0

    def end(self) -> None:
        """Record what the account is worth at the end of a run."""
        self._alarms.end()

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

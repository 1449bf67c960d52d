"""Alarms: what is due at a time, done before the first market event after it, or when the clock says so."""

from __future__ import annotations

from quantmind.events import OrderState
from quantmind.market.bars import NEVER
from quantmind.trader.desk import Desk
from quantmind.trader.floor import Floor
from quantmind.trader.gate import Approved
from quantmind.trader.halts import Halts
from quantmind.trader.intents import Intents
from quantmind.trader.stops import Stops

_VALUED_EVERY = 4 * 3_600_000_000_000
"""Event time between two valuations of an account that holds something, in ns."""


class Alarms:
    """Valuations, entries whose time is over, sub-positions whose time is up, and what is tried again."""

    def __init__(self, floor: Floor, stops: Stops, intents: Intents, halts: Halts) -> None:
        self._floor = floor
        self._stops = stops
        self._intents = intents
        self._halts = halts
        self._value_at = 0

    def remember(self, ts: int) -> None:
        """Take note, after a restart, that an event of this time was handled."""
        if ts > self._value_at:
            self._value_at = _next(ts)

    def ring(self, ts: int) -> list[Approved]:
        """Do what was due before an event of time `ts`."""
        floor = self._floor
        commands: list[Approved] = []
        if ts > self._value_at:
            if floor.moved or any(desk.position.quantity for desk in floor.desks.values()):
                self.value(self._value_at)
            self._value_at = _next(ts)
        alarm = self._value_at
        for desk in floor.desks.values():
            if desk.orders:
                self._intents.give_up(desk, ts, commands)
            ended = [s for s, guard in desk.guards.items() if guard.until is not None and ts > guard.until]
            for strategy in ended:
                desk.guards[strategy].until = None
                floor.journal.dirty = True
            if [strategy for strategy in ended if desk.leave(strategy, desk.guards[strategy].side)]:
                self._intents.compute(desk, ts, commands)
            if desk.retry_at and ts > desk.retry_at:
                self._try_again(desk, ts, commands)
            alarm = min(alarm, desk.next_end(), self._intents.next_deadline(desk) or NEVER, desk.retry_at or NEVER)
        floor.alarm = alarm
        return commands

    def _try_again(self, desk: Desk, ts: int, commands: list[Approved]) -> None:
        """Say again what the venue refused: the stop, the exit, and what was to be cancelled."""
        floor = self._floor
        desk.retry_at = desk.exits = desk.failures = 0
        floor.journal.dirty = True
        for order in (*desk.orders.values(), *desk.protective.values()):
            if order.closes and order.filled >= order.quantity:
                floor.chronicle.step(order, OrderState.FILLED, ts)
                floor.keep(desk, order)
            elif order.state is OrderState.CANCELLING:
                commands.append(floor.gate.cancel(order))
        self._stops.rest(desk, ts, commands)
        if desk.position.quantity:
            self._intents.compute(desk, ts, commands)
        self._halts.obey(ts, commands)

    def value(self, ts: int) -> None:
        """Record what the account is worth."""
        floor = self._floor
        prices = tuple((symbol, desk.value_price) for symbol, desk in floor.desks.items() if desk.value_price)
        if prices:
            floor.moved = False
            floor.valued = ts
            floor.chronicle.valuation(ts, floor.books.equity, prices)

    def end(self) -> None:
        """Record what the account is worth at the end of a run."""
        floor = self._floor
        held = any(desk.position.quantity for desk in floor.desks.values())
        if floor.moved or (held and floor.valued < floor.now):
            self.value(floor.now)


def _next(ts: int) -> int:
    """Return the first time of a valuation that is not before `ts`."""
    return -(-ts // _VALUED_EVERY) * _VALUED_EVERY

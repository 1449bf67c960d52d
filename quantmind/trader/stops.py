"""Stops: the resting orders that protect a position, kept as its guards say."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from quantmind.events import Amended, OrderState, OrderType, Side
from quantmind.trader.desk import TRIES, Desk
from quantmind.trader.floor import Floor
from quantmind.trader.gate import Approved
from quantmind.trader.orders import Order

_TYPES: dict[Literal["stop", "take_profit"], OrderType] = {"stop": "stop_market", "take_profit": "take_profit_market"}


class Stops:
    """Places, moves and takes back the stop and the take-profit of each net position.

    They close the position, whatever its size is when they trigger, so a partial fill needs no other stop. A stop is
    moved in place and only towards the price.
    """

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def reckon(self, desk: Desk, *, unasked: bool = True) -> bool:
        """Ask the rules anew where each sub-position is left, or only those with news; says if anything changed."""
        changed = False
        rules, instrument = self._floor.rules, desk.instrument
        for strategy, guard in desk.guards.items():
            known = not unasked and guard.stop is not None
            if known and not rules.news(instrument.symbol, guard.side, guard.best, guard.stop_now):
                continue
            position = desk.subs.positions[strategy]
            held = guard.held(strategy, position.quantity, position.average_price)
            changed = guard.take(rules.levels(instrument.symbol, held), instrument) or changed
        if changed:
            self._floor.journal.dirty = True
            self._floor.alarm = min(self._floor.alarm, desk.next_end())
        return changed

    def rest(self, desk: Desk, ts: int, commands: list[Approved]) -> None:
        """Make the resting orders what the guards say; without a position there are none."""
        position = desk.position.quantity
        if not position:
            self._end(desk, "", ts, commands)
            return
        side: Side = "sell" if position > 0 else "buy"
        self._rest_one(desk, "stop", side, desk.net_stop(), ts, commands)
        target = None if self._floor.latches.flattening else desk.net_take_profit()
        self._rest_one(desk, "take_profit", side, target, ts, commands)
        self._end(desk, side, ts, commands)

    def _end(self, desk: Desk, side: Side | Literal[""], ts: int, commands: list[Approved]) -> None:
        """Take back what protects another position than one that `side` closes; what was filled of it is all of it."""
        for order in tuple(desk.protective.values()):
            if order.side != side:
                if order.filled:
                    self._floor.chronicle.step(order, OrderState.FILLED, ts)
                    self._floor.keep(desk, order)
                else:
                    self._floor.cancel(order, ts, commands)

    def _rest_one(
        self,
        desk: Desk,
        purpose: Literal["stop", "take_profit"],
        side: Side,
        level: Decimal | None,
        ts: int,
        commands: list[Approved],
    ) -> None:
        resting = next(
            (
                order
                for order in desk.protective.values()
                if order.purpose == purpose and order.side == side and order.state is not OrderState.CANCELLING
            ),
            None,
        )
        if level is None:
            # A stop stays where it is while nobody says where else; a take-profit goes.
            if resting is not None and purpose == "take_profit":
                self._floor.cancel(resting, ts, commands)
        elif resting is None:
            if not self._floor.unanswered and desk.failures < TRIES:
                self._submit(desk, purpose, side, level, ts, commands)
        elif resting.trigger is None or resting.moving is not None or resting.filled:
            return
        elif level not in {resting.trigger, resting.refused}:
            tighter = (level > resting.trigger) == (side == "sell")
            if purpose == "take_profit" or tighter:
                self._floor.move(resting, level, ts, commands)

    def _submit(
        self,
        desk: Desk,
        purpose: Literal["stop", "take_profit"],
        side: Side,
        level: Decimal,
        ts: int,
        commands: list[Approved],
    ) -> None:
        quantity = abs(desk.position.quantity)
        order = self._floor.draft(desk, side, quantity, ts, f"{purpose} {level}", purpose, reduce_only=True)
        order.order_type, order.trigger, order.close_position = _TYPES[purpose], level, True
        self._floor.place(desk, order, commands)

    def moved(self, order: Order, event: Amended) -> None:
        """Learn that an order was moved."""
        order.moving = None
        order.trigger = event.trigger
        self._floor.chronicle.changed(order, event.ts, "amended")

    def not_moved(self, order: Order) -> None:
        """Learn that an order could not be moved; it rests where it was."""
        order.refused, order.moving = order.moving, None
        self._floor.journal.order(order)

"""Halts: what happens when a limit, the venue or the operator stops trading."""

from __future__ import annotations

from decimal import Decimal

from quantmind.events import Instruction, LatchLevel, OrderState, Side
from quantmind.trader.desk import TRIES, Desk
from quantmind.trader.floor import MOST_PARTS, Floor
from quantmind.trader.gate import Approved
from quantmind.trader.latches import OPERATOR
from quantmind.trader.restart import valued


class Halts:
    """Sets and clears latches on the record, and does what they say."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def watch(self, ts: int, commands: list[Approved]) -> None:
        """Ask the limits whether trading must stop."""
        floor = self._floor
        # A clock may have been ahead of the market: a day does not begin twice.
        floor.books.ts = max(floor.books.ts, ts)
        if floor.unvalued and not valued(floor):
            return
        for limit in floor.rules.watchers:
            if limit.name not in floor.latches.set:
                stop = floor.rules.watch(limit, floor.books)
                if stop is not None:
                    self.latch(limit.name, stop.level, stop.figures, ts, commands)

    def latch(self, name: str, level: LatchLevel | None, figures: str, ts: int, commands: list[Approved]) -> None:
        """Set a latch, or clear it with the level None, and obey."""
        floor = self._floor
        if level is not None and not floor.latches.would_change(name, level):
            return
        floor.latches.take(floor.chronicle.latch(name, level, figures, ts))
        floor.gate.latch = floor.latches.refusing
        self.obey(ts, commands)

    def obey(self, ts: int, commands: list[Approved]) -> None:
        """Cancel entries and close positions, as far as the latches say so and it is not under way."""
        floor = self._floor
        if not floor.latches.cancelling:
            return
        for desk in floor.desks.values():
            self._cancel_entries(desk, ts, commands)
            if floor.latches.flattening and not floor.unanswered:
                self._close(desk, ts, commands)

    def _cancel_entries(self, desk: Desk, ts: int, commands: list[Approved]) -> None:
        for order in desk.orders.values():
            if order.reduce_only:
                continue
            if order.state is not OrderState.CANCELLING and (-order.remaining) * desk.position.quantity > 0:
                # A part of it would have closed the position; that part still passes.
                desk.stale = True
            self._floor.cancel(order, ts, commands)

    def _close(self, desk: Desk, ts: int, commands: list[Approved]) -> None:
        """Close a position, and what strategies hold against each other when there is none."""
        floor = self._floor
        if desk.position.quantity:
            for order in desk.protective.values():
                if order.purpose == "take_profit":
                    floor.cancel(order, ts, commands)
            self._flatten(desk, ts, commands)
        elif desk.shared and desk.value_price:
            nothing = dict.fromkeys(desk.subs.positions, Decimal(0))
            floor.journal.dirty = floor.journal.dirty or desk.desired != nothing
            desk.desired = nothing
            changes = desk.transfers()
            if changes:
                floor.pass_on(desk, changes, Decimal(repr(desk.value_price)), ts, "flatten")
                desk.watch(None, ts, floor.came_in)

    def _flatten(self, desk: Desk, ts: int, commands: list[Approved]) -> None:
        """Close what no order is closing yet, at market; the stop stays until that is filled."""
        closing = sum((order.remaining for order in desk.orders.values() if order.reduce_only), Decimal(0))
        left = desk.position.quantity + closing
        if not left or desk.exits >= TRIES or (left > 0) != (desk.position.quantity > 0):
            return
        refusing = self._floor.latches.refusing
        cause = refusing.name if refusing is not None else ""
        quantity = abs(left)
        most = desk.instrument.max_quantity or quantity
        for _ in range(MOST_PARTS):
            part = min(quantity, most)
            quantity -= part
            side: Side = "sell" if left > 0 else "buy"
            order = self._floor.draft(desk, side, part, ts, cause, "flatten", reduce_only=True)
            self._floor.place(desk, order, commands)
            if not quantity:
                return

    def instruct(self, instruction: Instruction, commands: list[Approved]) -> bool:
        """Do what the operator says, on the record; says whether trading may go on that could not before.

        Raises:
            QuantMindError: there is no such latch to clear.
        """
        floor = self._floor
        action, ts = instruction.action, instruction.ts
        reason = instruction.reason or "by the operator"
        if action == "halt":
            self.latch(OPERATOR[action], "halt", reason, ts, commands)
            return False
        if action == "flatten":
            self.latch(OPERATOR[action], "flatten", reason, ts, commands)
            return False
        cleared = floor.latches.cleared(instruction)
        for name in cleared:
            self.latch(name, None, reason, ts, commands)
            floor.rules.reset(name, floor.books)
        return bool(cleared)

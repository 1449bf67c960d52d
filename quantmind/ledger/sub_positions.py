"""Sub-positions: what of a net position belongs to which strategy, and what each earned. Exact, in Decimal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from quantmind.events import Fill, Funding, Part, Transfer
from quantmind.ledger.positions import Position
from quantmind.ledger.spread import in_proportion, spread

__all__ = ["SubPositions", "spread"]

_ZERO = Decimal(0)
_MONEY_STEP = Decimal("1E-8")
"""Fees and funding are divided to 8 decimals, as venues settle them."""


class SubPositions:
    """The sub-positions of one symbol by strategy; their signed quantities always sum to the net position.

    A strategy that was not known at the start, an old recipe's, is added when a fact names it.
    """

    __slots__ = ("_step", "funding", "positions")

    def __init__(self, strategies: Sequence[str], step: Decimal) -> None:
        self._step = step
        self.positions = {strategy: Position() for strategy in strategies}
        self.funding = dict.fromkeys(strategies, _ZERO)
        """What each strategy received in funding, negative when paid."""

    def plan(
        self, wanted: Mapping[str, Decimal], working: Mapping[str, Decimal]
    ) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
        """Divide what strategies want to change into transfers, which sum to 0, and the rest, all of one sign.

        A change is what is wanted less what is held and what is working; a strategy that `wanted` does not name
        stays as it is. What goes against the net change is passed on inside; those that go with it get it in
        proportion to their changes. What is 0 is left out.
        """
        inside: dict[str, Decimal] = {}
        outside: dict[str, Decimal] = {}
        for strategy, quantity in wanted.items():
            position = self.positions.get(strategy)
            change = quantity - working.get(strategy, _ZERO)
            if position is not None:
                change -= position.quantity
            if change > 0:
                outside[strategy] = change
            elif change:
                inside[strategy] = change
        net = sum(outside.values(), _ZERO) + sum(inside.values(), _ZERO)
        if net < 0:
            inside, outside = outside, inside
        if not inside or not outside:
            return {}, outside
        passed = in_proportion(-sum(inside.values(), _ZERO), outside, self._step)
        rest = {strategy: change - passed[strategy] for strategy, change in outside.items()}
        moved = {**inside, **passed}
        transfers = {strategy: moved[strategy] for strategy in wanted if moved.get(strategy)}
        return transfers, {strategy: change for strategy, change in rest.items() if change}

    def allot(self, quantity: Decimal, rest: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """Split a signed fill among the strategies it was made for, in proportion to what each still wants.

        `rest` has the sign of the fill. What no strategy wants goes to those that hold against it, and what is then
        left to the first.
        """
        if len(self.positions) == 1 and rest.keys() <= self.positions.keys():
            return dict.fromkeys(self.positions, quantity)
        taken, left = self._take(quantity, {s: wants for s, wants in rest.items() if wants * quantity > 0})
        if left:
            held = {strategy: position.quantity for strategy, position in self.positions.items()}
            against = {s: -(q + taken.get(s, _ZERO)) for s, q in held.items()}
            closed, left = self._take(left, {s: closing for s, closing in against.items() if closing * quantity > 0})
            for strategy, part in closed.items():
                taken[strategy] = taken.get(strategy, _ZERO) + part
        if left:
            first = self._first
            taken[first] = taken.get(first, _ZERO) + left
        return taken

    def _take(self, quantity: Decimal, capacity: Mapping[str, Decimal]) -> tuple[dict[str, Decimal], Decimal]:
        """Split a quantity in proportion to capacities of its sign; returns what is too much as well."""
        most = sum(capacity.values(), _ZERO)
        if abs(quantity) >= abs(most):
            return dict(capacity), quantity - most
        parts = in_proportion(quantity, capacity, self._step)
        return {strategy: part for strategy, part in parts.items() if part}, _ZERO

    def transfer(self, changes: Mapping[str, Decimal], price: Decimal) -> tuple[Part, ...]:
        """Book what strategies pass to each other at a price, free of fees.

        Raises:
            ValueError: the changes do not sum to 0.
        """
        if sum(changes.values(), _ZERO):
            raise ValueError(f"changes: a transfer must sum to 0, was {dict(changes)}")
        return tuple(
            Part(strategy, quantity, self._of(strategy).fill(quantity, price, _ZERO))
            for strategy, quantity in changes.items()
            if quantity
        )

    def fill(self, changes: Mapping[str, Decimal], price: Decimal, fee: Decimal) -> tuple[Part, ...]:
        """Book a fill split into signed changes; the fee goes by quantity, a rounding rest to the largest."""
        if len(changes) == 1:
            ((strategy, quantity),) = changes.items()
            return (Part(strategy, quantity, self._of(strategy).fill(quantity, price, fee), fee),)
        filled = sum((abs(quantity) for quantity in changes.values()), _ZERO)
        fees = {
            strategy: (fee * abs(quantity) / filled).quantize(_MONEY_STEP, ROUND_HALF_EVEN)
            for strategy, quantity in changes.items()
            if quantity
        }
        _settle(fees, fee, changes)
        return tuple(
            Part(strategy, changes[strategy], self._of(strategy).fill(changes[strategy], price, part), part)
            for strategy, part in fees.items()
        )

    def fund(self, amount: Decimal, mark: Decimal, rate: Decimal) -> tuple[Part, ...]:
        """Book a settlement of funding, each strategy's on its own signed quantity; the parts sum to `amount`.

        The rounding rest goes to the largest sub-position; without any, the first strategy has it all.
        """
        held = {strategy: position.quantity for strategy, position in self.positions.items() if position.quantity}
        if not held:
            held = {self._first: _ZERO}
        amounts = {
            strategy: _ZERO - (quantity * mark * rate).quantize(_MONEY_STEP, ROUND_HALF_EVEN)
            for strategy, quantity in held.items()
        }
        _settle(amounts, amount, held)
        for strategy, received in amounts.items():
            self._of(strategy)
            self.funding[strategy] += received
        return tuple(Part(strategy, held[strategy], received) for strategy, received in amounts.items())

    def book(self, fact: Fill | Transfer | Funding) -> None:
        """Book a fact of the journal again, after a restart: the same parts, the same sums.

        A fill that was journalled without parts is the first strategy's.
        """
        if isinstance(fact, Funding):
            for part in fact.parts:
                self._of(part.strategy)
                self.funding[part.strategy] += part.realised
            return
        if isinstance(fact, Fill) and not fact.parts:
            quantity = fact.quantity if fact.side == "buy" else -fact.quantity
            self._of(self._first).fill(quantity, fact.price, fact.fee)
        for part in fact.parts:
            self._of(part.strategy).fill(part.quantity, fact.price, part.fee)

    @property
    def _first(self) -> str:
        """The strategy that has what nobody else wants; where none trades the symbol, one without a name."""
        return next(iter(self.positions), "")

    def _of(self, strategy: str) -> Position:
        position = self.positions.get(strategy)
        if position is None:
            position = self.positions[strategy] = Position()
            self.funding[strategy] = _ZERO
        return position


def _settle(parts: dict[str, Decimal], total: Decimal, quantities: Mapping[str, Decimal]) -> None:
    """Give what the parts lack of a total to the one with the largest quantity, the first of equals."""
    rest = total - sum(parts.values(), _ZERO)
    if rest:
        parts[max(parts, key=lambda strategy: abs(quantities[strategy]))] += rest

"""The budget: the most that all sizing rules together would hold."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from quantmind.errors import ComponentError
from quantmind.kinds.sizing import Sizing, SizingRule

_ZERO = Decimal(0)


class Budget:
    """The smallest budget of several sizing rules."""

    def __init__(self, rules: Sequence[SizingRule[Any]]) -> None:
        self._rules = tuple(rules)

    def of(self, sizing: Sizing) -> Decimal:
        """Return the quantity to hold at a Target of 1, not yet rounded; a negative one is none.

        Raises:
            ComponentError: a rule failed, or gave no finite Decimal.
        """
        budgets: list[Decimal] = []
        for rule in self._rules:
            try:
                budget = rule.budget(sizing)
                finite = budget.is_finite()
            except Exception as error:
                raise ComponentError(
                    f"sizing {rule.name} failed on {sizing}: {type(error).__name__}: {error}"
                ) from error
            if not finite:
                raise ComponentError(f"sizing {rule.name} gave {sizing.instrument.symbol} a budget of {budget}")
            budgets.append(budget)
        return max(_ZERO, min(budgets))

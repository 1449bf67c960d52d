"""The fixed_weight allocator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from itertools import chain
from typing import Annotated

from pydantic import Field

from quantmind.kinds import Allocator, Options, Portfolio


def _guess(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name[:64], known, 1)
    return f" did you mean {close[0]}?" if close else ""


class FixedWeightOptions(Options):
    """Options of fixed_weight."""

    weights: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        min_length=1,
        examples=[{"momentum": 0.7, "mean_reversion": 0.3}],
        description="The part of a symbol's budget that each strategy has, by its id; at most 1 in all.",
    )


class FixedWeight(Allocator[FixedWeightOptions]):
    """Gives each strategy the part of a symbol's budget that the recipe says.

    A strategy's share is direction * confidence * its part. Every strategy of the recipe has a part, be it 0.
    """

    name = "fixed_weight"

    @classmethod
    def check(cls, options: FixedWeightOptions, strategies: Mapping[str, Sequence[str]]) -> Sequence[str]:
        """Find strategies without a weight, weights without a strategy, and symbols with more than 1."""
        known = list(dict.fromkeys(chain.from_iterable(strategies.values())))
        weights = options.weights
        faults = [
            f"weights.{strategy}: no such strategy;{_guess(strategy, known)} there are {', '.join(known)}"
            for strategy in weights
            if strategy not in known
        ]
        faults += [
            f"weights: the strategy {strategy} has none; add `{strategy}: 0` to leave it out"
            for strategy in known
            if strategy not in weights
        ]
        for symbol, ids in strategies.items():
            total = Decimal(0)
            for strategy in ids:
                total += Decimal(repr(weights.get(strategy, 0.0)))
            if total > 1:
                faults.append(f"weights: must be at most 1 in all for {symbol}, was {total:f}")
        return faults

    def decide(self, portfolio: Portfolio) -> Mapping[str, Mapping[str, float]]:
        """Return direction times confidence times weight."""
        in_force = portfolio.in_force
        weights = self.options.weights
        shares: dict[str, dict[str, float]] = {}
        for new in portfolio.signals:
            symbol = new.symbol
            shares[symbol] = parts = {}
            for strategy, signal in in_force[symbol].items():
                parts[strategy] = signal.direction * signal.confidence * weights[strategy]
        return shares

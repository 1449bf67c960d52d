"""The equal_weight allocator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quantmind.kinds import Allocator, NoOptions, Portfolio


class EqualWeight(Allocator[NoOptions]):
    """Gives each strategy of a symbol the same part of its budget, whether it has spoken or not.

    A strategy's share is direction * confidence * its part.
    """

    name = "equal_weight"

    def __init__(self, options: NoOptions, strategies: Mapping[str, Sequence[str]]) -> None:
        super().__init__(options, strategies)
        self._counts = {symbol: len(ids) for symbol, ids in strategies.items()}

    def decide(self, portfolio: Portfolio) -> Mapping[str, Mapping[str, float]]:
        """Return direction times confidence, divided by the number of strategies of the symbol."""
        in_force = portfolio.in_force
        shares: dict[str, dict[str, float]] = {}
        for new in portfolio.signals:
            symbol = new.symbol
            count = self._counts[symbol]
            # A loop: a comprehension costs a third more for the one or two strategies there are.
            shares[symbol] = parts = {}
            for strategy, signal in in_force[symbol].items():
                parts[strategy] = signal.direction * signal.confidence / count
        return shares

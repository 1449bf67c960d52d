"""Results: what closed trades came to."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

_ZERO = Decimal(0)


class Results(msgspec.Struct, frozen=True):
    """The number of `wins` and `losses` and their sums, all in one unit: equal stakes, multiples of the risk, parts.

    A trade that came to exactly 0 is neither: it changes no wealth, and so no Kelly fraction.
    """

    wins: int = 0
    losses: int = 0
    gained: Decimal = _ZERO
    """The sum of the wins."""
    lost: Decimal = _ZERO
    """The sum of the losses, as a figure of at least 0."""

    @classmethod
    def of(cls, results: Iterable[Decimal]) -> Results:
        """Sum up results in any order, losses being negative."""
        total = cls()
        for result in results:
            total = total.and_one(result)
        return total

    def and_one(self, result: Decimal) -> Results:
        """Return these with one more."""
        if result > 0:
            return Results(self.wins + 1, self.losses, self.gained + result, self.lost)
        if result < 0:
            return Results(self.wins, self.losses + 1, self.gained, self.lost - result)
        return self

    @property
    def trades(self) -> int:
        """The number of wins and losses."""
        return self.wins + self.losses

    @property
    def win_rate(self) -> Decimal | None:
        """The part of the trades that won; None without any."""
        return Decimal(self.wins) / self.trades if self.trades else None

    @property
    def reward_risk(self) -> Decimal | None:
        """The mean win over the mean loss; None until there is one of each."""
        if not self.wins or not self.losses:
            return None
        return self.gained * self.losses / (self.lost * self.wins)

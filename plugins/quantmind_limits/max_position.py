"""The max_position limit."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from quantmind.kinds import ALLOWED, Increase, Limit, Options, Refused, Shrunk, Verdict


class MaxPositionOptions(Options):
    """Options of max_position."""

    limit: Decimal = Field(gt=0, examples=[0.5], description="The largest position of each symbol, in base currency.")


class MaxPosition(Limit[MaxPositionOptions]):
    """Shrinks what would make the position of a symbol larger than a quantity."""

    name = "max_position"

    def check(self, increase: Increase) -> Verdict:
        """Allow, shrink to what is left below the limit, or refuse when no step is left."""
        limit = self.options.limit
        after = increase.held + increase.quantity
        if after <= limit:
            return ALLOWED
        left = limit - increase.held
        figures = f"position {after:f} > limit {limit:f}"
        if increase.instrument.quantity(left) <= 0:
            return Refused(self.name, figures)
        return Shrunk(left, self.name, figures)

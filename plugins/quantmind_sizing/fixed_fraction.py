"""The fixed_fraction sizing rule."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from quantmind.kinds import Options, Sizing, SizingRule
from quantmind.risk.size import at_risk


class FixedFractionOptions(Options):
    """Options of fixed_fraction."""

    fraction: Decimal = Field(
        gt=0, le=1, examples=[0.01], description="The part of the equity that is lost at the stop."
    )
    cap: Decimal = Field(
        default=Decimal(1), gt=0, examples=[2], description="The largest notional, as a multiple of the equity."
    )


class FixedFraction(SizingRule[FixedFractionOptions]):
    """Holds what loses a fixed fraction of the equity at the stop, or altogether where there is no stop.

    The quantity is fraction * equity / stop distance, at most cap * equity / price. Without a protection rule the
    distance is the price.
    """

    name = "fixed_fraction"

    def budget(self, sizing: Sizing) -> Decimal:
        """Return fraction * E / stop distance, at most cap * E / price."""
        return at_risk(self.options.fraction, sizing.equity, sizing.price, sizing.stop_distance, self.options.cap)

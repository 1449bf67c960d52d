"""The price_band limit."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from quantmind.kinds import ALLOWED, Increase, Limit, Options, Refused, Verdict
from quantmind_limits.rounding import above


class PriceBandOptions(Options):
    """Options of price_band."""

    limit: Decimal = Field(
        gt=0, examples=[0.02], description="The largest distance of the price from the mark, as a part of the mark."
    )


class PriceBand(Limit[PriceBandOptions]):
    """Refuses an increase whose price is far from the mark, on either side: a figure this far off is a mistake."""

    name = "price_band"

    def check(self, increase: Increase) -> Verdict:
        """Allow, or refuse; without a mark nothing may pass."""
        mark, limit = increase.mark, self.options.limit
        if mark is None or mark <= 0:
            return Refused(self.name, f"no mark to hold the price {increase.price:f} against")
        apart = abs(increase.price - mark)
        if apart <= limit * mark:
            return ALLOWED
        text = f"price {increase.price:f} is {above(apart / mark)} from the mark {mark:f} > limit {limit:f}"
        return Refused(self.name, text)

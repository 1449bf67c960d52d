"""The margin_ratio limit."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from quantmind.events import LatchLevel
from quantmind.kinds import ALLOWED, Increase, Limit, Options, Refused, Shrunk, Standing, Stop, Verdict
from quantmind.kinds.standing import valued
from quantmind_limits.band import Band
from quantmind_limits.rounding import DOWN, above

_ZERO = Decimal(0)


class MarginRatioOptions(Options):
    """Options of margin_ratio."""

    limit: Decimal = Field(
        gt=0,
        le=1,
        examples=[0.5],
        description="The largest maintenance margin, as a part of the equity; at 1 the venue liquidates.",
    )
    then: LatchLevel | None = Field(
        default=None, description="What happens when the market goes beyond it: reduce, flatten, halt, or nothing."
    )


class MarginRatio(Limit[MarginRatioOptions]):
    """Shrinks what would make the maintenance margin larger than a part of the equity."""

    name = "margin_ratio"

    def __init__(self, options: MarginRatioOptions) -> None:
        super().__init__(options)
        self._band = Band()

    def check(self, increase: Increase) -> Verdict:
        """Allow, shrink to what is left, or refuse when no step or no equity is; the increase is taken at the mark."""
        limit, equity, instrument = self.options.limit, increase.equity, increase.instrument
        if equity <= 0:
            return Refused(self.name, f"equity {equity:f} <= 0")
        mark = increase.mark if increase.mark is not None and increase.mark > 0 else increase.price
        others = _ZERO
        for symbol, holding in increase.standing.holdings.items():
            if symbol != instrument.symbol and holding.quantity:
                others += holding.instrument.maintenance(abs(holding.quantity) * valued(holding))
        after = others + instrument.maintenance((increase.held + increase.quantity) * mark)
        if after <= limit * equity:
            return ALLOWED
        figures = f"margin ratio {above(after / equity)} > limit {limit:f}"
        spare = DOWN.subtract(DOWN.multiply(limit, equity), others)
        # The margin is the largest of notional * rate - amount over the tiers, so the least of these notionals fits.
        most = min(DOWN.divide(spare + tier.amount, tier.rate * mark) for tier in instrument.tiers if tier.rate)
        left = instrument.quantity(min(most - increase.held, increase.quantity))
        if left <= 0 or others + instrument.maintenance((increase.held + left) * mark) > limit * equity:
            return Refused(self.name, figures)
        return Shrunk(left, self.name, figures)

    def watch(self, standing: Standing) -> Stop | None:
        """Stop beyond the limit, if it is to."""
        then = self.options.then
        if then is None or self._band.holds(standing):
            return None
        limit, equity, maintenance = self.options.limit, standing.equity, standing.maintenance
        spare = limit * equity - maintenance
        if maintenance and spare < 0:
            self._band.drop()
            shown = f"margin ratio {above(maintenance / equity)}" if equity > 0 else f"equity {equity:f}"
            return Stop(then, f"{shown} > limit {limit:f}" if equity > 0 else f"{shown} <= 0")
        gross = _ZERO
        steepest = _ZERO
        for holding in standing.holdings.values():
            if holding.quantity:
                gross += abs(holding.quantity) * valued(holding)
                steepest = max(steepest, *(tier.rate for tier in holding.instrument.tiers))
        # A move of all prices by a part takes at most that part of the gross notional, and asks for as much margin.
        self._band.draw(standing, min(spare / (gross * (limit + steepest)), Decimal(1)) if gross else Decimal(1))
        return None

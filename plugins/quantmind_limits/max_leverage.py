"""The max_leverage limit."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_UP, Context, Decimal

from pydantic import Field

from quantmind.kinds import ALLOWED, Increase, Limit, Options, Refused, Shrunk, Verdict

_DOWN = Context(prec=28, rounding=ROUND_DOWN)
"""What is left below the limit must not grow by rounding."""


class MaxLeverageOptions(Options):
    """Options of max_leverage."""

    limit: Decimal = Field(
        gt=0, examples=[3], description="The largest notional of all symbols, as a multiple of the equity."
    )


class MaxLeverage(Limit[MaxLeverageOptions]):
    """Shrinks what would make the notional of all symbols larger than a multiple of the equity."""

    name = "max_leverage"
    capabilities = frozenset({"caps_leverage"})

    def check(self, increase: Increase) -> Verdict:
        """Allow, shrink to what is left below the limit, or refuse when no step or no equity is left."""
        limit = self.options.limit
        equity = increase.equity
        if equity <= 0:
            return Refused(self.name, f"equity {equity:f} <= 0")
        notional = increase.gross + increase.quantity * increase.price
        if notional <= limit * equity:
            return ALLOWED
        # Rounded up, so that it never reads as being at the limit.
        leverage = (notional / equity).quantize(Decimal("0.0001"), ROUND_UP).normalize()
        figures = f"leverage {leverage:f} > limit {limit:f}"
        left = _DOWN.divide(_DOWN.subtract(_DOWN.multiply(limit, equity), increase.gross), increase.price)
        if increase.instrument.quantity(left) <= 0:
            return Refused(self.name, figures)
        return Shrunk(left, self.name, figures)

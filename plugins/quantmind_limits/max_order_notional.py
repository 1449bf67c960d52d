"""The max_order_notional limit."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from quantmind.kinds import ALLOWED, Increase, Limit, Options, Refused, Verdict


class MaxOrderNotionalOptions(Options):
    """Options of max_order_notional."""

    limit: Decimal = Field(
        gt=0, examples=[20000], description="The largest notional of one increase, in the settlement currency."
    )


class MaxOrderNotional(Limit[MaxOrderNotionalOptions]):
    """Refuses an increase of more than a notional: a figure this size is a mistake, not a wish."""

    name = "max_order_notional"

    def check(self, increase: Increase) -> Verdict:
        """Allow or refuse."""
        notional = increase.quantity * increase.price
        if notional <= self.options.limit:
            return ALLOWED
        return Refused(self.name, f"notional {notional:f} > limit {self.options.limit:f}")

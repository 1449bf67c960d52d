"""The order_rate limit."""

from __future__ import annotations

from collections import deque

from pydantic import Field

from quantmind.events import Fact, OrderState, OrderUpdate
from quantmind.kinds import ALLOWED, Duration, Increase, Limit, Options, Refused, Verdict
from quantmind.kinds.options import format_duration


class OrderRateOptions(Options):
    """Options of order_rate."""

    orders: int = Field(ge=1, examples=[10], description="The most orders in any window of the length `per`.")
    per: Duration = Field(default=1_000_000_000, gt=0, examples=["1s"], description="The length of the window.")


class OrderRate(Limit[OrderRateOptions]):
    """Refuses increases while too many orders were made of late; entries and exits count, stops do not."""

    # A restart shows all facts again, so there is nothing to save.

    name = "order_rate"

    def __init__(self, options: OrderRateOptions) -> None:
        super().__init__(options)
        self._made: deque[int] = deque(maxlen=options.orders)
        """The times of the last orders, ns UTC."""

    def on_fact(self, fact: Fact) -> None:
        """Count an order that was made to reach a Target."""
        if isinstance(fact, OrderUpdate) and fact.state is OrderState.INTENT and fact.purpose == "target":
            self._made.append(fact.ts)

    def check(self, increase: Increase) -> Verdict:
        """Allow, or refuse while the window (ts - per, ts] is full."""
        made, per = self._made, self.options.per
        if len(made) < self.options.orders or increase.ts - made[0] >= per:
            return ALLOWED
        count = len(made) + 1
        return Refused(self.name, f"orders in {format_duration(per)} {count} > limit {self.options.orders}")

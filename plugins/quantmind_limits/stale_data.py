"""The stale_data limit."""

from __future__ import annotations

from pydantic import Field

from quantmind.kinds import ALLOWED, Duration, Increase, Limit, Options, Refused, Verdict
from quantmind.kinds.options import format_duration


class StaleDataOptions(Options):
    """Options of stale_data."""

    max_age: Duration = Field(gt=0, examples=["5s"], description="The greatest age of the last price, in event time.")


class StaleData(Limit[StaleDataOptions]):
    """Refuses an increase that would be decided on an old price."""

    name = "stale_data"

    def check(self, increase: Increase) -> Verdict:
        """Allow or refuse."""
        age, most = increase.ts - increase.priced_at, self.options.max_age
        if age <= most:
            return ALLOWED
        return Refused(self.name, f"age of the price {format_duration(age)} > limit {format_duration(most)}")

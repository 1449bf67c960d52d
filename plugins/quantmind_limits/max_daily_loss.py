"""The max_daily_loss limit."""

from __future__ import annotations

import json
from decimal import Decimal

from pydantic import Field

from quantmind.events import LatchLevel
from quantmind.kinds import Limit, Options, Standing, Stop
from quantmind_limits.rounding import reached

_DAY = 86_400_000_000_000
_NEAR = 1.0 + 1e-9
"""How much sooner than the exact figure the float is looked at closely."""


class MaxDailyLossOptions(Options):
    """Options of max_daily_loss."""

    limit: Decimal = Field(
        gt=0,
        lt=1,
        examples=[0.05],
        description="The loss since the start of the UTC day (its first event), as a part of the equity then.",
    )
    then: LatchLevel = Field(default="reduce", description="What happens at the limit: reduce, flatten or halt.")


class MaxDailyLoss(Limit[MaxDailyLossOptions]):
    """Stops trading when the equity has lost a part of what it was at the start of the UTC day.

    The day starts at its first event. What it set stays until it is reset, the next day too.
    """

    name = "max_daily_loss"

    def __init__(self, options: MaxDailyLossOptions) -> None:
        super().__init__(options)
        self._start: Decimal | None = None
        self._begins = self._ends = 0
        """The day that `_start` belongs to, ns UTC."""
        self._trigger = 0.0

    def watch(self, standing: Standing) -> Stop | None:
        """Stop at the limit, or with nothing left to lose."""
        if not self._begins <= standing.ts < self._ends or self._start is None:
            self.reset(standing)
        if standing.equity_now > self._trigger:
            return None
        equity, start, limit = standing.equity, self._start, self.options.limit
        if start is None or start <= 0:
            return Stop(self.options.then, f"equity {equity:f} <= 0") if equity <= 0 else None
        lost = start - equity
        if lost < limit * start:
            return None
        return Stop(self.options.then, f"daily loss {reached(lost / start, limit)} >= limit {limit:f}")

    def reset(self, standing: Standing) -> None:
        """Begin anew with the present equity."""
        self._begins = standing.ts - standing.ts % _DAY
        self._begin(standing.equity)

    def save(self) -> str:
        """Keep the day and the equity at its start."""
        return "" if self._start is None else json.dumps({"day": self._begins, "start": str(self._start)})

    def load(self, state: str) -> None:
        """Take them back."""
        if state:
            kept = json.loads(state)
            self._begins = int(kept["day"])
            self._begin(Decimal(kept["start"]))

    def _begin(self, start: Decimal) -> None:
        self._start = start
        self._ends = self._begins + _DAY
        self._trigger = float(start * (1 - self.options.limit)) * _NEAR if start > 0 else float("inf")

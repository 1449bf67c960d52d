"""The max_drawdown limit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

from pydantic import Field

from quantmind.events import LatchLevel
from quantmind.kinds import Limit, Options, Standing, Stop
from quantmind_limits.rounding import reached

_NEAR = 1.0 + 1e-9
"""How much sooner than the exact figure the float is looked at closely."""


class MaxDrawdownOptions(Options):
    """Options of max_drawdown."""

    limit: Decimal = Field(
        gt=0, lt=1, examples=[0.1], description="The fall of the equity from its peak, as a part of the peak."
    )
    then: LatchLevel = Field(
        default="flatten", examples=["flatten"], description="What happens at the limit: reduce, flatten or halt."
    )


class MaxDrawdown(Limit[MaxDrawdownOptions]):
    """Stops trading when the equity has fallen by a part of its peak."""

    name = "max_drawdown"

    def __init__(self, options: MaxDrawdownOptions) -> None:
        super().__init__(options)
        self._peak: Decimal | None = None
        self._peak_now = float("-inf")
        self._trigger = float("inf")

    def watch(self, standing: Standing) -> Stop | None:
        """Stop at the limit, or with nothing left to lose; a higher equity is the new peak."""
        now = standing.equity_now
        if self._trigger < now <= self._peak_now:
            return None
        equity, peak, limit = standing.equity, self._peak, self.options.limit
        if peak is None or equity > peak:
            self._begin(equity)
            peak = equity
        if peak <= 0:
            return Stop(self.options.then, f"equity {equity:f} <= 0")
        fall = peak - equity
        if fall < limit * peak:
            return None
        return Stop(self.options.then, f"drawdown {reached(fall / peak, limit)} >= limit {limit:f}")

    def reset(self, standing: Standing) -> None:
        """Begin anew: the present equity is the peak."""
        self._begin(standing.equity)

    def save(self) -> str:
        """Keep the peak."""
        return "" if self._peak is None else json.dumps({"peak": str(self._peak)})

    def load(self, state: str) -> None:
        """Take it back."""
        if state:
            self._begin(Decimal(json.loads(state)["peak"]))

    @property
    def figures(self) -> Mapping[str, float]:
        """The peak of the equity, once there is one."""
        return {} if self._peak is None else {"peak": float(self._peak)}

    def _begin(self, peak: Decimal) -> None:
        self._peak = peak
        self._peak_now = float(peak)
        self._trigger = float(peak * (1 - self.options.limit)) * _NEAR if peak > 0 else float("inf")

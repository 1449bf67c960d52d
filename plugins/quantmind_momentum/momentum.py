"""The momentum strategy."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from quantmind.events import Bar, Signal
from quantmind.kinds import Interval, Needs, Options, Strategy, bars
from quantmind.market.indicators import EMA, RSI


class MomentumOptions(Options):
    """Options of momentum."""

    interval: Interval = Field(default=60_000_000_000, examples=["1m"], description="The length of the bars.")
    rsi: int = Field(default=14, ge=2, examples=[14], description="Bars in the relative strength index.")
    fast: int = Field(default=12, ge=1, examples=[12], description="Bars in the fast moving average.")
    slow: int = Field(default=26, ge=2, examples=[26], description="Bars in the slow moving average; more than `fast`.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.fast >= self.slow:
            raise ValueError(f"fast must be below slow ({self.slow}), was {self.fast}")
        return self


class Momentum(Strategy[MomentumOptions]):
    """Follows the trend: long with the fast average above the slow one and the RSI above 50, short below.

    With average and RSI on different sides it is flat. It signals when that changes, with |RSI - 50| / 50 as
    confidence. The averages are exponential ones of the closes. To warm up it wants ten times its longest period.
    """

    name = "momentum"

    @classmethod
    def needs(cls, options: MomentumOptions) -> Needs:
        """Need bars, and ten times the longest period before the first."""
        return Needs((bars(options.interval),), history=10 * max(options.rsi, options.fast, options.slow))

    def start(self) -> None:
        """Begin flat, with no price seen."""
        self._fast = EMA(self.options.fast)
        self._slow = EMA(self.options.slow)
        self._rsi = RSI(self.options.rsi)
        self._direction = 0.0

    def on_bar(self, bar: Bar) -> Signal | None:
        """Signal when the direction changes; the confidence is the distance of the RSI from 50."""
        fast = self._fast.update(bar.close)
        slow = self._slow.update(bar.close)
        rsi = self._rsi.update(bar.close)
        if fast is None or slow is None or rsi is None:
            return None
        direction = 0.0
        if fast > slow and rsi > 50.0:
            direction = 1.0
        elif fast < slow and rsi < 50.0:
            direction = -1.0
        if direction == self._direction:
            return None
        self._direction = direction
        return self.signal(direction, abs(rsi - 50.0) / 50.0)

"""The mean_reversion strategy."""

from __future__ import annotations

from pydantic import Field

from quantmind.events import Bar, Signal
from quantmind.kinds import Interval, Needs, Options, Strategy, bars
from quantmind.market.indicators import Bollinger


class MeanReversionOptions(Options):
    """Options of mean_reversion."""

    interval: Interval = Field(default=60_000_000_000, examples=["5m"], description="The length of the bars.")
    window: int = Field(default=20, gt=1, examples=[20], description="Bars in the moving average and the deviation.")
    width: float = Field(default=2.0, gt=0, examples=[2], description="Standard deviations from the average to a band.")


class MeanReversion(Strategy[MeanReversionOptions]):
    """Trades back to the mean: long below the lower Bollinger band, short above the upper one.

    It goes by the closes, and is flat again when a bar closes at the middle or beyond it. With z the distance from the
    middle in standard deviations the confidence is |z| / (2 * width), at most 1. A window of bars that are all the same
    changes nothing.
    """

    name = "mean_reversion"

    @classmethod
    def needs(cls, options: MeanReversionOptions) -> Needs:
        """Need bars, and a window of them before the first."""
        return Needs((bars(options.interval),), history=options.window)

    def start(self) -> None:
        """Begin flat, with no price seen."""
        self._bands = Bollinger(self.options.window, self.options.width)
        self._direction = 0.0

    def on_bar(self, bar: Bar) -> Signal | None:
        """Signal when the direction changes; at twice the width from the middle the confidence is 1."""
        close = bar.close
        bands = self._bands
        middle = bands.update(close)
        deviation = bands.deviation
        if middle is None or not deviation:
            return None
        before = self._direction
        distance = (close - middle) / deviation
        width = self.options.width
        if distance < -width:
            direction = 1.0
        elif distance > width:
            direction = -1.0
        elif before * distance >= 0.0:
            direction = 0.0
        else:
            return None
        if direction == before:
            return None
        self._direction = direction
        return self.signal(direction, min(1.0, abs(distance) / (2.0 * width)))

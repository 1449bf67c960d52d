"""The fixed_stop protection rule."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from quantmind.events import Market
from quantmind.kinds import Held, Interval, Levels, Needs, Options, Protection, bars
from quantmind.market.instruments import Instrument
from quantmind_stops.stop import follows, stop_level, to_tick


class FixedStopOptions(Options):
    """Options of fixed_stop."""

    part: Decimal = Field(gt=0, lt=1, examples=[0.02], description="The distance of the stop, as a part of the price.")
    trailing: bool = Field(
        default=False, description="Whether the stop follows the best price, at the same part of it."
    )
    interval: Interval = Field(default=60_000_000_000, description="The bars after which a trailing stop is moved.")
    step: Decimal = Field(
        default=Decimal("0.1"),
        ge=0,
        lt=1,
        description="The least it follows by, as a part of the distance: each move is a message to the venue.",
    )


class FixedStop(Protection[FixedStopOptions]):
    """Leaves a position when the price has gone against it by a fixed part."""

    name = "fixed_stop"
    capabilities = frozenset({"protects"})

    def __init__(self, options: FixedStopOptions, instrument: Instrument) -> None:
        super().__init__(options, instrument)
        self._part = float(options.part)
        self._step = float(options.step)

    @classmethod
    def needs(cls, options: FixedStopOptions) -> Needs:
        """Need bars to follow, if it does."""
        return Needs((bars(options.interval),)) if options.trailing else Needs()

    def on_market(self, event: Market) -> None:
        """Take note of nothing: the bar is when levels are asked for."""

    def distance(self, price: Decimal) -> Decimal:
        """Return part * price, rounded up to the tick."""
        return to_tick(price * self.options.part, self.instrument.tick)

    def has_news(self, side: int, best: float, stop: float) -> bool:
        """Say whether the best price has run away from the stop."""
        options = self.options
        return options.trailing and not follows(side, best, stop, best * self._part, self._step)

    def levels(self, held: Held) -> Levels:
        """Return the stop: average price -/+ distance, or the best price -/+ its part where that is tighter."""
        distance = held.distance if held.distance is not None else self.distance(held.average_price)
        trail = self.distance(Decimal(repr(held.best))) if self.options.trailing else None
        return Levels(stop=stop_level(held, distance, trail, self.instrument.tick, self.options.step))

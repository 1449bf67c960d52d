"""The atr_stop protection rule."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import nan

from pydantic import Field

from quantmind.events import Bar, Market
from quantmind.kinds import Held, Interval, Levels, Needs, Options, Protection, bars
from quantmind.market.indicators import ATR
from quantmind.market.instruments import Instrument
from quantmind_stops.stop import follows, stop_level, to_tick


class AtrStopOptions(Options):
    """Options of atr_stop."""

    interval: Interval = Field(default=60_000_000_000, examples=["1m"], description="The length of the bars.")
    period: int = Field(
        default=14, ge=1, examples=[14], description="Bars in the average true range, smoothed as Wilder does."
    )
    multiplier: Decimal = Field(
        default=Decimal(3), gt=0, examples=[3], description="The distance, in average true ranges."
    )
    trailing: bool = Field(default=True, description="Whether the stop follows the best price after each bar.")
    step: Decimal = Field(
        default=Decimal("0.1"),
        ge=0,
        lt=1,
        description="The least it follows by, as a part of the distance: each move is a message to the venue.",
    )


class AtrStop(Protection[AtrStopOptions]):
    """Leaves a position when the price has gone against it by a multiple of the average true range."""

    name = "atr_stop"
    capabilities = frozenset({"protects"})

    def __init__(self, options: AtrStopOptions, instrument: Instrument) -> None:
        super().__init__(options, instrument)
        self._atr = ATR(options.period)
        self._multiplier = float(options.multiplier)
        self._step = float(options.step)
        self._asked: tuple[float, Decimal] = (nan, Decimal(0))

    @classmethod
    def needs(cls, options: AtrStopOptions) -> Needs:
        """Need bars, and ten periods before the first: the average remembers them all."""
        return Needs((bars(options.interval),), history=10 * options.period)

    def on_market(self, event: Market) -> None:
        """Take the next bar."""
        if (
            isinstance(event, Bar)
            and event.symbol == self.instrument.symbol
            and event.interval == self.options.interval
        ):
            self._atr.update(event.high, event.low, event.close)

    @property
    def _distance(self) -> Decimal | None:
        """The distance of now: exact, and so worked out when it is asked for and not at every bar."""
        atr = self._atr.value
        if atr is None:
            return None
        if self._asked[0] != atr:
            self._asked = atr, to_tick(Decimal(repr(atr)) * self.options.multiplier, self.instrument.tick)
        return self._asked[1]

    def distance(self, price: Decimal) -> Decimal | None:
        """Return ATR * multiplier, rounded up to the tick; None before there is one, or where it exceeds the price."""
        distance = self._distance
        return distance if distance is not None and distance < price else None

    def has_news(self, side: int, best: float, stop: float) -> bool:
        """Say whether the best price, or a calmer market, has left the stop behind."""
        atr = self._atr.value
        if atr is None or not self.options.trailing:
            return False
        return not follows(side, best, stop, atr * self._multiplier, self._step)

    def levels(self, held: Held) -> Levels:
        """Return the stop: average price -/+ distance, or best price -/+ the distance of now where it is tighter."""
        distance = held.distance if held.distance is not None else self._distance
        if distance is None:
            return Levels()
        trail = self._distance if self.options.trailing else None
        return Levels(stop=stop_level(held, distance, trail, self.instrument.tick, self.options.step))

    @property
    def figures(self) -> Mapping[str, float]:
        """The average true range, once there is one."""
        return {} if self._atr.value is None else {"atr": self._atr.value}

"""The volatility_target sizing rule."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pydantic import Field

from quantmind.events import Market
from quantmind.kinds import Interval, Needs, Options, Sizing, SizingRule, bars
from quantmind.market.instruments import Instrument
from quantmind.risk.moments import annual_volatility
from quantmind.risk.size import at_leverage
from quantmind_sizing.returns import Returns


class VolatilityTargetOptions(Options):
    """Options of volatility_target."""

    target: Decimal = Field(
        gt=0, examples=[0.2], description="The wanted volatility of the equity in a year of 365 days; 0.2 is 20 %."
    )
    interval: Interval = Field(default=3_600_000_000_000, examples=["1h"], description="The length of the bars.")
    window: int = Field(
        default=168,
        ge=10,
        examples=[168],
        description="Returns in the estimate; nothing is held before there are as many.",
    )
    cap: Decimal = Field(default=Decimal(1), gt=0, description="The largest notional, as a multiple of the equity.")


class VolatilityTarget(SizingRule[VolatilityTargetOptions]):
    """Holds the quantity whose expected volatility is the target.

    The quantity is target * equity / (volatility * price), at most cap * equity / price. The volatility is the
    deviation of the returns per bar, times the root of the bars in 365 days.
    """

    name = "volatility_target"

    def __init__(self, options: VolatilityTargetOptions, instrument: Instrument) -> None:
        super().__init__(options, instrument)
        self._returns = Returns(instrument.symbol, options.interval, options.window)

    @classmethod
    def needs(cls, options: VolatilityTargetOptions) -> Needs:
        """Need bars, and a full window of returns before the first."""
        return Needs((bars(options.interval),), history=options.window + 1)

    def on_market(self, event: Market) -> None:
        """Take the next return."""
        self._returns.note(event)

    def budget(self, sizing: Sizing) -> Decimal:
        """Return target * E / (volatility * price), at most cap * E / price; 0 without an estimate above 0."""
        volatility = self._volatility()
        if not volatility:
            return Decimal(0)
        leverage = min(self.options.target / Decimal(repr(volatility)), self.options.cap)
        return at_leverage(leverage, sizing.equity, sizing.price)

    @property
    def figures(self) -> Mapping[str, float]:
        """The annual volatility, once there is one."""
        volatility = self._volatility()
        return {} if volatility is None else {"volatility": volatility}

    def _volatility(self) -> float | None:
        moments = self._returns.moments
        return None if moments is None else annual_volatility(moments[1], self.options.interval)

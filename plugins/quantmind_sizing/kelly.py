"""The kelly sizing rule."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Self

from pydantic import Field, model_validator

from quantmind.events import Fact, Market
from quantmind.kinds import Interval, Needs, Options, Sizing, SizingRule, bars
from quantmind.market.instruments import Instrument
from quantmind.risk.kelly import Prior, from_returns, kelly, measured, shrunk
from quantmind.risk.size import at_leverage, at_risk
from quantmind_sizing.returns import Returns
from quantmind_sizing.trades import Trades

_ZERO = Decimal(0)


class MeasuredOptions(Options):
    """The prior of measured trades: without an edge in it no trade would ever be made."""

    wins: Decimal = Field(
        gt=0, examples=[11], description="The wins believed in before the first trade: a of the Beta prior."
    )
    losses: Decimal = Field(
        gt=0, examples=[9], description="The losses believed in before the first trade: b of the Beta prior."
    )
    reward_risk: Decimal = Field(gt=0, examples=[1.2], description="The mean win over the mean loss believed in.")
    weight: Decimal = Field(default=Decimal(20), gt=0, description="The trades that the believed ratio is worth.")

    @property
    def prior(self) -> Prior:
        """The options as a prior."""
        return Prior(self.wins, self.losses, self.reward_risk, self.weight)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if kelly(self.wins / (self.wins + self.losses), self.reward_risk) <= 0:
            raise ValueError(
                f"the prior must have an edge (wins * reward_risk above losses, {self.losses:f}), or no trade is ever "
                f"made and measured, was {self.wins * self.reward_risk:f}"
            )
        return self


class ReturnsOptions(Options):
    """The bars that the leverage is measured on."""

    interval: Interval = Field(default=86_400_000_000_000, description="The length of the bars.")
    window: int = Field(default=365, ge=30, description="Returns in the estimate; before there are as many it is 0.")


class KellyOptions(Options):
    """Options of kelly: `win_rate` and `reward_risk`, or `measured`, or `returns`."""

    win_rate: Decimal | None = Field(
        default=None, ge=0, le=1, examples=[0.55], description="The part of the trades that win, as given."
    )
    reward_risk: Decimal | None = Field(
        default=None, gt=0, examples=[1.5], description="The mean win over the mean loss, as given."
    )
    measured: MeasuredOptions | None = Field(
        default=None, description="Measure both on the account's own closed trades of the symbol, from a prior on."
    )
    returns: ReturnsOptions | None = Field(
        default=None, description="Hold the leverage that the symbol's own returns per bar ask for."
    )
    fraction: Decimal = Field(
        default=Decimal("0.5"), gt=0, le=1, examples=[0.5], description="The part of the Kelly fraction to hold."
    )
    cap: Decimal = Field(
        default=Decimal(1), gt=0, examples=[2], description="The largest notional, as a multiple of the equity."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.win_rate is None) != (self.reward_risk is None):
            raise ValueError("win_rate and reward_risk belong together: give both, or neither")
        ways = (self.win_rate, self.measured, self.returns)
        if sum(1 for way in ways if way is not None) != 1:
            raise ValueError("must have exactly one of: win_rate with reward_risk, measured, returns")
        return self


class Kelly(SizingRule[KellyOptions]):
    """Holds a part of the Kelly fraction: by a given or measured win rate, or by the returns per bar.

    Give one of the three: `win_rate` and `reward_risk`, or `measured`, or `returns`. Of the equity `fraction` times the
    Kelly fraction is at risk at the stop; by returns it is a leverage, whatever the stop is.
    """

    name = "kelly"

    def __init__(self, options: KellyOptions, instrument: Instrument) -> None:
        super().__init__(options, instrument)
        self._trades: Trades | None = None
        self._returns: Returns | None = None
        self._full = _ZERO
        """The whole Kelly fraction, of `_estimated`."""
        self._estimated: object = None
        if options.measured is not None:
            self._trades = Trades(instrument.symbol)
        elif options.returns is not None:
            self._returns = Returns(instrument.symbol, options.returns.interval, options.returns.window)
        elif options.win_rate is not None and options.reward_risk is not None:
            self._full = kelly(options.win_rate, options.reward_risk)

    @classmethod
    def needs(cls, options: KellyOptions) -> Needs:
        """Need bars, and a full window of returns before the first, if it goes by returns."""
        returns = options.returns
        return Needs() if returns is None else Needs((bars(returns.interval),), history=returns.window + 1)

    def on_market(self, event: Market) -> None:
        """Take the next return."""
        if self._returns is not None:
            self._returns.note(event)

    def on_fact(self, fact: Fact) -> None:
        """Take what became of the account's own trades."""
        if self._trades is not None:
            self._trades.note(fact)

    def budget(self, sizing: Sizing) -> Decimal:
        """Return f * E / stop distance (by returns f * E / price), at most cap * E / price; 0 without an edge."""
        fraction = self.options.fraction * self._kelly()
        if self._returns is not None:
            return at_leverage(min(fraction, self.options.cap), sizing.equity, sizing.price)
        return at_risk(fraction, sizing.equity, sizing.price, sizing.stop_distance, self.options.cap)

    @property
    def figures(self) -> Mapping[str, float]:
        """The whole Kelly fraction, and the estimates it was made of."""
        figures = {"kelly": float(self._kelly())}
        if self._trades is not None and self.options.measured is not None:
            found = measured(self._trades.results, self.options.measured.prior)
            for name in ("low", "high", "win_rate", "win_rate_low", "win_rate_high", "reward_risk", "trades"):
                figures[name] = float(getattr(found, name))
        elif self._returns is not None:
            figures["returns"] = float(len(self._returns.values))
            if self._returns.moments is not None:
                figures["mean"], figures["variance"] = self._returns.moments
        return figures

    def _kelly(self) -> Decimal:
        """Return the whole Kelly fraction, computed anew only when what it is made of has changed."""
        if self._trades is not None and self.options.measured is not None:
            results = self._trades.results
            if results is not self._estimated:
                self._estimated = results
                self._full = kelly(*shrunk(results, self.options.measured.prior))
        elif self._returns is not None:
            moments = self._returns.moments
            if moments is not self._estimated:
                self._estimated = moments
                self._full = from_returns(self._returns.values, Decimal(1)) if moments is not None else _ZERO
        return self._full

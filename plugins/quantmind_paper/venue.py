"""Options of the simulated venue: what it charges, how long it takes, and how it fills."""

from __future__ import annotations

from decimal import Decimal
from typing import Self

from pydantic import Field, model_validator

from quantmind.kinds import Duration, Options
from quantmind.simulation.fees import Fees, FeeTier, fees_of
from quantmind.simulation.latency import ConstantLatency, Latency, MeasuredLatency, RandomLatency
from quantmind.simulation.slippage import Slippage


class RandomTimes(Options):
    """Times drawn between two bounds."""

    shortest: Duration = Field(default=0, description="The shortest time.")
    longest: Duration = Field(examples=["30ms"], description="The longest time.")
    seed: int = Field(default=0, description="Another seed draws other times.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.longest < self.shortest:
            raise ValueError("longest must be at least shortest")
        return self


class MeasuredTimes(Options):
    """Times drawn from measured ones."""

    measured: tuple[Duration, ...] = Field(
        min_length=1, examples=[["12ms", "30ms"]], description="Times that were measured, each as likely."
    )
    seed: int = Field(default=0, description="Another seed draws other times.")


class Tier(Options):
    """The fees from a traded volume on."""

    volume: Decimal = Field(
        ge=0, examples=[0], description="The notional traded in the venue's period, from which on they hold."
    )
    maker_fee: Decimal = Field(
        gt=-1, lt=1, examples=[0.0002], description="Fee of a resting order; negative is a rebate."
    )
    taker_fee: Decimal = Field(ge=0, lt=1, examples=[0.0005], description="Fee of an order that takes what is there.")


class SlippageOptions(Options):
    """What a taker pays beyond the price shown."""

    ticks: float = Field(default=0.0, ge=0, description="Ticks that each fill is worse.")
    fraction: float = Field(default=0.0, ge=0, lt=1, description="Part of the price that each fill is worse.")
    impact: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Part of the price that a fill of the whole size shown, or of a bar's volume, is worse; "
        "it goes with the square root of the size.",
    )


def fees(maker: Decimal, taker: Decimal, tiers: tuple[Tier, ...], volume: Decimal) -> Fees:
    """Return the fees of the tier that a volume reaches, or the plain ones where there are no tiers."""
    if not tiers:
        return Fees(maker, taker)
    return fees_of((FeeTier(tier.volume, Fees(tier.maker_fee, tier.taker_fee)) for tier in tiers), volume)


def latency(times: int | RandomTimes | MeasuredTimes) -> Latency:
    """Return the latency that the options describe."""
    if isinstance(times, RandomTimes):
        return RandomLatency(times.shortest, times.longest, times.seed)
    if isinstance(times, MeasuredTimes):
        return MeasuredLatency(times.measured, times.seed)
    return ConstantLatency(times)


def slippage(options: SlippageOptions) -> Slippage:
    """Return the slippage that the options describe."""
    return Slippage(options.ticks, options.fraction, options.impact)

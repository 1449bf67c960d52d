"""What a simulated venue is told before it starts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from quantmind.kinds import Duration, Interval, Options
from quantmind.kinds.moment import Moment
from quantmind_binance.symbols import unified

KEY = "quantmind-venue-key-0000000000000000000000000000000000000000000000"
SECRET = "quantmind-venue-secret-0000000000000000000000000000000000000000000"  # noqa: S105 - it opens nothing


class VenueOptions(Options):
    """Options of the simulated venue."""

    host: str = Field(default="127.0.0.1", min_length=1, description="The address it listens on.")
    port: int = Field(default=8900, ge=0, le=65_535, description="The port it listens on; 0 is a free one.")
    symbols: tuple[str, ...] = Field(
        default=(), description="Contracts as the venue spells them; those of the data without, or BTCUSDT and ETHUSDT."
    )
    recording: Path | None = Field(default=None, description="A raw recording of a venue's streams to play.")
    bars: dict[str, Path] = Field(default={}, description="Files of bars to play, by the venue's spelling.")
    funding: dict[str, Path] = Field(default={}, description="Files of funding rates that belong to the bars.")
    marks: dict[str, Path] = Field(default={}, description="Files of mark prices that belong to the bars.")
    interval: Interval = Field(default=60_000_000_000, description="The interval of those bars.")
    seed: int = Field(default=0, description="Another seed is another market, and other faults.")
    price: float | None = Field(default=None, gt=0, description="What a made-up market begins with.")
    quote_interval: Interval = Field(default=100_000_000, description="Time between quotes of a made-up market.")
    trade_interval: Interval = Field(default=250_000_000, description="Time between trades of a made-up market.")
    history: Duration = Field(
        default=604_800_000_000_000, description="How far back before the start the candles of a made-up market go."
    )
    speed: Literal["max", "virtual"] | Annotated[float, Field(gt=0, le=1_000_000)] = Field(
        default=1.0, description="How many times real time it runs; `max` as its clients read, `virtual` when told."
    )
    start: Moment | None = Field(
        default=None, description="Where in the bars it begins, or when in a market that is made up."
    )
    times: Literal["now", "recorded"] = Field(
        default="now", description="Whether times of data are moved to begin now, or stay what they were."
    )
    hold: Literal["no", "subscribed", "told"] = Field(
        default="no",
        description="Whether the market waits for the first subscription, or until it is told (POST /venue/begin); "
        "at speed `max` it waits for the subscription in any case.",
    )
    balance: Decimal = Field(default=Decimal(10_000), ge=0, le=10**15, description="The account's balance.")
    key: str = Field(default=KEY, min_length=1, description="The account's API key.")
    secret: str = Field(default=SECRET, min_length=1, description="The secret that signs.")
    funding_rate: float = Field(default=0.0001, gt=-1, lt=1, description="The rate of funding where no data say it.")
    limits: bool = Field(default=True, description="Whether the limits of requests and orders are enforced.")
    faults: tuple[dict[str, object], ...] = Field(default=(), description="What goes wrong, and when.")
    bad_day: Duration = Field(default=0, description="Mean time between faults at random; none without.")
    log: Path | None = Field(default=None, description="A file for a line of JSON per message and request.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.speed == "max" and self.recording is None and not self.bars:
            raise ValueError("speed max is for data that end: a made-up market never would; give a number or virtual")
        for spelling in (*self.symbols, *self.bars, *self.funding, *self.marks):
            unified(spelling)
        for name, files in (("funding", self.funding), ("marks", self.marks)):
            without = sorted(files.keys() - self.bars.keys())
            if without:
                raise ValueError(f"{name} of {', '.join(without)} need bars of the same contract: give these too")
        return self

"""The synthetic feed: a market that is made up, the same one for the same seed, replayed or at the wall clock."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from quantmind.events import Market
from quantmind.kinds import FUNDING, MARKS, QUOTES, TRADES, Channel, Duration, Feed, Interval, Options
from quantmind.kinds.moment import Moment
from quantmind_paper.schedule import Schedule
from quantmind_paper.walk import Walk

_BATCH = 1_000
_YEAR = 365 * 86_400_000_000_000
_START = 1_704_067_200_000_000_000
_DURATION = 600_000_000_000
_LATEST = 100_000_000
"""How late (ns) a live market's events may come before they are left out."""

_CHANNELS = (QUOTES, TRADES, MARKS, FUNDING)

_Maker = Callable[[int], Market]
_Makers = tuple[list[tuple[_Maker, bool]], ...]


class SyntheticOptions(Options):
    """Options of the synthetic feed."""

    seed: int = Field(default=0, examples=[7], description="Another seed is another market.")
    live: bool = Field(
        default=False,
        description="Whether it is a market of now, at the wall clock: never waited for, late events left out, no "
        "history.",
    )
    duration: Duration | None = Field(
        default=None,
        examples=["30m"],
        description="How long the market lasts, in event time; left out, 10m, and for ever when live.",
    )
    start: Moment = Field(default=_START, description="Time of the first event of a market that is replayed.")
    price: float = Field(default=50_000.0, gt=0, description="The price it begins with.")
    volatility: float = Field(default=0.8, ge=0, le=10, description="Standard deviation of a year's returns.")
    trend: float = Field(
        default=0.005,
        ge=0,
        lt=1,
        description="How far the wave lifts and lowers the price, as a part of it; 0 is none.",
    )
    trend_period: Interval = Field(default=600_000_000_000, description="The length of one wave.")
    quote_interval: Interval = Field(default=100_000_000, description="Time between quotes.")
    trade_interval: Interval = Field(default=250_000_000, description="Time between trades.")
    mark_interval: Interval = Field(default=1_000_000_000, description="Time between mark prices.")
    funding_interval: Interval = Field(
        default=28_800_000_000_000, description="Time between settlements of funding, counted from midnight UTC."
    )
    funding_rate: float = Field(default=0.0001, gt=-1, lt=1, description="The rate of every settlement.")
    speed: Literal["max"] | Annotated[float, Field(gt=0)] = Field(
        default="max", description="How many times real time it runs; `max` is as fast as possible."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.live and self.start != _START:
            raise ValueError("start is for a market that is replayed; one that is live begins now: leave it out")
        if self.live and self.speed != "max":
            raise ValueError("speed is for a market that is replayed; one that is live keeps the time: leave it out")
        return self


class Synthetic(Feed[SyntheticOptions]):
    """Makes up quotes, trades, mark prices and funding rates; the same ones for the same seed.

    The price is a random walk on a slow wave, and the same on every machine, whoever listens.
    """

    name = "synthetic"

    @classmethod
    def runs_live(cls, options: SyntheticOptions) -> bool:
        """Say whether it is a market of now."""
        return options.live

    @classmethod
    def offers(cls, options: SyntheticOptions, symbols: Sequence[str]) -> Mapping[str, frozenset[Channel]]:  # noqa: ARG003 - every market has them all
        """Offer quotes, trades, mark prices and funding rates of every symbol."""
        return {symbol: frozenset({QUOTES, TRADES, MARKS, FUNDING}) for symbol in symbols}

    @property
    def speed(self) -> float | None:
        """How many times real time it runs; None is as fast as possible."""
        return None if self.options.speed == "max" else self.options.speed

    async def events(self) -> AsyncIterator[Sequence[Market]]:
        """Yield the events sorted by (ts, quote, trade, mark, funding rate, order of the instruments).

        Funding is settled after the start, at whole multiples of its interval. Live they carry the time at which they
        are given out, what is late is left out, and there is no history.
        """
        if self.options.live:
            async for arrived in self._live():
                yield arrived
            return
        start = self.options.start
        end = start + (self.options.duration or _DURATION)
        schedule, makers = self._schedule(start), self._makers(start)
        batch: list[Market] = []
        while (now := schedule.due) < end:
            batch += _made(now, makers, schedule.take())
            if len(batch) >= _BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    async def _live(self) -> AsyncIterator[Sequence[Market]]:
        """Yield what is due, as it is due; the pace is that of a clock that nobody sets."""
        # Lint has no use for it: it would take a twentieth of its time and memory.
        import asyncio

        duration = self.options.duration
        start = last = time.time_ns()
        began = time.monotonic_ns()
        schedule, makers = self._schedule(start), self._makers(start)
        batch: list[Market] = []
        while duration is None or schedule.due < start + duration:
            now = start + time.monotonic_ns() - began
            if now - schedule.due > _LATEST:
                schedule.skip(now)
            if schedule.due >= now:
                if batch:
                    yield batch
                    batch = []
                await asyncio.sleep((schedule.due - now) / 1e9)
            last = max(time.time_ns(), last)
            batch += _made(last, makers, schedule.take())
        if batch:
            yield batch

    def _schedule(self, start: int) -> Schedule:
        options = self.options
        return Schedule(
            start, (options.quote_interval, options.trade_interval, options.mark_interval), options.funding_interval
        )

    def _makers(self, start: int) -> _Makers:
        """Return what makes up the quotes, trades, marks and funding rates, each with whether somebody wants them."""
        options = self.options
        makers: _Makers = ([], [], [], [])
        for instrument in self.instruments:
            walk = Walk(
                instrument,
                seed=options.seed,
                start=start,
                price=options.price,
                step_deviation=options.volatility * math.sqrt(options.quote_interval / _YEAR),
                trend=options.trend,
                trend_period=options.trend_period,
            )
            wanted = self.wanted.get(instrument.symbol, frozenset())
            funding = partial(walk.funding, rate=options.funding_rate)
            makes: tuple[_Maker, ...] = (walk.quote, walk.trade, walk.mark, funding)
            for kind, maker, channel in zip(makers, makes, _CHANNELS, strict=True):
                kind.append((maker, channel in wanted))
        return makers


def _made(now: int, makers: _Makers, due: Sequence[int]) -> list[Market]:
    """Make up what is due; what nobody wants is drawn all the same: the rest does not depend on who listens."""
    return [event for kind in due for event, wanted in [(make(now), wanted) for make, wanted in makers[kind]] if wanted]

"""The synthetic feed: a market that is made up, the same one for the same seed."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from quantmind.events import Market
from quantmind.kinds import FUNDING, MARKS, QUOTES, TRADES, Channel, Duration, Feed, Interval, Options
from quantmind.kinds.moment import Moment
from quantmind_paper.walk import Walk

_BATCH = 1_000
_YEAR = 365 * 86_400_000_000_000


class SyntheticOptions(Options):
    """Options of the synthetic feed."""

    seed: int = Field(default=0, description="Another seed is another market.")
    duration: Duration = Field(default=600_000_000_000, description="How long the market lasts, in event time.")
    start: Moment = Field(default=1_704_067_200_000_000_000, description="Time of the first event.")
    price: float = Field(default=50_000.0, gt=0, description="The price it begins with.")
    volatility: float = Field(default=0.8, ge=0, le=10, description="Standard deviation of a year's returns.")
    trend: float = Field(
        default=0.005, ge=0, lt=1, description="How far the wave lifts and lowers the price, as a part of it."
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


class Synthetic(Feed[SyntheticOptions]):
    """Makes up quotes, trades, mark prices and funding rates; the same ones for the same seed."""

    name = "synthetic"

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

        Funding is settled after the start, at whole multiples of its interval.
        """
        options = self.options
        walks = []
        for instrument in self.instruments:
            walk = Walk(
                instrument,
                seed=options.seed,
                start=options.start,
                price=options.price,
                step_deviation=options.volatility * math.sqrt(options.quote_interval / _YEAR),
                trend=options.trend,
                trend_period=options.trend_period,
            )
            walks.append((walk, self.wanted.get(instrument.symbol, frozenset())))
        quotes = [(walk.quote, QUOTES in wanted) for walk, wanted in walks]
        trades = [(walk.trade, TRADES in wanted) for walk, wanted in walks]
        marks = [(walk.mark, MARKS in wanted) for walk, wanted in walks]
        funding = [walk.funding for walk, wanted in walks if FUNDING in wanted]
        quote_at = trade_at = mark_at = now = options.start
        funding_at = (options.start // options.funding_interval + 1) * options.funding_interval
        end = options.start + options.duration
        batch: list[Market] = []
        while now < end:
            # What nobody wants is drawn all the same: the rest does not depend on who listens.
            if now == quote_at:
                batch += [event for event, wanted in [(quote(now), wanted) for quote, wanted in quotes] if wanted]
                quote_at += options.quote_interval
            if now == trade_at:
                batch += [event for event, wanted in [(trade(now), wanted) for trade, wanted in trades] if wanted]
                trade_at += options.trade_interval
            if now == mark_at:
                batch += [event for event, wanted in [(mark(now), wanted) for mark, wanted in marks] if wanted]
                mark_at += options.mark_interval
            if now == funding_at:
                batch += [settled(now, options.funding_rate) for settled in funding]
                funding_at += options.funding_interval
            now = min(quote_at, trade_at, mark_at, funding_at)
            if len(batch) >= _BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

"""The made-up market of one symbol: a random walk on a slow wave.

Uses no function whose last digit differs between platforms (no log, exp or sin), and of `random` only
`Random.random`, which Python promises to keep: a seed gives the same market everywhere.
"""

from __future__ import annotations

import hashlib
import math
import random

from quantmind.events import FundingRate, Mark, Quote, Trade
from quantmind.market.instruments import Instrument

_WIDEST = 3
"""The widest spread, in ticks."""


class Walk:
    """Quotes, trades, mark prices and funding of one symbol, each drawn when asked for."""

    def __init__(
        self,
        instrument: Instrument,
        *,
        seed: int,
        start: int,
        price: float,
        step_deviation: float,
        trend: float,
        trend_period: int,
    ) -> None:
        self._symbol = instrument.symbol
        # A whole number of ticks times these gives the float nearest to the exact price.
        self._tick, self._tick_parts = instrument.tick.as_integer_ratio()
        self._step, self._step_parts = instrument.step.as_integer_ratio()
        digest = hashlib.sha256(f"{seed} {instrument.symbol}".encode()).digest()
        self._draw = random.Random(int.from_bytes(digest, "big")).random  # noqa: S311 - a market, not a secret
        self._start = start
        self._level = price * self._tick_parts / self._tick
        # Four uniform numbers add up to a bell of variance 1/3.
        self._deviation = step_deviation * math.sqrt(3.0)
        self._trend = trend
        self._trend_period = trend_period
        self._bid = 0
        self._spread = 1
        self._trades = 0

    def quote(self, ts: int) -> Quote:
        """Move the price and draw the bid, the ask and their sizes."""
        draw = self._draw
        bell = draw() + draw() + draw() + draw() - 2.0
        self._level *= 1.0 + self._deviation * bell
        self._spread = spread = 1 + int(_WIDEST * _fourth(draw()))
        middle = self._level * (1.0 + self._trend * _wave((ts - self._start) / self._trend_period % 1.0))
        self._bid = bid = max(int(middle - spread / 2), 1)
        tick, parts = self._tick, self._tick_parts
        return Quote(self._symbol, ts, bid * tick / parts, (bid + spread) * tick / parts, self._size(), self._size())

    def trade(self, ts: int) -> Trade:
        """Draw a trade at the bid or the ask."""
        bought = self._draw() < 0.5
        price = (self._bid + self._spread if bought else self._bid) * self._tick / self._tick_parts
        self._trades += 1
        return Trade(self._symbol, ts, price, self._size(), 1 if bought else -1, self._trades)

    def mark(self, ts: int) -> Mark:
        """Return the middle of bid and ask."""
        return Mark(self._symbol, ts, (2 * self._bid + self._spread) * self._tick / (2 * self._tick_parts))

    def funding(self, ts: int, rate: float) -> FundingRate:
        """Return a settlement of funding at the mark price; it draws nothing."""
        return FundingRate(self._symbol, ts, rate, self.mark(ts).price)

    def _size(self) -> float:
        """Draw a size: many small ones, few of up to 5,000 steps."""
        return (1 + int(5_000 * _fourth(self._draw()))) * self._step / self._step_parts


def _wave(phase: float) -> float:
    """Return sin(2 pi phase) to 0.002, by Bhaskara's formula, which only multiplies and divides."""
    half = phase * 2.0 % 1.0
    arc = half * (1.0 - half)
    height = 16.0 * arc / (5.0 - 4.0 * arc)
    return height if phase < 0.5 else -height


def _fourth(number: float) -> float:
    """Return the fourth power by multiplication: `**` asks the platform."""
    square = number * number
    return square * square

"""A market that is made up: a random walk with a book around it, the same for the same seed."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from functools import partial

from quantmind_venue.listing import Listed
from quantmind_venue.market.board import FUNDING_INTERVAL, MS, Board
from quantmind_venue.market.klines import Candle
from quantmind_venue.market.ladder import Ladder, seeded
from quantmind_venue.market.pit import Settlement, Trade
from quantmind_venue.options import VenueOptions
from quantmind_venue.sources.source import Happening

_MINUTE = 60_000
_YEAR = 365 * 86_400_000
_VOLATILITY = 0.8
"""Standard deviation of a year's returns."""


class MadeUpMarket:
    """Makes up quotes with the book around them, and trades, each at its interval."""

    base = "1m"

    def __init__(self, options: VenueOptions) -> None:
        self._options = options
        self._walks: dict[str, Walk] = {}

    def spellings(self) -> Sequence[str]:
        """Return none: it takes any."""
        return ()

    def begins(self) -> int | None:
        """Return the time it is told to begin at, if any."""
        return self._options.start

    def prepare(self, board: Board, now: int) -> None:
        """Put candles and settlements from before the start on the board, and the first book."""
        options, ms = self._options, now // MS
        minutes = options.history // MS // _MINUTE
        for contract, pit in board:
            walk = self._walks[contract.spelling] = Walk(contract, options)
            pit.past(walk.past(ms, minutes))
            first = (ms - minutes * _MINUTE) // FUNDING_INTERVAL + 1
            for number in range(first, ms // FUNDING_INTERVAL + 1):
                pit.settlements.append(Settlement(number * FUNDING_INTERVAL, options.funding_rate, walk.level))
            walk.move(board, ms)
            board.marked(contract.spelling, walk.level, walk.level, ms)

    def play(self, board: Board, start: int) -> Iterator[Happening]:
        """Yield quotes and trades, for ever; those of several contracts are spread over the interval."""
        intervals = (self._options.quote_interval, self._options.trade_interval)
        count = len(self._walks)
        due = [
            (start + interval * (number + 1) // count, kind, spelling)
            for number, spelling in enumerate(self._walks)
            for kind, interval in enumerate(intervals)
        ]
        heapq.heapify(due)
        while True:
            at, kind, spelling = due[0]
            walk = self._walks[spelling]
            yield at, partial(walk.trade if kind else walk.move, board, at // MS)
            heapq.heapreplace(due, (at + intervals[kind], kind, spelling))


class Walk:
    """The walk of one contract."""

    def __init__(self, contract: Listed, options: VenueOptions) -> None:
        self.level = options.price or contract.price
        self._random = seeded(options.seed, contract.spelling)
        self._ladder = Ladder(contract, self.level, self._random)
        self._deviation = _VOLATILITY * math.sqrt(options.quote_interval / MS / _YEAR)
        self._trades = 0

    def past(self, ms: int, count: int) -> list[Candle]:
        """Make up candles of a minute that end before a time, the last at the price it begins with."""
        draw, tick = self._random.gauss, self._ladder.tick
        deviation = _VOLATILITY * math.sqrt(_MINUTE / _YEAR)
        closes = [self.level]
        for _ in range(count):
            closes.append(closes[-1] / (1 + draw(0.0, deviation)))
        closes = [round(round(price / tick) * tick, 8) for price in reversed(closes)]
        begin = ms // _MINUTE * _MINUTE - count * _MINUTE
        made = []
        for number in range(count):
            first, last = closes[number : number + 2]
            reach = round(abs(draw(0.0, deviation)) * first / tick) * tick
            high, low = round(max(first, last) + reach, 8), round(min(first, last) - reach, 8)
            volume = round(1_000_000 / first * self._random.random(), 3)
            start = begin + number * _MINUTE
            worth, half = volume * last, volume / 2
            made.append(Candle(start, start + _MINUTE - 1, first, high, low, last, volume, worth, 240, half, worth / 2))
        return made

    def move(self, board: Board, ms: int) -> None:
        """Move the price, and the book with it."""
        draw, ladder = self._random, self._ladder
        self.level = round(self.level * (1.0 + draw.gauss(0.0, self._deviation)), 8)
        spread = 1 + int(3 * draw.random() ** 4)
        bid = max(int(self.level / ladder.tick - spread / 2), 1)
        ladder.move(board, bid, bid + spread, ms)

    def trade(self, board: Board, ms: int) -> None:
        """Trade at the bid or the ask."""
        ladder = self._ladder
        contract = board.listing[ladder.spelling]
        bought = self._random.random() < 0.5
        price = contract.price_text((ladder.ask if bought else ladder.bid) * ladder.tick)
        self._trades += 1
        board.traded(ladder.spelling, Trade(self._trades, price, ladder.some(contract), ms, not bought))

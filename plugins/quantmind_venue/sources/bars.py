"""Files of bars as the market: trades along each bar's path, with quotes and a book around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise

from quantmind.data.recorded import Recorded
from quantmind.errors import UsageError
from quantmind.events import Bar, FundingRate, Mark, Market
from quantmind.kinds.channel import FUNDING, MARKS, bars
from quantmind.kinds.options import format_duration
from quantmind_binance.symbols import spelled, unified
from quantmind_venue.market.board import MS, Board
from quantmind_venue.market.klines import INTERVALS, Candle
from quantmind_venue.market.ladder import Ladder, seeded
from quantmind_venue.market.pit import Settlement, Trade
from quantmind_venue.options import VenueOptions
from quantmind_venue.sources.source import Happening

_HISTORY = 20_000
"""Bars from before the start that are put on the board."""

_FEWEST, _MOST = 12, 240
"""Trades that are made of a bar that has volume."""


class BarMarket:
    """Plays bars of some contracts, and funding and mark prices where there are files of them.

    A bar becomes trades from its open by way of low and high (a bar that falls: high and low) to its close, whose
    candle is the bar again. With `moved` the times begin now, by whole intervals of the bars.
    """

    def __init__(self, options: VenueOptions) -> None:
        self._options = options
        self._interval = options.interval
        names = {length * MS: name for name, length in INTERVALS.items()}
        if self._interval not in names:
            raise UsageError(
                f"--interval: the venue has no candles of {format_duration(self._interval)}; "
                f"give bars of {', '.join(INTERVALS)}"
            )
        self.base = names[self._interval]
        self._recorded = Recorded(
            {unified(spelling): (path,) for spelling, path in options.bars.items()},
            self._interval,
            funding={unified(spelling): (path,) for spelling, path in options.funding.items()},
            marks={unified(spelling): (path,) for spelling, path in options.marks.items()},
            start=options.start,
        )
        self._ladders: dict[str, Ladder] = {}
        self._trades: dict[str, int] = {}
        self._batches: Iterator[Sequence[Market]] = iter(())
        self._ahead: list[Market] = []
        self._shift = 0

    def spellings(self) -> Sequence[str]:
        """Return the contracts there are files of bars of, which are opened."""
        symbols = [unified(spelling) for spelling in self._options.bars]
        wanted = dict.fromkeys(symbols, frozenset({bars(self._interval), MARKS, FUNDING}))
        self._batches = self._recorded.read(symbols, wanted).batches()
        first = next(self._batches, ())
        if not first:
            raise UsageError("--data: there are no bars from that start on")
        self._ahead = list(first)
        return tuple(spelled(symbol) for symbol in symbols)

    @property
    def _opening(self) -> int:
        """The time at which the first bar opens."""
        return min(event.ts for event in self._ahead if isinstance(event, Bar)) - self._interval

    def begins(self) -> int | None:
        """Return when the first bar opens, unless times are moved."""
        return None if self._options.times == "now" else self._opening

    def prepare(self, board: Board, now: int) -> None:
        """Put the bars from before the start on the board, and the first book."""
        if self._options.times == "now":
            self._shift = (now - self._opening) // self._interval * self._interval
        for spelling in self._options.funding:
            board.settled_by_data.add(spelling)
        for contract, pit in board:
            ladder = Ladder(contract, self._first(pit.symbol).open, seeded(self._options.seed, contract.spelling))
            self._ladders[contract.spelling] = ladder
            self._trades[contract.spelling] = 0
            past = self._recorded.history(pit.symbol, bars(self._interval), _HISTORY)
            pit.past([self._candle(bar) for bar in past if isinstance(bar, Bar)])
            for event in self._recorded.history(pit.symbol, FUNDING, _HISTORY):
                if isinstance(event, FundingRate):
                    pit.settlements.append(Settlement((event.ts + self._shift) // MS, event.rate, event.mark))
                    pit.rate = event.rate
            self._quote(board, contract.spelling, self._first(pit.symbol).open, True, now // MS)

    def play(self, board: Board, start: int) -> Iterator[Happening]:  # noqa: ARG002 - it began when it was prepared
        """Yield the quotes, trades, marks and settlements of each interval, in order of time."""
        close = 0
        group: list[Market] = []
        for event in self._events():
            ends = -(-event.ts // self._interval) * self._interval
            if ends > close:
                yield from self._happenings(board, group)
                close, group = ends, []
            group.append(event)
        yield from self._happenings(board, group)

    def _events(self) -> Iterator[Market]:
        yield from self._ahead
        for batch in self._batches:
            yield from batch

    def _happenings(self, board: Board, group: Sequence[Market]) -> list[Happening]:
        made: list[tuple[int, int, Happening]] = []
        for event in group:
            spelling = spelled(event.symbol)
            at = event.ts + self._shift
            if isinstance(event, Bar):
                made += [(due, len(made), (due, call)) for due, call in self._walk(board, spelling, event)]
            elif isinstance(event, Mark):
                made.append((at, -1, (at, partial(board.mark_of_data, spelling, event.price, at // MS))))
            elif isinstance(event, FundingRate):
                made.append((at, -1, (at, partial(board.settle, spelling, event.rate, at // MS, event.mark))))
        made.sort(key=lambda each: each[:2])
        return [happening for _, _, happening in made]

    def _walk(self, board: Board, spelling: str, bar: Bar) -> Iterator[Happening]:
        """Yield the trades of a bar; in a bar without volume there are none."""
        contract = board.listing[spelling]
        step = float(contract.step)
        steps = round(bar.volume / step)
        count = min(max(self._interval // self._options.trade_interval, _FEWEST), _MOST, steps)
        if count < 1:
            return
        between = (bar.low, bar.high) if bar.close >= bar.open else (bar.high, bar.low)
        corners = (bar.open, *between, bar.close)
        prices = [_along(corners, number / max(count - 1, 1)) for number in range(count)]
        for corner in range(4) if count >= 4 else ():
            prices[round(corner * (count - 1) / 3)] = corners[corner]
        opens = bar.ts - bar.interval + self._shift
        before = bar.open
        for number, price in enumerate(prices):
            due = opens + bar.interval * number // count
            size = steps * (number + 1) // count - steps * number // count
            yield due, partial(self._trade, board, spelling, price, price >= before, size * step, due // MS)
            before = price

    def _trade(self, board: Board, spelling: str, price: float, bought: bool, size: float, ms: int) -> None:
        self._quote(board, spelling, price, bought, ms)
        contract, ladder = board.listing[spelling], self._ladders[spelling]
        self._trades[spelling] += 1
        text = contract.price_text((ladder.ask if bought else ladder.bid) * ladder.tick)
        board.traded(spelling, Trade(self._trades[spelling], text, contract.quantity_text(size), ms, not bought))

    def _quote(self, board: Board, spelling: str, price: float, bought: bool, ms: int) -> None:
        """Show the price as the ask of who buys, or the bid of who sells, a tick apart."""
        ladder = self._ladders[spelling]
        at = max(round(price / ladder.tick), 1)
        ladder.move(board, at - 1 if bought else at, at if bought else at + 1, ms)

    def _first(self, symbol: str) -> Bar:
        for event in self._ahead:
            if isinstance(event, Bar) and event.symbol == symbol:
                return event
        raise UsageError(f"--data: {symbol} has no bars when the others begin; give --start a later time")

    def _candle(self, bar: Bar) -> Candle:
        start, worth = (bar.ts - bar.interval + self._shift) // MS, bar.volume * bar.close
        end = start + bar.interval // MS - 1
        half = bar.volume / 2
        return Candle(
            start, end, bar.open, bar.high, bar.low, bar.close, bar.volume, worth, int(bar.volume > 0), half, worth / 2
        )


def _along(corners: Sequence[float], part: float) -> float:
    """Return the price after a part of the way from the first corner to the last."""
    legs = list(pairwise(corners))
    place = part * len(legs)
    leg = min(int(place), len(legs) - 1)
    begin, end = legs[leg]
    return begin + (end - begin) * (place - leg)

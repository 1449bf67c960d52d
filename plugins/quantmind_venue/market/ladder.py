"""The ladder: the order book of a contract whose market is made up, or made of bars."""

from __future__ import annotations

from random import Random

from quantmind.events import Quote
from quantmind.market.book import Change
from quantmind_venue.listing import Listed
from quantmind_venue.market.board import MS, Board
from quantmind_venue.streaming import streams

_LEVELS = 20
"""Levels on each side."""

_SPACING = 2e-5
"""Space between the levels behind the best one, as a part of the price."""

_NOTIONAL = 10_000
"""What sizes are drawn around, in quote currency."""


class Ladder:
    """Levels around a bid and an ask, in whole ticks; each move changes the book, and then shows its best."""

    def __init__(self, contract: Listed, price: float, random: Random) -> None:
        self.spelling = contract.spelling
        self.tick = float(contract.tick)
        self.bid = self.ask = 0
        self._random = random
        self._step = float(contract.step)
        self._grid = max(round(price * _SPACING / self.tick), 1)
        self._size = _NOTIONAL / price
        self._bids: dict[int, str] = {}
        self._asks: dict[int, str] = {}
        self._update = 1_000_000

    def move(self, board: Board, bid: int, ask: int, ms: int) -> None:
        """Put the best bid and ask at these ticks, and tell the change of the book and the quote."""
        contract, pit = board.listing[self.spelling], board.pits[self.spelling]
        bids = self._side(contract, self._bids, bid, -1)
        asks = self._side(contract, self._asks, ask, 1)
        self.bid, self.ask = bid, ask
        previous = self._update
        self._update += max(len(bids) + len(asks), 1)
        if not pit.book.proven:
            pit.book.snapshot(ms * MS, previous, (), ())
        floats = [[(float(price), float(size)) for price, size in side] for side in (bids, asks)]
        change = Change(ms * MS, previous + 1, self._update, previous, *floats)
        payload = streams.depth_update(contract, previous + 1, self._update, previous, bids, asks, ms)
        board.changed(self.spelling, change, bids, asks, payload)
        best_bid = (contract.price_text(bid * self.tick), self._bids[bid])
        best_ask = (contract.price_text(ask * self.tick), self._asks[ask])
        prices, sizes = (float(best_bid[0]), float(best_ask[0])), (float(best_bid[1]), float(best_ask[1]))
        quote = Quote(pit.symbol, ms * MS, *prices, *sizes, 0, self._update)
        board.quoted(self.spelling, quote, streams.book_ticker(contract, self._update, [best_bid], [best_ask], ms))

    def some(self, contract: Listed) -> str:
        """Draw a size: many small ones, few large ones."""
        steps = 1 + int(self._size * 10 / self._step * self._random.random() ** 4)
        return contract.quantity_text(steps * self._step)

    def _side(self, contract: Listed, held: dict[int, str], best: int, away: int) -> list[tuple[str, str]]:
        """Return the changes that bring a side to its best price and the levels of the grid behind it."""
        first = (best // self._grid + (1 if away > 0 else 0)) * self._grid
        if first == best:
            first += away * self._grid
        wanted = {best, *(first + away * number * self._grid for number in range(_LEVELS - 1))}
        changes: dict[int, str] = {}
        for level in [level for level in held if level not in wanted]:
            del held[level]
            changes[level] = contract.quantity_text(0.0)
        for level in sorted(wanted):
            if level > 0 and (level not in held or level == best):
                held[level] = changes[level] = self.some(contract)
        other = first + away * self._grid * int(self._random.random() * (_LEVELS - 1))
        if other in held:
            held[other] = changes[other] = self.some(contract)
        return [(contract.price_text(level * self.tick), size) for level, size in changes.items()]


def seeded(seed: int, spelling: str) -> Random:
    """Return the random numbers of a contract, the same for the same seed."""
    return Random(f"{seed} {spelling}")  # noqa: S311 - a market, not a secret

"""The present price: what an order meets at the moment it comes in."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from quantmind.events import Book, Quote

if TYPE_CHECKING:
    from quantmind_venue.listing import Listed
    from quantmind_venue.market.board import Board

_LEVELS = 100
"""How deep a market order may reach into the book."""

Level = tuple[float, float]


class Present:
    """The best bid and ask of each contract and the book behind them, less what the account has taken of it."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._quotes: dict[str, Quote] = {}
        self._books: dict[str, Book] = {}
        """The levels that are left, of those contracts that were asked for since their last quote."""
        self.most: float | None = None
        """The largest size that is shown, where a fault cuts it into slices."""

    def came(self, quote: Quote) -> Quote:
        """Take note of a quote; return it as orders may meet it."""
        if self.most is not None:
            most = self.most
            quote = Quote(
                quote.symbol, quote.ts, quote.bid, quote.ask, min(quote.bid_size, most), min(quote.ask_size, most)
            )
        self._quotes[quote.symbol] = quote
        self._books.pop(quote.symbol, None)
        return quote

    def best(self, symbol: str, buys: bool) -> float | None:
        """Return the price that a buyer pays, or that a seller gets."""
        quote = self._quotes.get(symbol)
        if quote is None:
            return None
        return (quote.ask if buys else quote.bid) or None

    def of(self, listed: Listed) -> Book | None:
        """Return what an order may meet now, None before there is a price."""
        book = self._books.get(listed.symbol)
        if book is None:
            quote = self._quotes.get(listed.symbol)
            if quote is None or not (quote.bid > 0 and quote.ask > 0):
                return None
            book = self._books[listed.symbol] = self._made(listed, quote)
        return book

    def _made(self, listed: Listed, quote: Quote) -> Book:
        bids: list[Level] = [(quote.bid, quote.bid_size)]
        asks: list[Level] = [(quote.ask, quote.ask_size)]
        if self.most is None:
            # The book is told less often than its best prices: what it has beyond them counts.
            behind = self._board.pits[listed.spelling].book
            bids += [level for level in behind.bids(_LEVELS) if level[0] < quote.bid]
            asks += [level for level in behind.asks(_LEVELS) if level[0] > quote.ask]
        return Book(quote.symbol, quote.ts, tuple(bids), tuple(asks))

    def taken(self, listed: Listed, buys: bool, quantity: Decimal) -> None:
        """Take note of what was bought or sold: it is gone until the next quote."""
        book = self.of(listed)
        if book is None:
            return
        left, levels = float(quantity), []
        for price, size in book.asks if buys else book.bids:
            # A size of 0 is not known, and any size is to be had.
            part = 0.0 if size <= 0 else min(left, size)
            left -= part
            if size <= 0 or size - part > 1e-12:
                levels.append((price, size - part if part else size))
                left = left if part else 0.0
        bids, asks = (book.bids, tuple(levels)) if buys else (tuple(levels), book.asks)
        self._books[listed.symbol] = Book(book.symbol, book.ts, bids, asks)

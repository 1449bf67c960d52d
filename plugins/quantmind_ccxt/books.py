"""Order books: every change checked by its number, and a new snapshot after each gap."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from quantmind.events import Book, Quote
from quantmind.market.book import BookGap, Change, OrderBook
from quantmind_ccxt.stream import Stream

Levels = list[tuple[float, float]]
Snapshot = tuple[int, int, Levels, Levels]
"""The venue's time (ns), the number of the last change in it, bids and asks."""

SNAPSHOT_LEVELS = 1_000
"""Levels on each side of a snapshot, the most that Binance gives."""

_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
_log = logging.getLogger(__name__)


class BookKeeper:
    """Keeps the order book of one symbol, and gives it out after each change while it is proven."""

    def __init__(
        self, stream: Stream, levels: int, give: Callable[[Book], None], fetch: Callable[[str], Awaitable[Snapshot]]
    ) -> None:
        self.symbol = stream.symbol
        self.stream = stream
        self.reason = "has had no snapshot yet"
        """Why it is not proven."""
        self._levels = levels
        self._give = give
        self._fetch = fetch
        self._book = OrderBook(stream.symbol)
        self._newest = 0
        """The number of the last change that came, whether it could be used or not."""
        self._cut = False
        """Whether the connection was lost since that one."""
        self._shown = 0
        self._floor = 0.0
        self._ceiling = float("inf")
        self._task: asyncio.Task[None] | None = None
        self._quote: Quote | None = None
        self._received = 0
        stream.proven = 0

    @property
    def proven(self) -> bool:
        """Whether every change since the snapshot has come."""
        return self._book.proven

    def change(self, change: Change, received: int) -> None:
        """Take a change of the stream."""
        self._received = received
        self._count(change)
        try:
            changed = self._book.update(change)
        except BookGap as gap:
            self._resync(f"lost changes after {gap.expected}")
            return
        if changed:
            self._show()
        elif not self._book.proven:
            self._resync(self.reason)

    def _count(self, change: Change) -> None:
        """Note how far the venue's numbers went on with a change, and what is missing before it."""
        stream, newest, previous = self.stream, self._newest, change.previous
        if self._cut:
            self._cut = False
            if change.last < newest:
                # The venue counts anew.
                newest = 0
        if change.last <= newest:
            stream.duplicates += 1
            return
        self._newest = change.last
        if newest and previous is not None:
            stream.span += change.last - newest
            if previous > newest:
                stream.gaps += 1
                stream.lost_span += previous - newest

    def check(self, quote: Quote) -> None:
        """Compare with a quote of the same change; where they differ, the book is wrong whatever its numbers say."""
        self._quote = quote
        if self._book.proven and quote.update == self._book.last:
            self._agrees(quote)

    def lose(self, reason: str) -> None:
        """Take the book for unproven; the next change fetches a snapshot."""
        self._book.lose()
        self._cut = True
        self.stream.proven = 0
        self.reason = reason
        self._stop()

    async def close(self) -> None:
        """Stop fetching."""
        task = self._task
        self._stop()
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _show(self) -> None:
        if self._book.last == self._shown:
            # The snapshot had this change already.
            return
        quote = self._quote
        if quote is not None and quote.update == self._book.last and not self._agrees(quote):
            return
        book = self._book.top(self._levels, self._received)
        self._shown = book.update
        self.stream.events += 1
        self._give(book)
        if self._beyond(book):
            self._book.lose()
            self._resync("has come to the edge of its snapshot")

    def _beyond(self, book: Book) -> bool:
        """Whether it shows prices beyond the snapshot, of which only those are known that changed since."""
        return bool((book.bids and book.bids[-1][0] < self._floor) or (book.asks and book.asks[-1][0] > self._ceiling))

    def _agrees(self, quote: Quote) -> bool:
        """Whether the book shows what the quote does; one that does not is given up."""
        bid, ask = self._book.best_bid, self._book.best_ask
        if (*bid, *ask) == (quote.bid, quote.bid_size, quote.ask, quote.ask_size):
            return True
        _log.warning("ccxt: %s: the book shows %s and %s, but %s", self.symbol, bid, ask, quote)
        self.stream.gaps += 1
        self._book.lose()
        self._resync(f"differs from the quote of change {quote.update}")
        return False

    def _resync(self, reason: str) -> None:
        self.stream.proven = 0
        self.reason = reason
        if self._task is None:
            self._task = asyncio.create_task(self._synchronise())
            self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._task is task:
            self._task = None

    async def _synchronise(self) -> None:
        """Fetch snapshots until one and the changes that wait for it make a book."""
        attempt = 0
        while not self._book.proven:
            try:
                ts, last, bids, asks = await self._fetch(self.symbol)
            except Exception as error:  # noqa: BLE001 - ccxt raises many kinds, and it is tried until one comes
                _log.warning("ccxt: %s: no snapshot of the order book yet: %s", self.symbol, error)
            else:
                if self._book.snapshot(ts, last, bids, asks):
                    self.stream.proven = 1
                    self._floor = bids[-1][0] if len(bids) >= SNAPSHOT_LEVELS else 0.0
                    self._ceiling = asks[-1][0] if len(asks) >= SNAPSHOT_LEVELS else float("inf")
                    self._task = None
                    self._show()
                    return
            pause = _PAUSES[min(attempt, len(_PAUSES) - 1)]
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - a jitter is no secret
            attempt += 1

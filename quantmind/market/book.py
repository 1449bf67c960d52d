"""The order book of one instrument: a snapshot, the changes since, and proof that none is missing."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Sequence

import msgspec

from quantmind.events import Book

Level = tuple[float, float]
"""A price (quote currency) and the size there (base currency); a change to size 0 takes the price away."""

MOST_WAITING = 5_000
"""Changes that are kept while no snapshot is there; the oldest go first."""


class Change(msgspec.Struct, frozen=True, gc=False):
    """Changes of a book, numbered `first` to `last` by the venue; `previous` is the `last` of the change before.

    A venue that does not say the number before gives None, and numbers its changes without holes. `ts` is the venue's
    time (ns UTC). `bids` and `asks` are the levels that are new, in any order; one of size 0 is gone.
    """

    ts: int
    first: int
    last: int
    previous: int | None
    bids: Sequence[Level]
    asks: Sequence[Level]


class BookGap(Exception):  # noqa: N818 - it is news of the market, not a fault of the program
    """A change is missing: the book is not proven until the next snapshot.

    `expected` is the number of the last change that came, `got` the first number of the one that does not follow it.
    """

    def __init__(self, symbol: str, expected: int, got: int) -> None:
        super().__init__(f"{symbol}: a change of the order book is missing: {expected} was the last, {got} came")
        self.expected = expected
        self.got = got


class OrderBook:
    """Bids and asks by price, the best ones at hand.

    It is `proven` while a snapshot and every change since are in it. The rule is Binance's ("How to manage a local
    order book correctly"): changes up to the snapshot are passed over, the first one kept contains the snapshot's
    number or follows it, and each further one follows the last.
    """

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        """The unified symbol."""
        self.ts = 0
        """The venue's time (ns UTC) of the last change."""
        self.last = 0
        """The venue's number of the last change; 0 before a snapshot."""
        self.proven = False
        self._bridged = False
        self._bids: dict[float, float] = {}
        self._asks: dict[float, float] = {}
        # Prices in order; those of the bids negated, so that the best one of either side comes first.
        self._bid_keys: list[float] = []
        self._ask_keys: list[float] = []
        self._waiting: deque[Change] = deque(maxlen=MOST_WAITING)

    def snapshot(self, ts: int, last: int, bids: Iterable[Level], asks: Iterable[Level]) -> bool:
        """Begin anew from the venue's whole book as of its change `last`, and add the changes that waited for it.

        `bids` and `asks` are its levels in any order, `ts` is the venue's time (ns UTC).

        Returns:
            Whether the book is proven now: it is not if a change between the snapshot and those is missing.
        """
        self._bids = {price: size for price, size in bids if size > 0}
        self._asks = {price: size for price, size in asks if size > 0}
        self._bid_keys = sorted(-price for price in self._bids)
        self._ask_keys = sorted(self._asks)
        self.ts, self.last = ts, last
        self.proven, self._bridged = True, False
        waiting = tuple(self._waiting)
        self._waiting.clear()
        for index, change in enumerate(waiting):
            try:
                self.update(change)
            except BookGap:
                # What came after the gap waits for a snapshot that is newer.
                self._waiting.extend(waiting[index + 1 :])
                return False
        return True

    def update(self, change: Change) -> bool:
        """Add a change; without a proven book it waits for the snapshot.

        Returns:
            Whether the book changed: False for what waits, and for what the book contains already.

        Raises:
            BookGap: a change before it is missing. It waits for the next snapshot.
        """
        if not self.proven:
            self._waiting.append(change)
            return False
        if change.last < self.last or (change.last == self.last and self._bridged):
            return False
        if not self._follows(change):
            expected = self.last
            self.lose()
            self._waiting.append(change)
            raise BookGap(self.symbol, expected, change.first)
        self._bridged = True
        self.last, self.ts = change.last, change.ts
        if change.bids:
            _change(self._bids, self._bid_keys, change.bids, -1.0)
        if change.asks:
            _change(self._asks, self._ask_keys, change.asks, 1.0)
        return True

    def lose(self) -> None:
        """Take the book for unproven, as after a lost connection: it must be given a snapshot again."""
        self.proven = False
        self._waiting.clear()

    def _follows(self, change: Change) -> bool:
        if not self._bridged and change.first <= self.last:
            # The first one contains the snapshot's number.
            return True
        if change.previous is not None:
            return change.previous == self.last
        return change.first <= self.last + 1

    @property
    def best_bid(self) -> Level:
        """The highest bid (quote currency) and its size (base currency); zeros where there is none."""
        if not self._bid_keys:
            return 0.0, 0.0
        price = -self._bid_keys[0]
        return price, self._bids[price]

    @property
    def best_ask(self) -> Level:
        """The lowest ask (quote currency) and its size (base currency); zeros where there is none."""
        if not self._ask_keys:
            return 0.0, 0.0
        price = self._ask_keys[0]
        return price, self._asks[price]

    @property
    def crossed(self) -> bool:
        """Whether the highest bid is not below the lowest ask, which no true book shows."""
        return bool(self._bid_keys and self._ask_keys) and -self._bid_keys[0] >= self._ask_keys[0]

    def bids(self, count: int | None = None) -> tuple[Level, ...]:
        """Return the `count` best bids in order, from the best one on; all without a count."""
        held = self._bids
        return tuple([(-key, held[-key]) for key in self._bid_keys[:count]])

    def asks(self, count: int | None = None) -> tuple[Level, ...]:
        """Return the `count` best asks in order, from the best one on; all without a count."""
        held = self._asks
        return tuple([(key, held[key]) for key in self._ask_keys[:count]])

    def top(self, count: int, received: int = 0) -> Book:
        """Return the `count` best levels of both sides as a market event; `received` is our time of it (ns UTC)."""
        return Book(self.symbol, self.ts, self.bids(count), self.asks(count), received, self.last)


def _change(held: dict[float, float], keys: list[float], levels: Sequence[Level], sign: float) -> None:
    for price, size in levels:
        if size > 0:
            if price not in held:
                insort(keys, sign * price)
            held[price] = size
        elif price in held:
            del held[price]
            del keys[bisect_left(keys, sign * price)]

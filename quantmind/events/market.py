"""Market events: what a feed says of the market. Prices and sizes are floats, times are ns UTC."""

from __future__ import annotations

from typing import Literal

import msgspec


class MarketEvent(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What every market event begins with: the unified symbol and the venue's time (ns UTC)."""

    symbol: str
    ts: int


class Quote(MarketEvent, frozen=True, gc=False, array_like=True, tag="quote"):
    """The best bid and ask, with the sizes shown in base currency.

    `update` is the venue's number of the change to its book, by which a Book of the same number shows the same; 0
    where it is not told.
    """

    bid: float
    ask: float
    bid_size: float
    ask_size: float
    received: int = 0
    update: int = 0


class Trade(MarketEvent, frozen=True, gc=False, array_like=True, tag="trade"):
    """One public trade; `side` is the aggressor's: 1 bought, -1 sold."""

    price: float
    size: float
    side: int
    id: int = 0
    received: int = 0


class Bar(MarketEvent, frozen=True, gc=False, array_like=True, tag="bar"):
    """Open, high, low, close and volume of one interval (ns); `ts` is its close."""

    interval: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    received: int = 0


class Mark(MarketEvent, frozen=True, gc=False, array_like=True, tag="mark"):
    """The venue's mark price, by which it values positions."""

    price: float
    received: int = 0


class FundingRate(MarketEvent, frozen=True, gc=False, array_like=True, tag="funding_rate"):
    """The rate at which funding is settled at `ts`: longs pay shorts when it is positive.

    `mark` is the mark price of the settlement; 0 where it is not told, and the last mark price counts.
    """

    rate: float
    mark: float = 0.0
    received: int = 0


class Book(MarketEvent, frozen=True, gc=False, array_like=True, tag="book"):
    """The best levels of the order book, (price, size in base currency) each, from the best one on.

    `update` is the venue's number of the last change it contains, 0 where it is not told.
    """

    bids: tuple[tuple[float, float], ...]
    asks: tuple[tuple[float, float], ...]
    received: int = 0
    update: int = 0


class Ticker(MarketEvent, frozen=True, gc=False, array_like=True, tag="ticker"):
    """The last 24 hours: first, highest, lowest and last price, the volume in base and the turnover in quote currency.

    It is news of a day, not of a moment: it prices nothing.
    """

    open: float
    high: float
    low: float
    last: float
    volume: float
    turnover: float
    received: int = 0


Market = Quote | Trade | Bar | Mark | FundingRate | Book | Ticker
"""Any market event."""

ChannelKind = Literal["quote", "trade", "bar", "mark", "funding", "book", "ticker"]
"""The kinds of channel, one for each type of market event."""

CHANNELS: dict[type[MarketEvent], ChannelKind] = {
    Quote: "quote",
    Trade: "trade",
    Bar: "bar",
    Mark: "mark",
    FundingRate: "funding",
    Book: "book",
    Ticker: "ticker",
}
"""The channel each market event belongs to."""

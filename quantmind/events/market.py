"""Market events: what a feed says of the market.

Prices are floats in quote currency (of one unit of the base), sizes floats in base currency, times ns UTC. `received`
is when it came to us, by our clock; a recording keeps it, and it is 0 for what nobody received: bars that were built,
files that do not say it, events that were drawn.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class MarketEvent(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What every market event begins with."""

    symbol: str
    """The unified symbol, such as `BTC/USDT:USDT`."""
    ts: int
    """The venue's time of it, ns UTC; of a bar that of its close."""


class Quote(MarketEvent, frozen=True, gc=False, array_like=True, tag="quote"):
    """The best `bid` and `ask` in quote currency, with `bid_size` and `ask_size`, what is shown there in base currency.

    `received` is our time of it (ns UTC, or 0). `update` is the venue's number of the change to its book, by which a
    Book of the same number shows the same; 0 where it is not told.
    """

    bid: float
    ask: float
    bid_size: float
    ask_size: float
    received: int = 0
    update: int = 0


class Trade(MarketEvent, frozen=True, gc=False, array_like=True, tag="trade"):
    """One public trade: its `price` in quote currency and `size` in base currency.

    `side` is the aggressor's: 1 bought, -1 sold. `id` is the venue's number of the trade, 0 where there is none.
    `received` is our time of it (ns UTC, or 0).
    """

    price: float
    size: float
    side: int
    id: int = 0
    received: int = 0


class Bar(MarketEvent, frozen=True, gc=False, array_like=True, tag="bar"):
    """What was traded in one `interval` (ns), which ends at `ts`: the trades of [ts - interval, ts).

    `open`, `high`, `low` and `close` are in quote currency, `volume` in base currency. `received` is our time of it
    (ns UTC, or 0).
    """

    interval: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    received: int = 0


class Mark(MarketEvent, frozen=True, gc=False, array_like=True, tag="mark"):
    """The venue's mark `price` (quote currency), by which it values positions.

    `received` is our time of it (ns UTC, or 0).
    """

    price: float
    received: int = 0


class FundingRate(MarketEvent, frozen=True, gc=False, array_like=True, tag="funding_rate"):
    """The `rate` at which funding is settled at `ts`, a part of the notional: longs pay shorts when it is positive.

    `mark` is the mark price of the settlement (quote currency); 0 where it is not told, and the last mark price
    counts. `received` is our time of it (ns UTC, or 0).
    """

    rate: float
    mark: float = 0.0
    received: int = 0


class Book(MarketEvent, frozen=True, gc=False, array_like=True, tag="book"):
    """The best levels of the order book: `bids` and `asks`, in order from the best one on.

    A level is (price in quote currency, size in base currency). `received` is our time of it (ns UTC, or 0), `update`
    the venue's number of the last change it contains, 0 where it is not told.
    """

    bids: tuple[tuple[float, float], ...]
    asks: tuple[tuple[float, float], ...]
    received: int = 0
    update: int = 0


class Ticker(MarketEvent, frozen=True, gc=False, array_like=True, tag="ticker"):
    """The last 24 hours: news of a day, not of a moment, so it prices nothing.

    `open`, `high`, `low` and `last` are the first, highest, lowest and last price (quote currency), `volume` is in base
    currency, `turnover` in quote currency. `received` is our time of it (ns UTC, or 0).
    """

    open: float
    high: float
    low: float
    last: float
    volume: float
    turnover: float
    received: int = 0


Market = Quote | Trade | Bar | Mark | FundingRate | Book | Ticker
"""Any market event, by type."""

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
"""The channel that each market event belongs to, by its type."""

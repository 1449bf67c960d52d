"""Binance's USD-M market data as it comes over the wire, read by type; fields that are not named here are ignored."""

from __future__ import annotations

import msgspec

from quantmind.events import FundingRate, Mark, Quote, Ticker, Trade
from quantmind.market.book import Change

MS = 1_000_000
"""ns in a ms."""

_NO_MARKET = frozenset({"INSURANCE_FUND", "ADL", "NA"})


class BookTicker(msgspec.Struct, frozen=True, gc=False, tag_field="e", tag="bookTicker"):
    """`bookTicker`: the best bid and ask after change `u` of the book."""

    u: int
    s: str
    b: str
    B: str
    a: str
    A: str
    T: int
    E: int = 0

    def quote(self, symbol: str, received: int = 0) -> Quote:
        """Return it as an event."""
        return Quote(symbol, self.T * MS, float(self.b), float(self.a), float(self.B), float(self.A), received, self.u)


class TradeTick(msgspec.Struct, frozen=True, gc=False, tag_field="e", tag="trade"):
    """`trade`: one trade, whose ids count without holes; `X` is other than MARKET for what no order book saw."""

    s: str
    t: int
    p: str
    q: str
    m: bool
    T: int
    E: int = 0
    X: str = "MARKET"

    @property
    def on_market(self) -> bool:
        """Whether it met an order book: what the venue settles by itself, such as for an insurance fund, did not."""
        return self.X not in _NO_MARKET and float(self.p) > 0

    def trade(self, symbol: str, received: int = 0) -> Trade:
        """Return it as an event; the aggressor sold where the buyer was the maker."""
        return Trade(symbol, self.T * MS, float(self.p), float(self.q), -1 if self.m else 1, self.t, received)


class AggregateTrade(msgspec.Struct, frozen=True, gc=False, tag_field="e", tag="aggTrade"):
    """`aggTrade`: trades `f` to `l` of one taker at one price."""

    s: str
    a: int
    p: str
    q: str
    f: int
    l: int  # noqa: E741 - the venue's name
    m: bool
    T: int
    E: int = 0


class DepthUpdate(msgspec.Struct, frozen=True, gc=False, tag_field="e", tag="depthUpdate"):
    """`depth`: changes `U` to `u` of the book; `pu` is the `u` of the message before."""

    s: str
    U: int
    u: int
    pu: int
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]
    T: int
    E: int = 0

    def change(self) -> Change:
        """Return it as a change of an order book."""
        bids = [(float(price), float(size)) for price, size in self.b]
        asks = [(float(price), float(size)) for price, size in self.a]
        return Change(self.T * MS, self.U, self.u, self.pu, bids, asks)


class MarkPriceUpdate(msgspec.Struct, frozen=True, gc=False, tag_field="e", tag="markPriceUpdate"):
    """`markPrice`: the mark price, and the rate `r` that is settled at `T`."""

    s: str
    p: str
    E: int
    r: str = ""
    T: int = 0
    i: str = ""

    def mark(self, symbol: str, received: int = 0) -> Mark:
        """Return the mark price as an event."""
        return Mark(symbol, self.E * MS, float(self.p), received)

    def settlement(self, symbol: str, received: int = 0) -> FundingRate | None:
        """Return the settlement it announces, at this mark price; None where it tells none."""
        if not self.r or not self.T:
            return None
        return FundingRate(symbol, self.T * MS, float(self.r), float(self.p), received)


class MiniTicker(msgspec.Struct, frozen=True, gc=False, tag_field="e", tag="24hrMiniTicker"):
    """`miniTicker`: the last 24 hours, without a bid or an ask."""

    s: str
    c: str
    o: str
    h: str
    l: str  # noqa: E741 - the venue's name
    v: str
    q: str
    E: int

    def ticker(self, symbol: str, received: int) -> Ticker:
        """Return it as an event."""
        first, high, low, last = float(self.o), float(self.h), float(self.l), float(self.c)
        return Ticker(symbol, self.E * MS, first, high, low, last, float(self.v), float(self.q), received)


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """The answer of GET /fapi/v1/depth: the book as of its change `lastUpdateId`."""

    lastUpdateId: int  # noqa: N815 - the venue's name
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    T: int = 0
    E: int = 0

    def levels(self) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """Return bids and asks as floats."""
        bids = [(float(price), float(size)) for price, size in self.bids]
        return bids, [(float(price), float(size)) for price, size in self.asks]


Message = BookTicker | TradeTick | AggregateTrade | DepthUpdate | MarkPriceUpdate | MiniTicker
"""What is read of the streams."""

KINDS = frozenset({"bookTicker", "trade", "aggTrade", "depthUpdate", "markPriceUpdate", "24hrMiniTicker"})
"""The `e` of those."""


class _Wrapped(msgspec.Struct, frozen=True, gc=False):
    stream: str
    data: Message


wrapped = msgspec.json.Decoder(_Wrapped)
"""Reads {"stream", "data"} of the `/stream` addresses."""

plain = msgspec.json.Decoder(Message)
"""Reads the payload of the `/ws` addresses."""

snapshot = msgspec.json.Decoder(Snapshot)
"""Reads an answer of the depth endpoint."""

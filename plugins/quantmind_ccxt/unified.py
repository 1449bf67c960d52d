"""Any other exchange: its streams as ccxt unifies them, marked as what cannot be proven."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from quantmind.events import Book, Mark, Quote, Ticker, Trade
from quantmind.kinds import BOOKS, MARKS, QUOTES, TICKERS, TRADES, Channel
from quantmind_ccxt.line import Line
from quantmind_ccxt.loading import exchange_class
from quantmind_ccxt.markets import contract_size
from quantmind_ccxt.options import CcxtOptions
from quantmind_ccxt.outlet import Outlet
from quantmind_ccxt.stream import Stream
from quantmind_ccxt.streams import Streams

_NEEDS = {
    QUOTES: ("watchBidsAsks", "watchOrderBook"),
    TRADES: ("watchTrades",),
    BOOKS: ("watchOrderBook",),
    MARKS: ("watchMarkPrice",),
    TICKERS: ("watchTicker",),
}
_REMEMBERED = 5_000
"""Ids of trades by which one that comes again is known."""
_MS = 1_000_000


def channels_of(exchange: str) -> frozenset[Channel]:
    """Return what ccxt says that an exchange streams; its module alone is imported for it (0.2 s, no network)."""
    has = exchange_class(exchange)().has
    return frozenset(channel for channel, ways in _NEEDS.items() if any(has.get(way) for way in ways))


class UnifiedStreams(Streams):
    """The streams that are wanted of an exchange, each read by ccxt's own `watch_...`, a connection's loss and all."""

    def __init__(
        self,
        exchange: Any,
        options: CcxtOptions,
        wanted: Mapping[str, frozenset[Channel]],
        streams: dict[tuple[str, str], Stream],
        outlet: Outlet,
    ) -> None:
        super().__init__(exchange, options, streams, outlet)
        self._ids: dict[str, dict[str, None]] = {}
        for symbol, channels in wanted.items():
            size = contract_size(exchange.market(symbol))
            for channel in sorted(channels):
                self._prepare(symbol, channel, size)

    def _prepare(self, symbol: str, channel: Channel, size: float) -> None:
        exchange = self._exchange
        stream = self._stream(channel.kind, symbol)
        watch: Callable[[], Awaitable[Any]]
        take: Callable[[Stream, Any, float], None]
        if channel == QUOTES and exchange.has.get("watchBidsAsks"):
            watch, take = lambda: exchange.watch_bids_asks([symbol]), self._quote
        elif channel == QUOTES:
            watch, take = lambda: exchange.watch_order_book(symbol), self._best
        elif channel == TRADES:
            watch, take = lambda: exchange.watch_trades(symbol), self._trade
        elif channel == BOOKS:
            watch, take = lambda: exchange.watch_order_book(symbol), self._book
        elif channel == TICKERS:
            watch, take = lambda: exchange.watch_ticker(symbol), self._ticker
        else:
            watch, take = lambda: exchange.watch_mark_price(symbol), self._mark

        async def read() -> None:
            while True:
                told = await watch()
                stream.heard = time.time_ns()
                line.up()
                take(stream, told, size)

        line = Line(f"{channel} of {symbol}", [stream], read, lost=lambda: None, joined=lambda: None)
        self.lines.append(line)

    def _quote(self, stream: Stream, told: Mapping[str, Any], size: float) -> None:
        for ticker in told.values():
            if ticker["bid"] is not None and ticker["ask"] is not None:
                sizes = float(ticker.get("bidVolume") or 0) * size, float(ticker.get("askVolume") or 0) * size
                ts = _ts(ticker, stream)
                self._give(stream, Quote(stream.symbol, ts, ticker["bid"], ticker["ask"], *sizes, stream.heard))

    def _best(self, stream: Stream, told: Mapping[str, Any], size: float) -> None:
        if told["bids"] and told["asks"]:
            bid, ask = told["bids"][0], told["asks"][0]
            sizes = float(bid[1]) * size, float(ask[1]) * size
            quote = Quote(stream.symbol, _ts(told, stream), float(bid[0]), float(ask[0]), *sizes, stream.heard)
            self._give(stream, quote)

    def _book(self, stream: Stream, told: Mapping[str, Any], size: float) -> None:
        most = self._options.book_levels
        bids, asks = (
            tuple((float(level[0]), float(level[1]) * size) for level in told[side][:most]) for side in ("bids", "asks")
        )
        nonce = told.get("nonce")
        update = nonce if isinstance(nonce, int) else 0
        self._give(stream, Book(stream.symbol, _ts(told, stream), bids, asks, stream.heard, update))

    def _trade(self, stream: Stream, told: Any, size: float) -> None:
        known = self._ids.setdefault(stream.symbol, {})
        for row in list(told):
            number = str(row.get("id") or f"{row.get('timestamp')} {row['price']} {row['amount']}")
            if number in known:
                stream.duplicates += 1
                continue
            known[number] = None
            if len(known) > _REMEMBERED:
                del known[next(iter(known))]
            side = -1 if row.get("side") == "sell" else 1
            price, amount = float(row["price"]), float(row["amount"]) * size
            own = int(number) if number.isdigit() and len(number) < 19 else 0
            self._give(stream, Trade(stream.symbol, _ts(row, stream), price, amount, side, own, stream.heard))

    def _mark(self, stream: Stream, told: Mapping[str, Any], size: float) -> None:  # noqa: ARG002 - a price has no size
        price = told.get("markPrice")
        if price is not None:
            self._give(stream, Mark(stream.symbol, _ts(told, stream), float(price), stream.heard))

    def _ticker(self, stream: Stream, told: Mapping[str, Any], size: float) -> None:  # noqa: ARG002 - ccxt has reckoned with it
        day = [float(told.get(name) or 0) for name in ("open", "high", "low", "last", "baseVolume", "quoteVolume")]
        if day[3] > 0:
            first, high, low, last, volume, turnover = day
            ts = _ts(told, stream)
            self._give(stream, Ticker(stream.symbol, ts, first, high, low, last, volume, turnover, stream.heard))

    def _give(self, stream: Stream, event: Quote | Trade | Mark | Book | Ticker) -> None:
        stream.events += 1
        stream.lag = stream.heard - event.ts
        self._outlet.give(event)


def _ts(told: Mapping[str, Any], stream: Stream) -> int:
    """Return the venue's time; ours where it tells none."""
    stamp = told.get("timestamp")
    return int(stamp) * _MS if stamp else stream.heard

"""Binance USD-M: its streams, read from the raw messages that ccxt carries, each checked by the venue's numbers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from quantmind.kinds import BOOKS, FUNDING, MARKS, QUOTES, TICKERS, TRADES, Channel
from quantmind_binance.symbols import spelled
from quantmind_binance.wire import MS, BookTicker, DepthUpdate, MarkPriceUpdate, MiniTicker, TradeTick
from quantmind_ccxt.books import BookKeeper
from quantmind_ccxt.funding import Settlements
from quantmind_ccxt.line import Line
from quantmind_ccxt.options import CcxtOptions
from quantmind_ccxt.outlet import Outlet
from quantmind_ccxt.stream import Stream
from quantmind_ccxt.streams import Streams
from quantmind_ccxt.trades import Backfill, TradeSequence
from quantmind_ccxt.usdm_requests import UsdmRequests

CHANNELS = frozenset({QUOTES, TRADES, BOOKS, MARKS, FUNDING, TICKERS})
"""What Binance gives; bars are built from trades, for its own close two seconds late."""

_MOST_IN_LINE = 50
"""Streams over one connection."""
_QUIET = 2.0
"""Seconds after a new connection without a trade, after which what was missed is asked for."""


class UsdmStreams(Streams):
    """The streams that are wanted of Binance USD-M."""

    def __init__(
        self,
        exchange: Any,
        options: CcxtOptions,
        wanted: Mapping[str, frozenset[Channel]],
        streams: dict[tuple[str, str], Stream],
        outlet: Outlet,
    ) -> None:
        super().__init__(exchange, options, streams, outlet)
        requests = self._requests = UsdmRequests(exchange)
        self._backfill = Backfill(requests.trades, options.backfill_timeout)
        self._updates: dict[str, int] = {}
        self._quotes: dict[str, Stream] = {}
        self._trades: dict[str, TradeSequence] = {}
        self._books: dict[str, BookKeeper] = {}
        self._marks: dict[str, Stream] = {}
        self._marked: dict[str, int] = {}
        self._tickers: dict[str, Stream] = {}
        self._settlements: dict[str, Settlements] = {}
        self._symbols: dict[str, str] = {}
        self._handlers: dict[str, Callable[[dict[str, Any], int], None]] = {
            "bookTicker": self._quote,
            "trade": self._trade,
            "depthUpdate": self._depth,
            "markPriceUpdate": self._mark,
            "24hrMiniTicker": self._ticker,
        }
        for symbol, channels in wanted.items():
            self._symbols[spelled(symbol)] = symbol
            self._prepare(symbol, channels)
        self._make_lines()

    def follow(self, last: Mapping[str, int]) -> None:
        """Go on after the trades of these ids, which were told of before the streams began."""
        for symbol, number in last.items():
            if symbol in self._trades:
                self._trades[symbol].follow(number)

    def _prepare(self, symbol: str, channels: frozenset[Channel]) -> None:
        outlet, options = self._outlet, self._options
        if QUOTES in channels:
            self._quotes[symbol] = self._stream("quote", symbol)
        if TRADES in channels:
            stream = self._stream("trade", symbol)
            stream.proven = 1
            self._trades[symbol] = TradeSequence(stream, outlet.give, self._backfill.mend)
        if BOOKS in channels:
            stream = self._stream("book", symbol)
            self._books[symbol] = BookKeeper(stream, options.book_levels, outlet.give, self._requests.book)
        if MARKS in channels:
            self._marks[symbol] = self._stream("mark", symbol)
        if TICKERS in channels:
            self._tickers[symbol] = self._stream("ticker", symbol)
        if FUNDING in channels:
            stream = self._stream("funding", symbol)
            self._settlements[symbol] = Settlements(stream, outlet.give, self._requests.funding)

    def _make_lines(self) -> None:
        exchange, streams = self._exchange, self._streams
        rate = {"watchOrderBookRate": self._options.book_speed.removesuffix("ms")}
        marked = [symbol for symbol in self._symbols.values() if symbol in self._marks or symbol in self._settlements]
        for name, symbols, kind, watch in (
            ("quotes", self._quotes, "quote", exchange.watch_bids_asks),
            ("trades", self._trades, "trade", exchange.watch_trades_for_symbols),
            ("books", self._books, "book", lambda some: exchange.watch_order_book_for_symbols(some, params=rate)),
            ("mark prices", marked, "mark", exchange.watch_mark_prices),
            ("tickers", self._tickers, "ticker", exchange.watch_tickers),
        ):
            for part in _parts(symbols):
                own = [streams.get((kind, symbol)) or streams["funding", symbol] for symbol in part]
                self.lines.append(self._line(name, part, own, watch))

    def _line(self, name: str, symbols: Sequence[str], streams: Sequence[Stream], watch: Any) -> Line:
        def lost() -> None:
            for symbol in symbols:
                self._lost(name, symbol)

        def joined() -> None:
            if name == "trades":
                asyncio.get_running_loop().call_later(_QUIET, self._look_for_missed, symbols)

        return Line(f"{name} of {_listed(symbols)}", streams, lambda: watch(list(symbols)), lost=lost, joined=joined)

    def _lost(self, name: str, symbol: str) -> None:
        if name == "quotes":
            self._updates.pop(symbol, None)
        elif name == "trades":
            self._trades[symbol].doubt()
        elif name == "books":
            self._books[symbol].lose("has had no snapshot since its connection was lost")

    def _look_for_missed(self, symbols: Iterable[str]) -> None:
        """Ask for the trades that were missed where none has come since that would show it."""
        for symbol in symbols:
            if self._trades[symbol].unsure:
                self._backfill.mend(self._trades[symbol])

    async def close(self) -> None:
        """Stop what was begun on the way."""
        await self._backfill.close()
        for keeper in self._books.values():
            await keeper.close()
        for settlements in self._settlements.values():
            await settlements.close()

    def seen(self, client: Any, message: Any) -> bool:
        """Handle a message of one of our streams; the venue's consent to a subscription is ccxt's too."""
        if not isinstance(message, dict):
            return False
        kind = message.get("e")
        handler = self._handlers.get(kind) if kind is not None else None
        if handler is not None:
            handler(message, time.time_ns())
            return True
        if "result" in message:
            for line in self.lines:
                if line.client is client:
                    line.answered(message)
        return False

    def _quote(self, message: dict[str, Any], received: int) -> None:
        ticker = msgspec.convert(message, BookTicker)
        symbol = self._symbols.get(ticker.s, "")
        stream = self._quotes.get(symbol)
        if stream is None:
            return
        stream.heard = received
        if ticker.u <= self._updates.get(symbol, 0):
            stream.duplicates += 1
            return
        self._updates[symbol] = ticker.u
        quote = ticker.quote(symbol, received)
        stream.lag = received - quote.ts
        stream.events += 1
        self._outlet.give(quote)
        keeper = self._books.get(symbol)
        if keeper is not None:
            keeper.check(quote)

    def _trade(self, message: dict[str, Any], received: int) -> None:
        tick = msgspec.convert(message, TradeTick)
        symbol = self._symbols.get(tick.s, "")
        sequence = self._trades.get(symbol)
        if sequence is None:
            return
        sequence.stream.heard = received
        sequence.stream.lag = received - tick.T * MS
        sequence.add(tick.t, tick.trade(symbol, received) if tick.on_market else None)

    def _depth(self, message: dict[str, Any], received: int) -> None:
        update = msgspec.convert(message, DepthUpdate)
        keeper = self._books.get(self._symbols.get(update.s, ""))
        if keeper is not None:
            keeper.stream.heard = received
            keeper.stream.lag = received - update.T * MS
            keeper.change(update.change(), received)

    def _mark(self, message: dict[str, Any], received: int) -> None:
        update = msgspec.convert(message, MarkPriceUpdate)
        symbol = self._symbols.get(update.s, "")
        streams = [s for s in (self._marks.get(symbol), self._streams.get(("funding", symbol))) if s is not None]
        for stream in streams:
            stream.heard = received
            stream.lag = received - update.E * MS
        if self._marked.get(symbol, 0) >= update.E:
            for stream in streams:
                stream.duplicates += 1
            return
        self._marked[symbol] = update.E
        settlements = self._settlements.get(symbol)
        if settlements is not None:
            settlements.heard(update, received)
        mark = self._marks.get(symbol)
        if mark is not None:
            mark.events += 1
            self._outlet.give(update.mark(symbol, received))

    def _ticker(self, message: dict[str, Any], received: int) -> None:
        told = msgspec.convert(message, MiniTicker)
        symbol = self._symbols.get(told.s, "")
        stream = self._tickers.get(symbol)
        if stream is not None:
            stream.heard, stream.lag = received, received - told.E * MS
            stream.events += 1
            self._outlet.give(told.ticker(symbol, received))

    def ailments(self, stale: float) -> dict[str, str]:
        """Return why nothing must be entered now, by symbol."""
        found: dict[str, str] = {}
        for symbol, keeper in self._books.items():
            if not keeper.proven:
                found[symbol] = f"its order book {keeper.reason}"
        for symbol, sequence in self._trades.items():
            if sequence.hole:
                found[symbol] = f"{sequence.hole} of its trades are missing and being fetched"
        return found | super().ailments(stale)


def _parts(symbols: Iterable[str]) -> Iterator[list[str]]:
    """Yield the symbols of one connection each."""
    left = list(symbols)
    for start in range(0, len(left), _MOST_IN_LINE):
        yield left[start : start + _MOST_IN_LINE]


def _listed(symbols: Sequence[str]) -> str:
    return ", ".join(symbols) if len(symbols) <= 3 else f"{symbols[0]} and {len(symbols) - 1} others"

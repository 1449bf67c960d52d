"""Other exchanges: what ccxt unifies becomes events, and is marked as what cannot be proven."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from quantmind.errors import ComponentError
from quantmind.events import Book, Mark, Quote, Ticker, Trade
from quantmind.kinds import BOOKS, MARKS, QUOTES, TICKERS, TRADES, Needs
from quantmind.market.instruments import KNOWN
from quantmind.testing import FeedStage
from quantmind_ccxt import Ccxt, feed
from quantmind_ccxt.loading import errors
from quantmind_ccxt.options import CcxtOptions

BTC = "BTC/USDT:USDT"
MS = 1_000_000
AT = 1_723_161_256_313


class Exchange:
    """An exchange as ccxt unifies it, whose contracts are of a hundredth; each `watch_` gives what is queued."""

    id = "okx"
    precisionMode = 4  # noqa: N815 - ccxt's name
    watcher = None

    def __init__(self, **has) -> None:
        self.has = {"watchBidsAsks": True, **has}
        self.queues = {name: asyncio.Queue() for name in ("quote", "trade", "book", "mark", "ticker")}
        self.markets = {BTC: {
            "swap": True, "linear": True, "active": True, "contract": True, "contractSize": 0.01,
            "precision": {"price": 0.1, "amount": 0.1},
        }}  # fmt: skip
        self.closed = False

    def market(self, symbol):
        return self.markets[symbol]

    async def load_markets(self):
        return self.markets

    async def close(self):
        self.closed = True

    async def _next(self, kind):
        told = await self.queues[kind].get()
        if isinstance(told, Exception):
            raise told
        return told

    async def watch_bids_asks(self, symbols):
        return {symbols[0]: await self._next("quote")}

    async def watch_trades(self, symbol):
        return await self._next("trade")

    async def watch_order_book(self, symbol):
        return await self._next("book")

    async def watch_ticker(self, symbol):
        return await self._next("ticker")

    async def watch_mark_price(self, symbol):
        return await self._next("mark")


@pytest.fixture
async def listen(monkeypatch):
    """Return what lets a feed listen to such an exchange."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(exchange, *channels):
            monkeypatch.setattr(feed, "connect", lambda *_, **__: exchange)
            made = Ccxt(CcxtOptions(exchange="okx", book_levels=2), [KNOWN[BTC]])
            return await stack.enter_async_context(FeedStage(made, Needs(channels)))

        yield start


def book(nonce=7):
    return {"timestamp": AT, "nonce": nonce, "bids": [[100.0, 5.0], [99.0, 1.0], [98.0, 1.0]], "asks": [[101.0, 2.0]]}


def trade(number, side="sell"):
    return {"id": number, "timestamp": AT, "price": 100.5, "amount": 30.0, "side": side}


async def test_everything_becomes_its_event_in_base_currency(listen):
    exchange = Exchange()
    stage = await listen(exchange, QUOTES, TRADES, BOOKS, MARKS)
    exchange.queues["quote"].put_nowait(
        {"timestamp": AT, "bid": 100.0, "ask": 101.0, "bidVolume": 5.0, "askVolume": 2.0}
    )
    exchange.queues["trade"].put_nowait([trade("12"), trade("13", "buy")])
    exchange.queues["book"].put_nowait(book())
    exchange.queues["mark"].put_nowait({"timestamp": AT, "markPrice": "100.7"})
    await stage.until(lambda: len(stage.events) == 5)
    received = {event.received for event in stage.events}
    assert all(received)
    by_kind = {type(event): event for event in stage.events}
    quote, shown, mark = by_kind[Quote], by_kind[Book], by_kind[Mark]
    assert (quote.ts, quote.bid, quote.ask, quote.bid_size, quote.ask_size) == (AT * MS, 100.0, 101.0, 0.05, 0.02)
    assert (shown.bids, shown.asks, shown.update) == (((100.0, 0.05), (99.0, 0.01)), ((101.0, 0.02),), 7)
    assert mark.price == 100.7
    trades = stage.of(Trade)
    assert [(event.id, event.size, event.side) for event in trades] == [(12, 0.3, -1), (13, 0.3, 1)]
    proven = {figure.labels[0]: figure.value for figure in stage.feed.figures() if figure.name == "stream_proven"}
    assert proven == {"quote": -1, "trade": -1, "book": -1, "mark": -1}
    assert stage.feed.ailments() == {}


async def test_a_ticker_is_a_day(listen):
    exchange = Exchange()
    stage = await listen(exchange, TICKERS)
    day = {"open": 1.0, "high": 3.0, "low": 0.5, "last": 2.0, "baseVolume": 10.0, "quoteVolume": 20.0, "bid": None}
    exchange.queues["ticker"].put_nowait({**day, "timestamp": AT})
    await stage.until(lambda: stage.events)
    assert stage.events == [Ticker(BTC, AT * MS, 1.0, 3.0, 0.5, 2.0, 10.0, 20.0, stage.events[0].received)]


async def test_quotes_are_the_top_of_the_book_where_there_is_nothing_better(listen):
    exchange = Exchange(watchBidsAsks=False)
    stage = await listen(exchange, QUOTES)
    exchange.queues["book"].put_nowait(book())
    await stage.until(lambda: stage.events)
    assert (stage.events[0].bid, stage.events[0].ask, stage.events[0].bid_size) == (100.0, 101.0, 0.05)


async def test_trades_that_come_again_are_left_out(listen):
    exchange = Exchange()
    stage = await listen(exchange, TRADES)
    exchange.queues["trade"].put_nowait([trade("a1"), trade("a2")])
    exchange.queues["trade"].put_nowait([trade("a2"), trade("a3")])
    await stage.until(lambda: len(stage.events) == 3)
    assert [event.id for event in stage.events] == [0, 0, 0]
    assert stage.feed._streams["trade", BTC].duplicates == 1


async def test_what_an_exchange_does_not_have_ends_the_feed(listen):
    exchange = Exchange()
    exchange.queues["mark"].put_nowait(errors().NotSupported("no such stream"))
    stage = await listen(exchange, MARKS)
    with pytest.raises(ComponentError, match=r"mark.*no such stream"):
        await stage.ended()


async def test_a_lost_connection_is_told_and_tried_again(listen):
    exchange = Exchange()
    stage = await listen(exchange, MARKS)
    await stage.until(lambda: "is not connected yet" in stage.feed.ailments().get(BTC, ""))
    exchange.queues["mark"].put_nowait(OSError("gone"))
    await stage.until(lambda: "connection is lost (OSError: gone)" in stage.feed.ailments()[BTC])
    exchange.queues["mark"].put_nowait({"timestamp": None, "markPrice": 100.7})
    await stage.until(lambda: stage.events)
    assert stage.feed.ailments() == {}
    assert stage.events[0].ts == stage.events[0].received
    assert next(f.value for f in stage.feed.figures() if f.name == "feed_reconnects_total") == 1

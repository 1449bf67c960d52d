"""Clients that others wrote, unchanged but for their addresses: ccxt.pro, and Binance's own connector."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging

import ccxt
import ccxt.pro
import pytest
from binance_common.configuration import ConfigurationRestAPI, ConfigurationWebSocketStreams
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import DerivativesTradingUsdsFutures
from binance_sdk_derivatives_trading_usds_futures.rest_api.models import KlineCandlestickDataIntervalEnum

from quantmind_venue.connecting import ccxt_settings

BTC = "BTC/USDT:USDT"


@contextlib.asynccontextmanager
async def exchange_of(venue):
    """Connect ccxt.pro by the settings that the venue prints."""
    exchange = ccxt.pro.binanceusdm(ccxt_settings(venue.url, venue.options.key, venue.options.secret))
    exchange.exceptions["exact"] = exchange.exceptions["exact"] | exchange.exceptions["linear"]["exact"]
    try:
        yield exchange
    finally:
        await exchange.close()


async def soon(awaited):
    return await asyncio.wait_for(awaited, 10)


class TestCcxt:
    async def test_rest(self, venues):
        venue = await venues()
        async with exchange_of(venue) as exchange:
            markets = await exchange.load_markets()
            assert set(markets) == {BTC, "ETH/USDT:USDT"}
            market = markets[BTC]
            assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 0.001)
            assert (market["limits"]["cost"]["min"], market["limits"]["market"]["max"]) == (100, 120)
            assert abs(await exchange.fetch_time() - exchange.milliseconds()) < 1_000
            candles = await exchange.fetch_ohlcv(BTC, "1m", limit=20)
            assert len(candles) == 20
            assert all(row[2] >= max(row[1], row[4]) and row[3] <= min(row[1], row[4]) for row in candles)
            assert {after[0] - before[0] for before, after in itertools.pairwise(candles)} == {60_000}
            book = await exchange.fetch_order_book(BTC, 10)
            assert len(book["bids"]) == len(book["asks"]) == 10
            assert book["bids"][0][0] < book["asks"][0][0]
            ticker = await exchange.fetch_ticker(BTC)
            assert ticker["low"] <= ticker["last"] <= ticker["high"]
            best = (await exchange.fetch_bids_asks([BTC]))[BTC]
            assert best["bid"] < best["ask"]
            rate = await exchange.fetch_funding_rate(BTC)
            assert (rate["fundingRate"], rate["interval"]) == (0.0001, None)
            assert rate["fundingTimestamp"] % 28_800_000 == 0
            assert await exchange.fetch_mark_price(BTC)
            assert set(await exchange.fetch_tickers()) == set(markets)

    @pytest.mark.parametrize("name", ["binance", "binanceusdm"])
    async def test_the_printed_settings_fit_both_classes(self, venues, name):
        venue = await venues()
        settings = ccxt_settings(venue.url, venue.options.key, venue.options.secret)
        exchange = getattr(ccxt, name)(settings)
        try:
            assert set(await asyncio.to_thread(exchange.load_markets)) == {BTC, "ETH/USDT:USDT"}
            assert (await asyncio.to_thread(exchange.fetch_balance))["USDT"]["total"] == 10_000
        finally:
            exchange.session.close()

    async def test_history_of_funding_and_trades(self, venues):
        venue = await venues(speed="virtual", history="2d")
        await venue.advance(30_000_000_000)
        async with exchange_of(venue) as exchange:
            rates = await exchange.fetch_funding_rate_history(BTC)
            assert len(rates) == 6
            assert {after["timestamp"] - before["timestamp"] for before, after in itertools.pairwise(rates)} == {
                28_800_000
            }
            trades = await exchange.fetch_trades(BTC, params={"fetchTradesMethod": "fapiPublicGetTrades"})
            assert [trade["id"] for trade in trades] == [str(number) for number in range(1, 121)]
            later = await exchange.fetch_trades(
                BTC, limit=10, params={"fetchTradesMethod": "fapiPublicGetHistoricalTrades", "fromId": 50}
            )
            assert [trade["id"] for trade in later] == [str(number) for number in range(50, 60)]

    async def test_streams(self, venues):
        venue = await venues()
        async with exchange_of(venue) as exchange:
            best = (await soon(exchange.watch_bids_asks([BTC])))[BTC]
            assert best["bid"] < best["ask"]
            book = await soon(exchange.watch_order_book(BTC))
            for _ in range(5):
                number = book["nonce"]
                book = await soon(exchange.watch_order_book(BTC))
                assert book["nonce"] >= number
                assert book["bids"][0][0] < book["asks"][0][0]
            (trade, *_) = await soon(exchange.watch_trades(BTC))
            assert trade["symbol"] == BTC
            ((stamp, *_, volume), *_) = await soon(exchange.watch_ohlcv(BTC, "1m"))
            assert stamp % 60_000 == 0
            assert volume > 0
            assert (await soon(exchange.watch_mark_price(BTC)))["info"]["e"] == "markPriceUpdate"
            assert (await soon(exchange.watch_ticker(BTC)))["info"]["e"] == "24hrMiniTicker"

    async def test_a_book_gap_is_a_checksum_error(self, venues):
        venue = await venues()
        async with exchange_of(venue) as exchange:
            await soon(exchange.watch_order_book(BTC))
            await soon(exchange.watch_order_book(BTC))
            venue.faults.add({"book_gap": {"symbol": "BTCUSDT"}}, venue.clock.ns())

            async def watch():
                for _ in range(50):
                    await soon(exchange.watch_order_book(BTC))

            with pytest.raises(ccxt.ChecksumError):
                await watch()

    async def test_an_order_from_the_streams_of_both_sides(self, venues):
        venue = await venues()
        async with exchange_of(venue) as exchange:
            order = await exchange.create_order(BTC, "market", "buy", 0.01)
            assert order["filled"] == 0.01
            assert (await exchange.fetch_positions([BTC]))[0]["contracts"] == 0.01
            placed = await soon(exchange.create_order_ws(BTC, "limit", "buy", 0.01, 48_000))
            assert placed["status"] == "open"


class TestConnector:
    def client(self, venue):
        return DerivativesTradingUsdsFutures(
            config_rest_api=ConfigurationRestAPI(venue.options.key, venue.options.secret, base_path=venue.url),
            config_ws_streams=ConfigurationWebSocketStreams(stream_url=venue.url.replace("http", "ws") + "/stream"),
        )

    async def test_rest(self, venues):
        venue = await venues()
        api = self.client(venue).rest_api
        call = asyncio.to_thread
        assert (await call(api.check_server_time)).data().server_time <= venue.clock.now()
        names = [each.symbol for each in (await call(api.exchange_information)).data().symbols]
        assert names == ["BTCUSDT", "ETHUSDT"]
        assert len((await call(api.order_book, symbol="BTCUSDT", limit=5)).data().bids) == 5
        rows = (
            await call(
                api.kline_candlestick_data,
                symbol="BTCUSDT",
                interval=KlineCandlestickDataIntervalEnum["INTERVAL_1m"],
                limit=3,
            )
        ).data()
        assert len(rows) == 3
        answer = await call(api.mark_price, symbol="BTCUSDT")
        assert answer.data().actual_instance.symbol == "BTCUSDT"
        assert answer.rate_limits[0].count >= 5

    async def test_streams(self, venues):
        venue = await venues()
        logging.getLogger().setLevel(logging.ERROR)
        connection = await self.client(venue).websocket_streams.create_connection()
        try:
            for subscribe in (
                lambda: connection.individual_symbol_book_ticker_streams(symbol="btcusdt"),
                lambda: connection.diff_book_depth_streams(symbol="btcusdt"),
                lambda: connection.kline_candlestick_streams(symbol="btcusdt", interval="1m"),
                lambda: connection.mark_price_stream(symbol="btcusdt"),
            ):
                stream = await subscribe()
                came = asyncio.get_running_loop().create_future()
                stream.on("message", lambda message, came=came: came.done() or came.set_result(message))
                message = await soon(came)
                assert message.s == "BTCUSDT"
                await stream.unsubscribe()
        finally:
            await connection.close_connection()

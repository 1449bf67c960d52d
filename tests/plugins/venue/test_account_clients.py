"""Trading by clients that others wrote, unchanged but for their addresses: ccxt.pro, and Binance's connector."""

from __future__ import annotations

import asyncio
import contextlib

import ccxt
import ccxt.pro
import pytest
from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_common.errors import BadRequestError
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import DerivativesTradingUsdsFutures

from quantmind_venue.connecting import ccxt_settings

BTC = "BTC/USDT:USDT"


@contextlib.asynccontextmanager
async def exchange_of(venue):
    exchange = ccxt.pro.binanceusdm(
        ccxt_settings(venue.url, venue.options.key, venue.options.secret) | {"enableRateLimit": False}
    )
    exchange.exceptions["exact"] = exchange.exceptions["exact"] | exchange.exceptions["linear"]["exact"]
    try:
        yield exchange
    finally:
        await exchange.close()


async def soon(awaited):
    return await asyncio.wait_for(awaited, 10)


async def _watched(watch, good):
    """Watch until what is told is good."""
    while not good(told := await watch()):
        pass
    return told


def price_of(venue, part):
    """A price at a part of the present one, on the tick."""
    return round(venue.board.quote(BTC).bid * part, 0)


class TestCcxt:
    async def test_orders(self, venues):
        venue = await venues()
        async with exchange_of(venue) as exchange:
            await exchange.load_markets()
            order = await exchange.create_order(BTC, "limit", "buy", 0.01, price_of(venue, 0.97), {"postOnly": True})
            assert (order["status"], order["timeInForce"], order["postOnly"]) == ("open", "PO", True)
            price = price_of(venue, 0.96)
            edited = await exchange.edit_order(order["id"], BTC, "limit", "buy", 0.02, price)
            assert (edited["id"], edited["amount"], edited["price"]) == (order["id"], 0.02, price)
            assert (await exchange.fetch_order(order["id"], BTC))["amount"] == 0.02
            assert [each["id"] for each in await exchange.fetch_open_orders(BTC)] == [order["id"]]
            assert (await exchange.cancel_order(order["id"], BTC))["status"] == "canceled"
            with pytest.raises(ccxt.OrderNotFound):
                await exchange.cancel_order(order["id"], BTC)
            made = await exchange.create_orders(
                [
                    {"symbol": BTC, "type": "limit", "side": "buy", "amount": 0.01, "price": price_of(venue, 0.96)},
                    {"symbol": BTC, "type": "limit", "side": "sell", "amount": 0.01, "price": price_of(venue, 1.04)},
                ]
            )
            assert [each["side"] for each in made] == ["buy", "sell"]
            changed = await exchange.edit_orders(
                [
                    {"id": each["id"], "symbol": BTC, "type": "limit", "side": each["side"], "amount": 0.02,
                     "price": each["price"]}
                    for each in made
                ]
            )  # fmt: skip
            assert [each["amount"] for each in changed] == [0.02, 0.02]
            gone = await exchange.cancel_orders([each["id"] for each in made], BTC)
            assert [each["status"] for each in gone] == ["canceled", "canceled"]
            await exchange.create_order(BTC, "limit", "buy", 0.01, price_of(venue, 0.96))
            await exchange.cancel_all_orders(BTC)
            assert await exchange.fetch_open_orders(BTC) == []
            assert len(await exchange.fetch_orders(BTC)) == 4
            with pytest.raises(ccxt.InsufficientFunds):
                await exchange.create_order(BTC, "market", "buy", 50)
            with pytest.raises(ccxt.InvalidOrder):
                await exchange.create_order(BTC, "market", "sell", 0.01, None, {"reduceOnly": True})

    async def test_conditional_orders(self, venues):
        venue = await venues()
        async with exchange_of(venue) as exchange:
            await exchange.create_order(BTC, "market", "buy", 0.01)
            stop = await exchange.create_order(
                BTC, "market", "sell", None, None, {"stopLossPrice": price_of(venue, 0.95), "closePosition": True}
            )
            profit = await exchange.create_order(
                BTC, "limit", "sell", 0.01, price_of(venue, 1.04),
                {"takeProfitPrice": price_of(venue, 1.04), "reduceOnly": True},
            )  # fmt: skip
            trailing = await exchange.create_order(
                BTC, "market", "sell", 0.01, None, {"trailingPercent": 5, "reduceOnly": True}
            )
            numbers = {each["id"] for each in (stop, profit, trailing)}
            trigger = {"trigger": True}
            assert {each["id"] for each in await exchange.fetch_open_orders(BTC, params=trigger)} == numbers
            assert (await exchange.fetch_order(stop["id"], BTC, trigger))["status"] == "open"
            assert {each["id"] for each in await exchange.fetch_orders(BTC, params=trigger)} == numbers
            await exchange.cancel_order(trailing["id"], BTC, trigger)
            assert len(await exchange.fetch_open_orders(BTC, params=trigger)) == 2
            await exchange.cancel_all_orders(BTC)
            assert len(await exchange.fetch_open_orders(BTC, params=trigger)) == 2, "they outlive the others"
            await exchange.cancel_all_orders(BTC, trigger)
            assert await exchange.fetch_open_orders(BTC, params=trigger) == []
            with pytest.raises(ccxt.OrderImmediatelyFillable):
                await exchange.create_order(BTC, "market", "sell", 0.01, None, {"stopLossPrice": price_of(venue, 1.04)})

    async def test_the_account(self, venues):
        venue = await venues()
        async with exchange_of(venue) as exchange:
            assert (await exchange.fetch_balance())["USDT"]["total"] == 10_000
            assert (await exchange.set_leverage(10, BTC))["leverage"] == 10
            with pytest.raises(ccxt.ExchangeError, match="-4046"):
                await exchange.fapiPrivatePostMarginType({"symbol": "BTCUSDT", "marginType": "CROSSED"})
            await exchange.set_margin_mode("isolated", BTC)
            with pytest.raises(ccxt.MarginModeAlreadySet):
                await exchange.set_margin_mode("isolated", BTC)
            order = await exchange.create_order(BTC, "market", "buy", 0.01)
            (position,) = await exchange.fetch_positions([BTC])
            assert (position["contracts"], position["side"]) == (0.01, "long")
            assert position["initialMargin"] == pytest.approx(position["entryPrice"] * 0.01 / 10)
            assert (position["marginMode"], position["hedged"]) == ("isolated", False)
            assert 0 < position["liquidationPrice"] < position["entryPrice"]
            risks = await exchange.fetch_positions_risk([BTC])
            assert risks[0]["liquidationPrice"] == pytest.approx(position["liquidationPrice"])
            trades = await exchange.fetch_my_trades(BTC)
            assert {(trade["order"], trade["takerOrMaker"]) for trade in trades} == {(order["id"], "taker")}
            assert sum(trade["amount"] for trade in trades) == pytest.approx(0.01)
            fee = sum(trade["fee"]["cost"] for trade in trades)
            assert fee == pytest.approx(sum(trade["cost"] for trade in trades) * 0.0005)
            total = (await exchange.fetch_balance())["info"]["totalWalletBalance"]
            assert float(total) == pytest.approx(10_000 - fee)
            ledger = await exchange.fetch_ledger("USDT")
            assert sum(each["amount"] * (-1 if each["direction"] == "out" else 1) for each in ledger) == pytest.approx(
                10_000 - fee
            )
            assert await exchange.fetch_funding_history(BTC) == []
            rate = await exchange.fetch_trading_fee(BTC)
            assert (rate["maker"], rate["taker"]) == (0.0002, 0.0005)
            tiers = (await exchange.fetch_leverage_tiers([BTC]))[BTC]
            assert (tiers[0]["maxLeverage"], tiers[1]["minNotional"]) == (125, 50_000)
            assert (await exchange.fetch_leverages())[BTC]["longLeverage"] == 10
            assert (await exchange.fetch_margin_modes())[BTC]["marginMode"] == "isolated"
            assert (await exchange.fetch_position_mode(BTC))["hedged"] is False
            with pytest.raises(ccxt.ExchangeError, match="-4084"):
                await exchange.set_position_mode(hedged=True)

    async def test_the_user_stream(self, venues):
        venue = await venues()
        async with exchange_of(venue) as exchange:
            await exchange.load_markets()
            # An order may be filled in parts, and what is watched may begin with what there was before.
            tasks = {
                name: asyncio.ensure_future(_watched(watch, good))
                for name, watch, good in (
                    ("orders", lambda: exchange.watch_orders(BTC), lambda told: told[-1]["status"] == "closed"),
                    ("trades", lambda: exchange.watch_my_trades(BTC), bool),
                    ("balance", exchange.watch_balance, lambda told: told["USDT"]["total"] != 10_000),
                    (
                        "positions",
                        lambda: exchange.watch_positions([BTC]),
                        lambda told: told and told[-1]["contracts"] == 0.01,
                    ),
                )
            }
            for _ in range(1_000):
                if venue.account.stream.key in venue.hub.wanted:
                    break
                await asyncio.sleep(0.01)
            order = await exchange.create_order(BTC, "market", "buy", 0.01)
            assert (await soon(tasks["orders"]))[-1]["id"] == order["id"]
            assert {trade["order"] for trade in await soon(tasks["trades"])} == {order["id"]}
            assert 9_999 < (await soon(tasks["balance"]))["USDT"]["total"] < 10_000
            assert (await soon(tasks["positions"]))[-1]["side"] == "long"
            watched = asyncio.ensure_future(exchange.watch_orders(BTC))
            stop = await exchange.create_order(
                BTC, "market", "sell", None, None, {"stopLossPrice": price_of(venue, 0.95), "closePosition": True}
            )
            seen = set()
            while stop["id"] not in seen:
                seen |= {each["id"] for each in await soon(watched)}
                if stop["id"] not in seen:
                    watched = asyncio.ensure_future(exchange.watch_orders(BTC))

    async def test_the_websocket_api(self, venues):
        venue = await venues()
        async with exchange_of(venue) as exchange:
            await exchange.load_markets()
            price = price_of(venue, 0.96)
            order = await soon(exchange.create_order_ws(BTC, "limit", "buy", 0.01, price))
            assert (order["status"], order["price"]) == ("open", price)
            edited = await soon(
                exchange.edit_order_ws(order["id"], BTC, "limit", "buy", 0.02, price_of(venue, 0.96) - 100)
            )
            assert edited["amount"] == 0.02
            assert (await soon(exchange.fetch_order_ws(order["id"], BTC)))["id"] == order["id"]
            assert (await soon(exchange.cancel_order_ws(order["id"], BTC)))["status"] == "canceled"
            assert (await soon(exchange.fetch_balance_ws()))["USDT"]["total"] == 10_000
            await soon(exchange.create_order_ws(BTC, "market", "buy", 0.01))
            (position,) = await soon(exchange.fetch_positions_ws([BTC]))
            assert position["contracts"] == 0.01
            stop = await soon(
                exchange.create_order_ws(BTC, "market", "sell", 0.01, None, {"stopLossPrice": price_of(venue, 0.9)})
            )
            assert stop["status"] == "open"
            with pytest.raises(ccxt.InsufficientFunds):
                await soon(exchange.create_order_ws(BTC, "market", "buy", 50))


class TestConnector:
    def client(self, venue):
        key, secret, sockets = venue.options.key, venue.options.secret, venue.url.replace("http", "ws")
        return DerivativesTradingUsdsFutures(
            config_rest_api=ConfigurationRestAPI(key, secret, base_path=venue.url),
            config_ws_api=ConfigurationWebSocketAPI(key, secret, stream_url=f"{sockets}/ws-fapi/v1"),
            config_ws_streams=ConfigurationWebSocketStreams(stream_url=f"{sockets}/stream"),
        )

    async def test_rest(self, venues):
        venue = await venues()
        api, call = self.client(venue).rest_api, asyncio.to_thread
        sent = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "time_in_force": "GTC"}
        price = price_of(venue, 0.96)
        order = (await call(api.new_order, **sent, quantity=0.01, price=price)).data()
        assert order.status == "NEW"
        changed = await call(
            api.modify_order, symbol="BTCUSDT", order_id=order.order_id, side="BUY", quantity=0.02, price=price
        )
        assert changed.data().orig_qty == "0.020"
        assert (await call(api.query_order, symbol="BTCUSDT", order_id=order.order_id)).data().status == "NEW"
        gone = await call(api.cancel_order, symbol="BTCUSDT", order_id=order.order_id)
        assert gone.data().status == "CANCELED"
        await call(api.new_order, symbol="BTCUSDT", side="BUY", type="MARKET", quantity=0.01)
        (position,) = (await call(api.position_information_v3)).data()
        assert position.position_amt == "0.010"
        algo = await call(
            api.new_algo_order,
            algo_type="CONDITIONAL", symbol="BTCUSDT", side="SELL", type="STOP_MARKET",
            trigger_price=price_of(venue, 0.95), close_position="true",
        )  # fmt: skip
        assert algo.data().algo_status == "NEW"
        opened = (await call(api.current_all_algo_open_orders)).data()
        assert [each.algo_id for each in opened] == [algo.data().algo_id]
        assert (await call(api.account_information_v3)).data().assets[0].asset == "USDT"
        trades = (await call(api.account_trade_list, symbol="BTCUSDT")).data()
        assert sum(float(trade.qty) for trade in trades) == pytest.approx(0.01)
        with pytest.raises(BadRequestError, match=r"smaller than|no smaller"):
            await call(api.new_order, **sent, quantity=0.001, price=price)

    @pytest.mark.filterwarnings("ignore:parameter 'timeout' of type 'float' is deprecated:DeprecationWarning")
    async def test_the_websocket_api_and_the_user_stream(self, venues):
        venue = await venues()
        client = self.client(venue)
        api = await client.websocket_api.create_connection()
        streams = await client.websocket_streams.create_connection()
        try:
            started = await soon(api.start_user_data_stream())
            stream = await streams.user_data(started.data().result.listen_key)
            told, enough = [], asyncio.Event()

            def heard(message):
                told.append(message)
                if len(told) >= 4:
                    enough.set()

            stream.on("message", heard)
            placed = await soon(api.new_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity=0.01))
            assert placed.data().result.status == "NEW"
            await soon(enough.wait())
            kinds = [type(getattr(each, "actual_instance", each)).__name__ for each in told[:4]]
            assert kinds == ["OrderTradeUpdate", "TradeLite", "AccountUpdate", "OrderTradeUpdate"]
            status = await soon(api.account_information_v2())
            assert status.data().result.positions[0].position_amt == "0.010"
        finally:
            await api.close_connection()
            await streams.close_connection()

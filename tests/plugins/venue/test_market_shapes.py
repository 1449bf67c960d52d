"""Every public body has the keys and JSON types that Binance's own connector expects."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal

import pytest

SECOND = 1_000_000_000

REST = {
    "check_server_time": "time",
    "exchange_information": "exchangeInfo",
    "order_book": "depth?symbol=BTCUSDT",
    "rpi_order_book": "rpiDepth?symbol=BTCUSDT&limit=1000",
    "recent_trades_list": "trades?symbol=BTCUSDT",
    "old_trades_lookup": "historicalTrades?symbol=BTCUSDT",
    "compressed_aggregate_trades_list": "aggTrades?symbol=BTCUSDT",
    "kline_candlestick_data": "klines?symbol=BTCUSDT&interval=1m",
    "continuous_contract_kline_candlestick_data": "continuousKlines?pair=BTCUSDT&contractType=PERPETUAL&interval=1m",
    "mark_price_kline_candlestick_data": "markPriceKlines?symbol=BTCUSDT&interval=1m",
    "index_price_kline_candlestick_data": "indexPriceKlines?pair=BTCUSDT&interval=1m",
    "premium_index_kline_data": "premiumIndexKlines?symbol=BTCUSDT&interval=1m",
    "mark_price": "premiumIndex?symbol=BTCUSDT",
    "get_funding_rate_history": "fundingRate?symbol=BTCUSDT",
    "get_funding_rate_info": "fundingInfo",
    "ticker24hr_price_change_statistics": "ticker/24hr?symbol=BTCUSDT",
    "symbol_price_ticker": "ticker/price?symbol=BTCUSDT",
    "symbol_price_ticker_v2": "/fapi/v2/ticker/price?symbol=BTCUSDT",
    "symbol_order_book_ticker": "ticker/bookTicker?symbol=BTCUSDT",
    "open_interest": "openInterest?symbol=BTCUSDT",
    "query_index_price_constituents": "constituents?symbol=BTCUSDT",
    "open_interest_statistics": "/futures/data/openInterestHist?symbol=BTCUSDT&period=5m",
    "long_short_ratio": "/futures/data/globalLongShortAccountRatio?symbol=BTCUSDT&period=5m",
    "top_trader_long_short_ratio_accounts": "/futures/data/topLongShortAccountRatio?symbol=BTCUSDT&period=5m",
    "top_trader_long_short_ratio_positions": "/futures/data/topLongShortPositionRatio?symbol=BTCUSDT&period=5m",
    "taker_buy_sell_volume": "/futures/data/takerlongshortRatio?symbol=BTCUSDT&period=5m",
    "basis": "/futures/data/basis?pair=BTCUSDT&contractType=PERPETUAL&period=5m",
    "asset_index": "assetIndex?symbol=BTCUSD",
    "query_insurance_fund_balance_snapshot": "insuranceBalance",
    "adl_risk": "symbolAdlRisk?symbol=BTCUSDT",
    "trading_schedule": "tradingSchedule",
}

STREAMS = {
    "aggregate_trade_streams": "btcusdt@aggTrade",
    "all_book_tickers_stream": "!bookTicker",
    "all_market_liquidation_order_streams": "!forceOrder@arr",
    "all_market_mini_tickers_stream": "!miniTicker@arr",
    "all_market_tickers_streams": "!ticker@arr",
    "asset_index": "!assetIndex@arr",
    "continuous_contract_kline_candlestick_streams": "btcusdt_perpetual@continuousKline_1m",
    "contract_info_stream": "!contractInfo",
    "diff_book_depth_streams": "btcusdt@depth@100ms",
    "individual_symbol_book_ticker_streams": "btcusdt@bookTicker",
    "individual_symbol_mini_ticker_stream": "btcusdt@miniTicker",
    "individual_symbol_ticker_streams": "btcusdt@ticker",
    "kline_candlestick_streams": "btcusdt@kline_1m",
    "liquidation_order_streams": "btcusdt@forceOrder",
    "mark_price_stream": "btcusdt@markPrice",
    "mark_price_stream_for_all_market": "!markPrice@arr@1s",
    "partial_book_depth_streams": "btcusdt@depth10",
    "rpi_diff_book_depth_streams": "btcusdt@rpiDepth@500ms",
}


def lacking(expected, got, where=""):
    """Name what is not as it is expected: a key, or a type."""
    kind = int | float if isinstance(expected, int | float) else type(expected)
    if not isinstance(got, kind) or isinstance(got, bool) != isinstance(expected, bool):
        return [f"{where} is {got!r}, not {expected!r}"]
    if isinstance(expected, dict):
        missing = [f"{where}.{key} is missing" for key in expected if key not in got]
        return missing + [
            text for key in expected if key in got for text in lacking(expected[key], got[key], f"{where}.{key}")
        ]
    if isinstance(expected, list) and expected and expected[0]:
        # A row of a candle is told by its first figure alone.
        rows = got[:3] if isinstance(expected[0], dict | list) else got[: len(expected)]
        return [text for each in rows for text in lacking(expected[0], each, f"{where}[]")] or (
            [] if got else [f"{where} is empty"]
        )
    return []


@pytest.fixture(scope="module")
def bodies(data):
    return json.loads((data / "binance_usdm_fixtures" / "binance_sdk_expected_responses.json").read_text())


@pytest.fixture
async def venue(venues):
    made = await venues(speed="virtual", history="10h")
    await made.advance(10 * SECOND)
    return made


@pytest.mark.parametrize("name", REST)
async def test_rest(venue, http, bodies, name):
    path = REST[name] if REST[name].startswith("/") else f"/fapi/v1/{REST[name]}"
    async with http.get(venue.url + path, headers={"X-MBX-APIKEY": venue.options.key}) as answer:
        got = await answer.json()
        assert answer.status == 200, got
        assert answer.content_type == "application/json"
    expected = bodies[f"rest_api::{name}"]
    if name == "exchange_information":
        assert lacking({**expected, "symbols": [], "exchangeFilters": []}, got) == []
        (symbol,) = expected["symbols"]
        filters = symbol["filters"][0]
        for each in got["symbols"]:
            assert lacking({**symbol, "filters": []}, each) == []
            found = {key: value for one in each["filters"] for key, value in one.items()}
            assert lacking(filters, found) == []
        return
    assert lacking(expected, got) == []


def test_all_public_bodies_are_walked(bodies):
    signed = {
        "account", "order", "trade", "position", "balance", "leverage", "income", "margin", "commission", "user",
        "download", "convert", "quote", "bnb", "portfolio", "listen", "algo", "adl_quantile", "config", "limit",
    }  # fmt: skip
    names = {name.partition("::")[2] for name in bodies if name.startswith("rest_api::")}
    public = {
        name.removesuffix("_success_with_optional_params") for name in names if not any(word in name for word in signed)
    }
    left = public - REST.keys() - {"quarterly_contract_settlement_price"}
    assert not {name for name in left if "price" in name or "ticker" in name or "kline" in name or "funding" in name}
    streams = {name.partition("::")[2] for name in bodies if name.startswith("websocket_streams::")}
    streams = {name for name in streams if not name.endswith(("_subscription", "_success_with_optional_params"))}
    assert {name for name in streams if "stream" in name} - STREAMS.keys() <= {
        "composite_index_symbol_information_streams",
        "trading_session_stream",
    }


@pytest.mark.parametrize("name", STREAMS)
async def test_streams(venue, http, bodies, name):
    stream = STREAMS[name]
    async with http.ws_connect(f"{venue.url}/ws") as socket:
        await socket.send_json({"method": "SUBSCRIBE", "params": [stream], "id": 7})
        assert await socket.receive_json() == {"result": None, "id": 7}
        await venue.advance(4 * SECOND)
        if "orceOrder" in stream:
            venue.board.liquidated("BTCUSDT", "SELL", Decimal("0.014"), Decimal(9910))
        if "contractInfo" in stream:
            venue.faults.add({"change_filter": {"symbol": "BTCUSDT", "tick": "0.5"}}, venue.clock.ns())
        got = await asyncio.wait_for(socket.receive_json(), 5)
    assert lacking(bodies[f"websocket_streams::{name}"], got) == []


async def test_a_symbol_that_is_not_there_and_an_address_that_is_not_there(venue, http):
    for path, status, code in (
        ("/fapi/v1/depth?symbol=NOPEUSDT", 400, -1121),
        ("/fapi/v1/depth", 400, -1102),
        ("/fapi/v1/depth?symbol=BTCUSDT&limit=7", 400, -4021),
        ("/fapi/v1/klines?symbol=BTCUSDT&interval=7m", 400, -1120),
        ("/fapi/v1/klines?symbol=BTCUSDT&interval=1m&startTime=2&endTime=1", 400, -1023),
        ("/fapi/v1/trades?symbol=BTCUSDT&limit=0", 400, -1130),
        ("/fapi/v1/historicalTrades?symbol=BTCUSDT", 401, -2014),
        ("/fapi/v1/nothing", 404, -5000),
        ("/nothing", 404, -5000),
    ):
        async with http.get(venue.url + path) as answer:
            assert (answer.status, (await answer.json())["code"]) == (status, code), path

"""What is relied on of ccxt's insides: a test fails when ccxt changes it."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from quantmind_ccxt.addresses import stand_in
from quantmind_ccxt.budget import Budget
from quantmind_ccxt.connection import connect
from quantmind_ccxt.loading import exchange_class
from quantmind_ccxt.options import VenueOptions

OVERRIDDEN = {
    "handle_message": ["self", "client", "message"],
    "handle_order_book_subscription": ["self", "client", "message", "subscription"],
    "watch": ["self", "url", "message_hash", "message", "subscribe_hash", "subscription"],
    "watch_multiple": ["self", "url", "message_hashes", "message", "subscribe_hashes", "subscription"],
    "fetch": ["self", "url", "method", "headers", "body"],
    "on_rest_response": [
        "self", "code", "reason", "url", "method", "response_headers", "response_body", "request_headers",
        "request_body",
    ],
}  # fmt: skip

CALLED = {
    "watch_bids_asks": ["self", "symbols", "params"],
    "watch_tickers": ["self", "symbols", "params"],
    "watch_mark_prices": ["self", "symbols", "params"],
    "watch_trades_for_symbols": ["self", "symbols", "since", "limit", "params"],
    "watch_order_book_for_symbols": ["self", "symbols", "limit", "params"],
    "fetch_ohlcv": ["self", "symbol", "timeframe", "since", "limit", "params"],
    "fetch_funding_rate_history": ["self", "symbol", "since", "limit", "params"],
}


@pytest.mark.parametrize(("name", "parameters"), [*OVERRIDDEN.items(), *CALLED.items()])
def test_ccxt_has_the_methods_that_are_built_on(name, parameters):
    method = getattr(exchange_class("binanceusdm"), name)
    assert list(inspect.signature(method).parameters) == parameters


async def test_every_overridden_method_is_ours():
    exchange = connect(VenueOptions(), Budget(0.8))
    own = vars(type(exchange))
    assert set(OVERRIDDEN) <= set(own)
    assert exchange.id == "binanceusdm"
    await exchange.close()


@pytest.mark.parametrize(
    "name", ["fapiPublicGetTrades", "fapiPublicGetDepth", "fapiPublicGetFundingRate", "fetch_time"]
)
async def test_ccxt_has_the_requests_that_are_made(name):
    exchange = connect(VenueOptions(), Budget(0.8))
    assert callable(getattr(exchange, name))
    await exchange.close()


def test_a_client_of_ccxt_has_what_is_looked_at():
    exchange_class("binanceusdm")
    module = sys.modules["ccxt.async_support.base.ws.client"]
    kind = module.Client
    assert {"on_error", "send", "closed", "receive_loop", "handle_message", "ping_loop"} <= set(dir(kind))
    source = inspect.getsource(kind)
    for looked_at in ("self.last_message_at = ", "self.connection = ", "self.error = error", "self.url"):
        assert looked_at in source or looked_at == "self.url"
    assert list(inspect.signature(kind.on_error).parameters) == ["self", "error"]


def test_a_stand_in_leaves_no_address_of_the_real_venue():
    real = exchange_class("binanceusdm")().describe()["urls"]["api"]
    made = stand_in("http://127.0.0.1:1", real)["urls"]["api"]

    def leaves(tree):
        for value in tree.values():
            yield from leaves(value) if isinstance(value, dict) else [value]

    assert len(list(leaves(made))) == len(list(leaves(real)))
    assert {address.partition("://")[2].partition("/")[0] for address in leaves(made)} == {"127.0.0.1:1"}
    assert made["fapiPublic"] == "http://127.0.0.1:1/fapi/v1"
    assert made["ws"]["linear"] == "ws://127.0.0.1:1/ws"


async def test_settings_of_the_recipe_are_merged_into_ours():
    settings = {"options": {"watchOrderBookRate": "500"}, "timeout": 1234}
    exchange = connect(VenueOptions(url="http://127.0.0.1:1", settings=settings), Budget(0.8))
    assert exchange.timeout == 1234
    assert exchange.options["watchOrderBookRate"] == "500"
    assert exchange.options["fetchCurrencies"] is False
    assert exchange.urls["api"]["fapiPublic"] == "http://127.0.0.1:1/fapi/v1"
    await exchange.close()


ONE = """
import sys
from quantmind_ccxt.loading import exchange_class
kind = exchange_class("binanceusdm")
kind().describe()
found = {name.split(".")[2] for name in sys.modules if name.startswith("ccxt.pro.")}
assert found == {"binance", "binanceusdm"}, found
import ccxt, ccxt.pro, ccxt.async_support
assert ccxt.pro.binanceusdm is kind
assert issubclass(ccxt.NetworkError, ccxt.BaseError) and ccxt.__version__[0].isdigit()
assert "binanceusdm" in ccxt.exchanges and ccxt.TICK_SIZE == 4
assert ccxt.binanceusdm().id == ccxt.async_support.binanceusdm().id == "binanceusdm"
"""

ALL = """
import ccxt.pro
from quantmind_ccxt.loading import exchange_class, errors
assert exchange_class("binanceusdm") is ccxt.pro.binanceusdm
assert errors().NetworkError is ccxt.NetworkError
assert len(ccxt.exchanges) > 90
"""

NONE = """
import sys
import quantmind_ccxt
from quantmind_ccxt.options import CcxtOptions
quantmind_ccxt.Ccxt.offers(CcxtOptions(), ["BTC/USDT:USDT"])
assert not [name for name in sys.modules if name.split(".")[0] in {"ccxt", "aiohttp", "httpx", "polars"}]
"""


@pytest.mark.parametrize("code", [ONE, NONE, pytest.param(ALL, marks=pytest.mark.slow)], ids=["one", "none", "all"])
def test_only_what_is_wanted_of_ccxt_is_imported(code):
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

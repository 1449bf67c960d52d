"""The account behind the server: who may use it, what the clock does to it, and what a listener hears."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

import pytest
import yarl

from quantmind_venue.options import KEY, SECRET

SECOND = 1_000_000_000
S = {"symbol": "BTCUSDT"}


async def call(http, venue, method, path, *, key=KEY, secret=SECRET, offset=0, **sent):
    """Call a signed endpoint as a plain client does; returns status and body."""
    text = urlencode(sent | {"timestamp": int(time.time() * 1000) + offset})
    text += f"&signature={hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()}"
    headers = {"X-MBX-APIKEY": key} if key else {}
    # What was signed is what is sent: the address is not to be written anew.
    url = yarl.URL(f"{venue.url}/fapi/{path}?{text}", encoded=True)
    async with http.request(method, url, headers=headers) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize(
    ("status", "code", "options"),
    [
        (401, -2014, {"key": None}),
        (401, -2015, {"key": "other"}),
        (400, -1022, {"secret": "other"}),
        (400, -1021, {"offset": 2_000}),
        (400, -1021, {"offset": -6_000}),
        (400, -1131, {"recvWindow": 60_001}),
    ],
)
async def test_who_may_not_use_it(venues, http, status, code, options):
    venue = await venues()
    got, body = await call(http, venue, "GET", "v3/account", **options)
    assert (got, body["code"]) == (status, code)
    assert set(body) == {"code", "msg"}


async def test_it_goes_by_a_virtual_clock(venues, http):
    venue = await venues(speed="virtual")
    await venue.advance(SECOND)
    price = round(venue.board.quote("BTC/USDT:USDT").bid * 0.97)
    order = S | {"side": "BUY", "type": "LIMIT", "quantity": "0.010", "price": price, "timeInForce": "GTC"}
    assert (await call(http, venue, "POST", "v1/order", **order))[0] == 200
    await call(http, venue, "POST", "v1/countdownCancelAll", **S, countdownTime=5_000)
    await venue.advance(4 * SECOND)
    assert len((await call(http, venue, "GET", "v1/openOrders"))[1]) == 1
    await venue.advance(2 * SECOND)
    assert (await call(http, venue, "GET", "v1/openOrders"))[1] == []


async def test_what_a_listener_hears(venues, http):
    venue = await venues(speed="virtual")
    await venue.advance(SECOND)
    async with http.post(f"{venue.url}/fapi/v1/listenKey", headers={"X-MBX-APIKEY": KEY}) as answer:
        key = (await answer.json())["listenKey"]
    market = S | {"side": "BUY", "type": "MARKET", "quantity": "0.010", "newOrderRespType": "RESULT"}
    heard = []
    async with (
        http.ws_connect(f"{venue.url}/private/ws?listenKey={key}") as private,
        http.ws_connect(f"{venue.url}/market/ws/btcusdt@forceOrder") as forced,
    ):
        _, filled = await call(http, venue, "POST", "v1/order", **market)
        assert filled["status"] == "FILLED"
        venue.account.inject("liquidate", symbol="BTCUSDT")
        assert (await asyncio.wait_for(forced.receive_json(), 5))["o"]["S"] == "SELL"
        venue.account.inject("expire_listen_key")
        while not heard or heard[-1]["e"] != "listenKeyExpired":
            heard.append(await asyncio.wait_for(private.receive_json(), 5))
    orders = [message["o"] for message in heard if message["e"] == "ORDER_TRADE_UPDATE"]
    assert orders[0]["i"] == filled["orderId"]
    assert (orders[-1]["x"], orders[-1]["X"]) == ("CALCULATED", "FILLED")
    assert orders[-1]["c"].startswith("autoclose-")
    assert heard[-1]["listenKey"] == key
    async with http.put(f"{venue.url}/fapi/v1/listenKey", headers={"X-MBX-APIKEY": KEY}) as answer:
        assert (await answer.json())["code"] == -1125


async def test_a_batch_with_its_list_in_the_body_or_in_the_query(venues, http):
    venue = await venues()
    price = f"{round(venue.board.quote('BTC/USDT:USDT').bid * 0.97):.1f}"
    order = S | {"side": "BUY", "type": "LIMIT", "quantity": "0.010", "price": price, "timeInForce": "GTC"}
    _, body = await call(http, venue, "POST", "v1/batchOrders", batchOrders=json.dumps([order, order | {"side": "X"}]))
    assert [each.get("status", each.get("code")) for each in body] == ["NEW", -1117]
    assert venue.limits.orders_minute.used == 2


@pytest.mark.parametrize("name", ["account", "balance", "positionRisk"])
async def test_retired_endpoints_say_which_one_to_use(venues, http, name):
    venue = await venues()
    status, body = await call(http, venue, "GET", f"v1/{name}")
    words = f"GET /fapi/v1/{name} is retired, please use GET /fapi/v2/{name}"
    assert (status, body) == (400, {"code": -5000, "msg": words})
    assert (await call(http, venue, "GET", f"v2/{name}"))[0] == 200

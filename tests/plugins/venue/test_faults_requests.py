"""Faults of requests and of the venue itself: each does what it says."""

from __future__ import annotations

import asyncio
import hmac
import time
from urllib.parse import urlencode

import aiohttp
import pytest

from quantmind_venue.faults.faults import read
from quantmind_venue.faults.kinds import KINDS


class Trader:
    """Sends signed requests."""

    def __init__(self, http, venue):
        self.http, self.venue = http, venue

    async def send(self, method, path, stamp=None, **sent):
        query = urlencode(sent | {"timestamp": stamp or int(time.time() * 1000)})
        key = self.venue.options.secret.encode()
        signature = hmac.digest(key, query.encode(), "sha256").hex()
        url = f"{self.venue.url}/fapi/v1/{path}?{query}&signature={signature}"
        async with self.http.request(method, url, headers={"X-MBX-APIKEY": self.venue.options.key}) as answer:
            return answer.status, await answer.json(), answer.headers

    async def buy(self, client="one", **more):
        return await self.send(
            "POST",
            "order",
            symbol="BTCUSDT",
            side="BUY",
            type="MARKET",
            quantity="0.01",
            newClientOrderId=client,
            **more,
        )

    async def known(self, client="one"):
        status, body, _ = await self.send("GET", "order", symbol="BTCUSDT", origClientOrderId=client)
        return status == 200 and body["clientOrderId"] == client


@pytest.fixture
async def trader(venues, http):
    async def start(*faults, **options):
        return Trader(http, await venues(faults=faults, **options))

    return start


@pytest.mark.parametrize(("when", "known"), [("before", False), ("after", True)])
async def test_a_dropped_reply(trader, when, known):
    bot = await trader({"drop_reply": {"on": "POST /fapi/v1/order", "when": when}})
    with pytest.raises(aiohttp.ClientError):
        await bot.buy()
    assert await bot.known() is known
    assert (await bot.buy("two"))[0] == 200


async def test_a_silent_reply(trader):
    bot = await trader({"drop_reply": {"on": "POST /fapi/v1/order", "silent": True}})
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(bot.buy(), 0.3)
    assert await bot.known()


@pytest.mark.parametrize(
    ("status", "code", "when", "known"),
    [
        (408, -1007, "after", True),
        (408, -1007, "before", False),
        (503, -1008, "before", False),
        (502, -1000, "after", True),
    ],
)
async def test_an_error_instead_of_the_answer(trader, status, code, when, known):
    fault = {"on": "POST /fapi/v1/order", "status": status, "code": code, "when": when}
    bot = await trader({"answer": fault})
    got, body, _ = await bot.buy()
    assert (got, body["code"]) == (status, code)
    assert body["msg"]
    assert await bot.known() is known


async def test_delays_before_and_after(trader):
    bot = await trader({"delay": {"on": "GET /fapi/v1/*", "by": "150ms", "jitter": "50ms", "count": 1}})
    began = time.monotonic()
    assert not await bot.known()
    assert time.monotonic() - began >= 0.15
    began = time.monotonic()
    assert not await bot.known()
    assert time.monotonic() - began < 0.15


async def test_too_many_requests_then_a_ban(trader):
    bot = await trader({"rate_limit": {"seconds": 30}})
    statuses = []
    for _ in range(15):
        status, body, headers = await bot.send("GET", "openOrders", symbol="BTCUSDT")
        assert body["code"] == -1003
        assert int(headers["Retry-After"]) > 0
        statuses.append(status)
    assert statuses == [429] * 10 + [418] * 5
    assert "banned until" in body["msg"]


async def test_a_ban_ends(trader):
    bot = await trader({"ban": {"seconds": 0.2}})
    assert (await bot.send("GET", "openOrders", symbol="BTCUSDT"))[0] == 418
    await asyncio.sleep(0.25)
    assert (await bot.send("GET", "openOrders", symbol="BTCUSDT"))[0] == 200


@pytest.mark.parametrize("by", ["10s", "-10s"])
async def test_a_clock_that_was_set(trader, by):
    bot = await trader()
    assert (await bot.buy())[0] == 200
    bot.venue.faults.add({"set_clock": {"by": by}}, 0)
    status, body, _ = await bot.buy("two")
    assert (status, body["code"]) == (400, -1021)
    async with bot.http.get(f"{bot.venue.url}/fapi/v1/time") as answer:
        shown = (await answer.json())["serverTime"]
    assert abs(abs(shown - time.time() * 1000) - 10_000) < 2_000
    assert (await bot.buy("two", stamp=shown))[0] == 200


async def test_filters_that_change(trader):
    bot = await trader()
    bot.venue.faults.add({"change_filter": {"symbol": "BTCUSDT", "step": "0.1", "min_notional": 1000}}, 0)
    async with bot.http.get(f"{bot.venue.url}/fapi/v1/exchangeInfo") as answer:
        filters = {each["filterType"]: each for each in (await answer.json())["symbols"][0]["filters"]}
    assert filters["LOT_SIZE"]["stepSize"] == "0.1"
    assert filters["MIN_NOTIONAL"]["notional"] == "1000"
    status, body, _ = await bot.buy()
    assert (status, body["code"] < 0) == (400, True)


async def test_faults_of_the_account(trader):
    bot = await trader()
    faults = bot.venue.faults
    faults.add({"change_position": {"symbol": "BTCUSDT", "quantity": "0.02"}}, 0)
    held = bot.venue.account.ledger.position(bot.venue.listing["BTCUSDT"])
    assert float(held.quantity) == 0.02
    faults.add({"liquidate": {"symbol": "BTCUSDT"}}, 0)
    assert not bot.venue.account.ledger.position(bot.venue.listing["BTCUSDT"]).quantity
    with pytest.raises(ValueError, match="no position of BTCUSDT"):
        faults.add({"adl": {"symbol": "BTCUSDT"}}, 0)
    assert [each["fault"] for each in faults.told()] == ["change_position", "liquidate"]


@pytest.mark.parametrize("at", ["0s", "100ms"])
async def test_an_impossible_fault_of_a_script_does_not_stop_the_market(trader, at):
    bot = await trader({"liquidate": {"symbol": "BTCUSDT", "at": at}}, speed="virtual")
    await bot.venue.advance(1_000_000_000)
    (told,) = bot.venue.faults.told()
    assert (told["hits"], "no position of BTCUSDT" in told["trouble"]) == (1, True)
    assert bot.venue.clock.ns() >= bot.venue.clock.start + 1_000_000_000


async def test_faults_of_the_websocket_api(trader):
    bot = await trader(
        {"answer": {"on": "WS time", "status": 503, "code": -1008}},
        {"drop_reply": {"on": "WS ping"}},
        {"close": {"path": "api", "on": "WS exchangeInfo"}},
    )
    url = bot.venue.url + "/ws-fapi/v1"
    socket = await bot.http.ws_connect(url)
    await socket.send_json({"id": 1, "method": "time"})
    answer = await socket.receive_json()
    assert (answer["id"], answer["status"], answer["error"]["code"]) == (1, 503, -1008)
    await socket.send_json({"id": 2, "method": "time"})
    assert (await socket.receive_json())["status"] == 200
    for method in ("ping", "exchangeInfo"):
        socket = await bot.http.ws_connect(url)
        await socket.send_json({"id": 3, "method": method})
        await asyncio.wait_for(socket.receive(), 10)
        assert socket.close_code == 1006


async def test_the_control_endpoint(trader):
    bot = await trader(speed="virtual")
    url = bot.venue.url + "/venue"

    async def call(method, path, said=None):
        async with bot.http.request(method, f"{url}/{path}", json=said) as answer:
            return answer.status, await answer.json()

    assert await call("POST", "faults", {"answer": {"on": "GET /fapi/v1/ping"}}) == (
        200,
        [{"fault": "answer", "matched": 0, "hits": 0}],
    )
    async with bot.http.get(bot.venue.url + "/fapi/v1/ping") as answer:
        assert answer.status == 503
    assert await call("GET", "faults") == (200, [{"fault": "answer", "matched": 1, "hits": 1}])
    assert await call("DELETE", "faults") == (200, [])
    before = bot.venue.clock.now()
    status, told = await call("POST", "clock", {"advance": "10s"})
    assert (status, told["time"] - before) == (200, 10_000)
    status, told = await call("GET", "state")
    assert (told["begun"], told["ended"], told["connections"], told["faults"]) == (True, False, [], [])
    for said in ({"advance": "soon"}, {}, None):
        assert (await call("POST", "clock", said))[0] == 400
    strange = {"book_gap": {"symbol": "NOPE"}}, {"settle": {"symbol": "NOPE", "at": "9s"}}, {"adl": {"at": "9s"}}
    for said in (
        {"nothing": {}},
        {"close": {"at": "later"}},
        {"close": {}, "ban": {}},
        ["close"],
        {"adl": {}},
        *strange,
    ):
        status, told = await call("POST", "faults", said)
        assert status == 400, said
        assert told["msg"]
    assert (await call("GET", "nothing"))[0] == 404


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_describes_all_it_is_told(kind):
    assert KINDS[kind].__doc__
    for field in KINDS[kind].model_fields.values():
        assert field.description


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"clos": {}}, "clos: is not known; did you mean close"),
        ({"close": {"at": "soon"}}, "close.at: must be a duration"),
        ({"swallow": {}}, "swallow.on: is missing: write on"),
        ({"swallow": {"on": "x", "chance": 2}}, "swallow.chance: must be at most 1, was 2"),
        ({"close": {"wen": 1}}, "close.wen: is not known"),
        ("close", "must be one fault with what it is told"),
    ],
)
def test_a_fault_that_is_not_well_described_is_named(said, words):
    with pytest.raises(ValueError, match=words.replace(".", r"\.")):
        read(said)

"""The stream addresses: raw and wrapped, plain and split, and what may be asked for on them."""

from __future__ import annotations

import asyncio
import itertools

import pytest

SECOND = 1_000_000_000


@pytest.fixture
async def venue(venues):
    return await venues(speed="virtual")


async def ask(socket, method, *params, id=1):
    await socket.send_json({"method": method, "params": list(params), "id": id})
    return await asyncio.wait_for(socket.receive_json(), 10)


@pytest.mark.parametrize(
    ("address", "wrapped"),
    [
        ("/ws/btcusdt@trade", False),
        ("/public/ws/btcusdt@trade", False),
        ("/public/ws?streams=btcusdt@trade", False),
        ("/stream?streams=btcusdt@trade/ethusdt@trade", True),
        ("/public/stream?streams=btcusdt@trade/ethusdt@trade", True),
        ("/stream?streams=btcusdt%40trade", True),
    ],
)
async def test_streams_that_the_address_names(venue, http, address, wrapped):
    async with http.ws_connect(venue.url + address) as socket:
        await asyncio.sleep(0.05)
        await venue.advance(SECOND)
        message = await asyncio.wait_for(socket.receive_json(), 10)
    if wrapped:
        assert message["stream"] in {"btcusdt@trade", "ethusdt@trade"}
        message = message["data"]
    assert message["e"] == "trade"


async def test_what_may_be_asked_for(venue, http):
    async with http.ws_connect(venue.url + "/public/ws/3") as socket:
        assert await ask(socket, "SUBSCRIBE", "btcusdt@trade", "btcusdt@bookTicker", id="a") == {
            "result": None,
            "id": "a",
        }
        assert await ask(socket, "LIST_SUBSCRIPTIONS") == {"result": ["btcusdt@trade", "btcusdt@bookTicker"], "id": 1}
        assert await ask(socket, "UNSUBSCRIBE", "btcusdt@trade") == {"result": None, "id": 1}
        assert await ask(socket, "GET_PROPERTY", "combined") == {"result": False, "id": 1}
        assert await ask(socket, "SET_PROPERTY", "combined", True) == {"result": None, "id": 1}
        await venue.advance(SECOND)
        message = await asyncio.wait_for(socket.receive_json(), 10)
        assert message["stream"] == "btcusdt@bookTicker"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('{"method": "NOTHING", "id": 1}', 2),
        ('{"method": "SUBSCRIBE", "params": [], "id": 1}', 2),
        ('{"method": "SUBSCRIBE", "params": [7], "id": 1}', 2),
        ('{"method": "SUBSCRIBE", "params": ["btcusdt@kline_1m"], "id": 1}', 2),
        ('{"method": "SET_PROPERTY", "params": ["combined", 1], "id": 1}', 2),
        ("nothing", 3),
        ("[]", 3),
    ],
)
async def test_what_may_not_be_asked_for(venue, http, said, code):
    async with http.ws_connect(venue.url + "/public/ws") as socket:
        await socket.send_str(said)
        answer = await asyncio.wait_for(socket.receive_json(), 10)
        assert (answer["error"]["code"], bool(answer["error"]["msg"])) == (code, True)
        assert await ask(socket, "LIST_SUBSCRIPTIONS") == {"result": [], "id": 1}


@pytest.mark.parametrize(
    ("kind", "given", "not_given"),
    [
        ("public", ["btcusdt@trade", "btcusdt@depth5@100ms", "!bookTicker"], ["btcusdt@aggTrade", "!markPrice@arr"]),
        ("market", ["btcusdt@aggTrade", "btcusdt@kline_1m", "!miniTicker@arr"], ["btcusdt@trade", "!bookTicker"]),
    ],
)
async def test_split_addresses_give_their_own_streams_only(venue, http, kind, given, not_given):
    async with http.ws_connect(f"{venue.url}/{kind}/ws") as socket:
        assert (await ask(socket, "SUBSCRIBE", *given)) == {"result": None, "id": 1}
        for stream in not_given:
            assert "error" in await ask(socket, "SUBSCRIBE", stream)


async def test_two_listeners_get_the_same_bytes_in_the_same_order(venue, http):
    sockets = [await http.ws_connect(venue.url + "/ws/btcusdt@trade/btcusdt@bookTicker") for _ in range(2)]
    await asyncio.sleep(0.05)
    await venue.advance(2 * SECOND)
    count = venue.hub.sent // 2
    read = [[(await asyncio.wait_for(each.receive(), 10)).data for _ in range(count)] for each in sockets]
    assert read[0] == read[1]
    assert len(read[0]) == 28


async def test_aggregate_trades_hold_every_trade_once(venue, http):
    socket = await http.ws_connect(venue.url + "/market/ws/btcusdt@aggTrade")
    await asyncio.sleep(0.05)
    await venue.advance(5 * SECOND)
    got = [await asyncio.wait_for(socket.receive_json(), 10) for _ in range(venue.hub.sent)]
    ids = [number for each in got for number in range(each["f"], each["l"] + 1)]
    assert ids == list(range(1, len(ids) + 1))
    assert [each["a"] for each in got] == list(range(1, len(got) + 1))


async def test_candles_close_once_and_follow_each_other(venues, http):
    venue = await venues(speed="virtual", start="2025-01-01T00:00:10Z")
    socket = await http.ws_connect(venue.url + "/market/ws/btcusdt@kline_1m")
    await asyncio.sleep(0.05)
    await venue.advance(200 * SECOND)
    got = [(await asyncio.wait_for(socket.receive_json(), 10))["k"] for _ in range(venue.hub.sent)]
    closed = [each for each in got if each["x"]]
    assert len(closed) == 3
    assert {after["t"] - before["t"] for before, after in itertools.pairwise(closed)} == {60_000}
    async with http.get(f"{venue.url}/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=4") as answer:
        rows = await answer.json()
    for row, candle in zip(rows, closed, strict=False):
        assert row[:6] == [candle["t"], candle["o"], candle["h"], candle["l"], candle["c"], candle["v"]]


async def test_a_thing_that_is_no_stream_address(venue, http):
    for path in ("/nothing/ws", "/public", "/nowhere"):
        async with http.get(venue.url + path) as answer:
            assert answer.status == 404
    async with http.get(venue.url + "/ws") as answer:
        assert answer.status == 400

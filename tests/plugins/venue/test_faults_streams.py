"""Faults of streams: each does what it says, and the log says what it did."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest

SECOND = 1_000_000_000
TRADES = "btcusdt@trade"


class Listener:
    """Listens to streams of one address."""

    def __init__(self, socket):
        self.socket = socket
        self.read = []
        self.task = asyncio.create_task(self.listen())

    async def listen(self):
        async for message in self.socket:
            self.read.append(message.json())

    def ids(self):
        return [each["t"] for each in self.read if each.get("e") == "trade"]

    async def gets(self, count):
        for _ in range(1_000):
            if len(self.read) >= count:
                break
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.02)
        assert len(self.read) == count


@pytest.fixture
async def listening(venues, http):
    async def listen(*faults, streams=TRADES, kind="/public", **options):
        sent = []
        venue = await venues(sent, speed="virtual", hold="told", trade_interval="100ms", faults=faults, **options)
        listener = Listener(await http.ws_connect(f"{venue.url}{kind}/ws/{streams}"))
        for _ in range(1_000):
            if venue.hub.wanted:
                break
            await asyncio.sleep(0.005)
        venue.player.begin.set()
        return venue, listener, sent

    return listen


async def test_swallowed_messages_are_missed(listening):
    venue, listener, sent = await listening({"swallow": {"on": TRADES, "after": 5, "count": 3}})
    await venue.advance(2 * SECOND)
    await listener.gets(17)
    assert listener.ids() == [1, 2, 3, 4, 5, *range(9, 21)]
    assert [each.missed for each in sent].index(True) == 5
    assert sum(each.missed for each in sent) == 3


async def test_doubled_and_exchanged_messages(listening):
    venue, listener, _ = await listening(
        {"duplicate": {"on": "btcusdt@*", "after": 2, "count": 2}}, {"reorder": {"on": TRADES, "after": 5}}
    )
    await venue.advance(SECOND)
    await listener.gets(12)
    assert listener.ids() == [1, 2, 3, 3, 4, 4, 5, 7, 6, 8, 9, 10]


async def test_what_is_held_back_goes_when_nothing_follows(listening):
    venue, listener, _ = await listening({"reorder": {"on": TRADES, "after": 9}})
    await venue.advance(SECOND)
    await listener.gets(10)
    assert listener.ids() == list(range(1, 11))


async def test_a_cut_line_is_1006_and_what_follows_is_missed(listening, http):
    venue, listener, sent = await listening({"close": {"at": "1s"}})
    await venue.advance(2 * SECOND)
    await asyncio.wait_for(listener.task, 10)
    assert listener.socket.close_code == 1006
    assert listener.ids() == list(range(1, len(listener.read) + 1))
    assert [each.missed for each in sent] == [False] * len(listener.read) + [True] * (20 - len(listener.read))
    again = Listener(await http.ws_connect(f"{venue.url}/public/ws/{TRADES}"))
    await asyncio.sleep(0.05)
    await venue.advance(SECOND)
    await again.gets(10)
    assert again.ids() == list(range(21, 31))
    assert len(sent) == 30


async def test_a_goodbye_has_its_code(listening):
    venue, listener, _ = await listening({"close": {"at": "1s", "code": 1012}})
    await venue.advance(2 * SECOND)
    await asyncio.wait_for(listener.task, 10)
    assert listener.socket.close_code == 1012


async def test_only_lines_of_an_address_are_cut(listening, http):
    venue, listener, _ = await listening()
    other = Listener(await http.ws_connect(f"{venue.url}/market/ws/btcusdt@markPrice@1s"))
    await asyncio.sleep(0.05)
    venue.faults.add({"close": {"path": "market"}}, 0)
    await asyncio.wait_for(other.task, 10)
    await venue.advance(SECOND)
    await listener.gets(10)


async def test_a_half_open_line_gives_nothing_and_answers_nothing(listening):
    venue, listener, sent = await listening({"half_open": {"at": "1s"}})
    await venue.advance(3 * SECOND)
    await listener.gets(len(sent) - sum(each.missed for each in sent))
    assert 9 <= len(listener.read) <= 10
    assert sum(each.missed for each in sent) == 30 - len(listener.read)
    await listener.socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
    await listener.socket.ping()
    await asyncio.sleep(0.1)
    assert not listener.task.done()
    assert len(listener.read) <= 10
    await listener.socket.close()
    await asyncio.sleep(0.05)
    await venue.advance(SECOND)
    assert sum(each.missed for each in sent) == 40 - len(listener.read)


async def test_late_streams_stay_in_order(listening):
    venue, listener, _ = await listening({"delay": {"on": TRADES, "by": "200ms", "for": "500ms"}})
    began = time.monotonic()
    await venue.advance(SECOND)
    await listener.gets(10)
    assert time.monotonic() - began >= 0.2
    assert listener.ids() == list(range(1, 11))


@pytest.mark.parametrize("stream", ["btcusdt@depth@0ms", "btcusdt@depth@100ms", "btcusdt@depth", "btcusdt@depth@500ms"])
async def test_a_book_gap_is_in_every_depth_stream(listening, stream):
    venue, listener, _ = await listening({"book_gap": {"symbol": "BTCUSDT", "at": "3s"}}, streams=stream)
    await venue.advance(6 * SECOND)
    await listener.gets(venue.hub.sent)
    gaps = [after["pu"] - before["u"] for before, after in itertools.pairwise(listener.read)]
    assert sum(gap != 0 for gap in gaps) == 1


async def test_chance_is_the_seeds(listening):
    fault = {"swallow": {"on": TRADES, "count": "all", "chance": 0.3}}
    seen = []
    for seed in (1, 1, 2):
        venue, listener, _ = await listening(fault, seed=seed)
        await venue.advance(10 * SECOND)
        await listener.gets(venue.hub.sent)
        seen.append(listener.ids())
    assert seen[0] == seen[1] != seen[2]
    assert 50 < len(seen[0]) < 90


async def test_a_bad_day_is_the_seeds(listening):
    told = []
    for seed in (5, 5, 6):
        venue, _, _ = await listening(seed=seed, bad_day="5s")
        await venue.advance(60 * SECOND)
        told.append([each["fault"] for each in venue.faults.told()])
    assert told[0] == told[1] != told[2]
    assert len(told[0]) > 4

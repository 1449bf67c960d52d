"""The raw recording as the market: nothing of it is changed, and what a client misses is what the log says."""

from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path

import aiohttp
import pytest

from quantmind.errors import QuantMindError
from quantmind.market.book import BookGap, OrderBook
from quantmind_binance.recording import Recording
from quantmind_binance.wire import BookTicker, DepthUpdate, Snapshot, TradeTick, plain, snapshot
from quantmind_venue.options import VenueOptions
from quantmind_venue.server import Venue

STREAMS = ["btcusdt@bookTicker", "btcusdt@trade", "btcusdt@depth@0ms"]
SECOND = 1_000_000_000


class Client:
    """Reads streams into a list, and keeps a book."""

    def __init__(self, http, venue, streams):
        self.http, self.venue, self.streams = http, venue, streams
        self.read = []
        self.lost = asyncio.Event()
        self.book = OrderBook("BTC/USDT:USDT")
        self.tops, self.quotes = {}, {}

    async def connect(self):
        self.lost.clear()
        self.socket = await self.http.ws_connect(self.venue.url + "/public/ws/0", max_msg_size=1 << 24)
        await self.socket.send_json({"method": "SUBSCRIBE", "params": self.streams, "id": 1})
        assert await self.socket.receive_json() == {"result": None, "id": 1}
        async with self.http.get(f"{self.venue.url}/fapi/v1/depth?symbol=BTCUSDT&limit=1000") as answer:
            found = snapshot.decode(await answer.read())
        self.book.snapshot(found.T, found.lastUpdateId, *found.levels())
        self.task = asyncio.create_task(self.listen())

    async def listen(self):
        async for message in self.socket:
            self.read.append(message.data)
            self.take(plain.decode(message.data))
        self.lost.set()

    def take(self, message):
        if isinstance(message, DepthUpdate):
            if self.book.update(message.change()):
                self.tops[message.u] = (*self.book.best_bid, *self.book.best_ask)
        elif isinstance(message, BookTicker):
            self.quotes[message.u] = tuple(map(float, (message.b, message.B, message.a, message.A)))

    async def caught_up(self, count):
        for _ in range(2_000):
            if len(self.read) >= count:
                break
            await asyncio.sleep(0.005)
        assert len(self.read) == count

    def shared(self):
        return self.quotes.keys() & self.tops.keys()


async def held(venues, **options):
    """Start a venue that plays when it is told to."""
    return await venues(hold="told", speed="virtual", **options)


@pytest.mark.slow
async def test_the_book_of_a_client_is_the_book_ticker_at_every_shared_number(venues, http, recording):
    venue = await held(venues, recording=recording)
    client = Client(http, venue, STREAMS)
    await client.connect()
    venue.player.begin.set()
    await venue.advance(400 * SECOND)
    assert venue.player.ended.is_set()
    await client.caught_up(93_901)
    shared = client.shared()
    assert len(shared) == 629
    assert all(client.quotes[number] == client.tops[number] for number in shared)
    assert len(client.tops) == 6_547
    assert (venue.board.gaps, client.book.crossed) == (0, False)
    ids = [message.t for message in map(plain.decode, client.read) if isinstance(message, TradeTick)]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


@pytest.mark.slow
async def test_a_lost_connection_loses_exactly_what_is_sent_meanwhile(venues, http, recording):
    sent = []
    venue = await held(venues, recording=recording, sent=sent)
    client = Client(http, venue, STREAMS)
    await client.connect()
    venue.player.begin.set()
    venue.faults.add({"close": {"on": "btcusdt@trade", "after": 2_000}}, 0)
    await venue.advance(100 * SECOND)
    await asyncio.wait_for(client.lost.wait(), 10)
    first = len(client.read)
    missed = [each for each in sent if each.missed]
    assert client.socket.close_code == 1006
    assert first == len(sent) - len(missed)
    assert len(missed) > 1_000
    assert {each.stream for each in missed} == set(STREAMS)
    await client.connect()
    await venue.advance(300 * SECOND)
    went = [each.payload for each in sent if not each.missed]
    await client.caught_up(len(went))
    # Every message once, in order; what is missing is what the log calls missed, and nothing else.
    assert [text.encode() for text in client.read] == went
    assert len(sent) == 93_901
    ids = [plain.decode(each.payload).t for each in sent if each.stream == "btcusdt@trade"]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    read = [plain.decode(text).t for text in client.read if '"e":"trade"' in text]
    assert len(read) == len(set(read)) == len(ids) - sum(each.stream == "btcusdt@trade" for each in missed)
    # The trades it missed are to be had by their ids.
    lost = [plain.decode(each.payload).t for each in missed if each.stream == "btcusdt@trade"]
    rows = []
    while len(rows) < len(lost):
        url = f"{venue.url}/fapi/v1/historicalTrades?symbol=BTCUSDT&limit=500&fromId={lost[0] + len(rows)}"
        async with http.get(url, headers={"X-MBX-APIKEY": venue.options.key}) as answer:
            rows += await answer.json()
    assert [row["id"] for row in rows][: len(lost)] == lost
    assert all(client.quotes[number] == client.tops[number] for number in client.shared())


async def test_messages_pass_as_they_are_when_times_are_kept(venues, http, recording):
    venue = await held(venues, recording=recording, times="recorded")
    client = Client(http, venue, STREAMS)
    await client.connect()
    venue.player.begin.set()
    await venue.advance(SECOND)
    await client.caught_up(venue.hub.sent)
    lines = list(itertools.islice(Recording(recording).lines(), 55 + len(client.read)))
    (place,) = (number for number, line in enumerate(lines) if isinstance(line.message, Snapshot))
    last = lines[place].message.lastUpdateId
    # Changes that were read just before the snapshot, and belong after it, are the first.
    kept = [line for line in lines[:place] if isinstance(line.message, DepthUpdate) and line.message.u >= last]
    raws = [json.loads(line.raw)["data"] for line in (*kept, *lines[place + 1 :])]
    assert [json.loads(text) for text in client.read] == raws[: len(client.read)]
    assert abs(venue.clock.now() - json.loads(client.read[-1])["E"]) < 1_000


async def test_moved_times_begin_with_the_venue_and_are_never_of_the_future(venues, http, recording):
    kept = await held(venues, recording=recording, times="recorded")
    moved = await held(venues, recording=recording)
    clients = [Client(http, venue, STREAMS) for venue in (kept, moved)]
    for client in clients:
        await client.connect()
        client.venue.player.begin.set()
        await client.venue.advance(SECOND)
        await client.caught_up(client.venue.hub.sent)
    first, second = ([json.loads(text) for text in client.read] for client in clients)
    shift = {after["E"] - before["E"] for before, after in zip(first, second, strict=False)}
    assert len(shift) == 1
    assert shift == {after["T"] - before["T"] for before, after in zip(first, second, strict=False)}
    for before, after in zip(first, second, strict=False):
        assert {**after, "E": 0, "T": 0, "ps": 0, "st": 0} == {**before, "E": 0, "T": 0, "ps": 0, "st": 0}
    assert moved.clock.start // 1_000_000 - 1_000 < second[0]["E"] <= second[-1]["E"] <= moved.clock.now()


@pytest.mark.parametrize(("speed", "every"), [("@100ms", 100), ("", 250), ("@500ms", 500)])
async def test_gathered_depth_streams_are_chained_and_lead_to_the_same_book(venues, http, recording, speed, every):
    sent = []
    venue = await held(venues, recording=recording, times="recorded", sent=sent)
    client = Client(http, venue, [f"btcusdt@depth{speed}"])
    await client.connect()
    venue.player.begin.set()
    await venue.advance(10 * SECOND)
    await client.caught_up(venue.hub.sent)
    updates = [plain.decode(text) for text in client.read]
    assert len(updates) > 15
    for before, after in itertools.pairwise(updates):
        assert after.pu == before.u
        assert after.u >= after.U
    stamps = [update.E for update in updates]
    assert all(stamp % every == 0 for stamp in stamps)
    venue.board.flush(every, venue.clock.now())
    await client.caught_up(venue.hub.sent)
    own = venue.board.pits["BTCUSDT"].book
    assert client.book.last == own.last
    assert client.book.bids(200) == own.bids(200)
    assert client.book.asks(200) == own.asks(200)


@pytest.mark.parametrize("later", [0.0, 0.3, 2.05, 7.77])
async def test_a_snapshot_is_bridged_at_any_moment(venues, http, recording, later):
    """Binance's own rule, to the letter: the first change that is kept contains the snapshot's number."""
    venue = await held(venues, recording=recording)
    venue.player.begin.set()
    await venue.advance(int(later * SECOND))
    socket = await http.ws_connect(venue.url + "/public/ws")
    await socket.send_json({"method": "SUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": 1})
    await socket.receive_json()
    await venue.advance(SECOND // 4)
    async with http.get(f"{venue.url}/fapi/v1/depth?symbol=BTCUSDT&limit=1000") as answer:
        last = (await answer.json())["lastUpdateId"]
    await venue.advance(SECOND)
    kept = []
    while len(kept) < 3:
        update = plain.decode((await socket.receive()).data)
        if update.u >= last:
            kept.append(update)
    assert kept[0].U <= last <= kept[0].u
    assert kept[1].pu == kept[0].u


async def test_a_book_gap_is_seen_by_who_checks_and_healed_by_a_snapshot(venues, http, recording):
    venue = await held(venues, recording=recording)
    client = Client(http, venue, ["btcusdt@depth@0ms"])
    await client.connect()
    venue.player.begin.set()
    await venue.advance(SECOND)
    await client.caught_up(venue.hub.sent)
    venue.faults.add({"book_gap": {"symbol": "BTCUSDT"}}, venue.clock.ns())
    await venue.advance(SECOND)
    with pytest.raises(BookGap):
        await client.task


def test_a_recording_that_cannot_be_played_is_named(tmp_path):
    nothing = tmp_path / "nothing.gz"
    nothing.write_text("not a recording\n")
    with pytest.raises(QuantMindError, match=r"nothing\.gz: line 1"):
        Venue(VenueOptions(recording=nothing))
    with pytest.raises(QuantMindError, match="no such file"):
        Venue(VenueOptions(recording=Path("/no/such/file.gz")))
    two = tmp_path / "two.gz"
    with two.open("wb") as file:
        for spelling in (b"BTCUSDT", b"ETHUSDT"):
            file.write(
                b'1723161255030314667 {"stream":"x@bookTicker","data":{"e":"bookTicker","u":1,"s":"%b","b":"1","B":"1",'
                b'"a":"2","A":"1","T":1723161255030,"E":1723161255031}}\n' % spelling
            )
    with pytest.raises(QuantMindError, match="must be of one contract, was of BTC/USDT:USDT, ETH/USDT:USDT"):
        Venue(VenueOptions(recording=two))


async def test_the_fastest_pace_loses_nothing(venues, recording):
    sent = []
    venue = await venues(recording=recording, speed="max", sent=sent)
    async with aiohttp.ClientSession() as http:
        socket = await http.ws_connect(venue.url + "/public/stream?streams=btcusdt@trade")
        count = 0
        while not venue.player.ended.is_set() or count < len(sent):
            message = await asyncio.wait_for(socket.receive_json(), 10)
            assert message["stream"] == "btcusdt@trade"
            count += 1
        assert count == len(sent) == 21_308

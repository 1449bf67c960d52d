from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from typing import Any

import nats
import pytest

import quantmind_nats
from quantmind.errors import QuantMindError
from quantmind.events import Quote
from quantmind.kinds.transport import OBSERVER, STAGES, TOPICS
from quantmind.testing import StageEnd, meet, until
from quantmind_nats.options import NATSOptions
from quantmind_nats.outbox import Outbox
from quantmind_nats.transport import NATS

SYMBOL = "BTC/USDT:USDT"
QUOTE = Quote(SYMBOL, 1, 1.0, 2.0, 1.0, 1.0)


def transport(url: str, stage: str, **options: Any) -> NATS:
    made = NATS(NATSOptions(url=url, **options), "demo", stage)
    made.lossless = False
    return made


def end(url: str, stage: str, *, live: bool = True, **options: Any) -> StageEnd:
    return StageEnd(transport(url, stage, **options), lossless=not live)


def test_it_is_registered_and_its_import_brings_no_nats():
    assert quantmind_nats.register_components() == [NATS]
    assert NATS.name == "nats"
    assert NATS.summary()
    code = "import sys, quantmind_nats; sys.exit('nats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_unknown_stage_and_a_name_that_is_no_subject_are_refused():
    with pytest.raises(QuantMindError, match="no stage is called 'risk'"):
        transport("nats://127.0.0.1", "risk")
    with pytest.raises(QuantMindError, match=r"'a\.b' cannot be part of a subject"):
        NATS(NATSOptions(), "a.b", "feed")


@pytest.mark.parametrize("live", [True, False], ids=["live", "replay"])
@pytest.mark.parametrize("jetstream", [True, False], ids=["jetstream", "plain"])
async def test_every_stage_hears_the_others_in_order(make_nats_server, live, jetstream, caplog):
    url = make_nats_server(jetstream=jetstream).url
    ends = {stage: end(url, stage, live=live) for stage in ("execution", "feed", "strategy", "sink")}
    async with contextlib.AsyncExitStack() as stack:
        for each in ends.values():
            await stack.enter_async_context(each)
        if live and jetstream:
            # Who reads what is stored is there a little later.
            await meet(*ends.values())
        for number in range(4 * 4 * 200):
            ends[STAGES[number % 4]].send(TOPICS[number // 4 % 4], QUOTE)
        for each in ends.values():
            await each.transport.drained()
        for each in ends.values():
            last = {
                (other.stage, topic, other.said[topic]) for other in ends.values() for topic in TOPICS if other != each
            }
            await until(lambda each=each, last=last: last <= {(f.stage, f.topic, f.sequence) for f in each.heard})
            assert not each.noticed
        assert not any(each.transport.figures["dropped_frames"] for each in ends.values())
    warned = [record.message for record in caplog.records if "no JetStream" in record.message]
    assert len(warned) == (live and not jetstream)


async def test_facts_survive_the_death_of_the_server_and_gaps_in_the_market_are_seen(nats_server):
    feed, execution = end(nats_server.url, "feed", buffer=100), end(nats_server.url, "execution")
    async with feed, execution, end(nats_server.url, "sink") as sink:
        await meet(execution, sink)
        first = execution.said["facts"]

        async def load(count: int) -> None:
            for _ in range(count):
                feed.send("market", QUOTE)
                execution.send("facts", QUOTE, id=f"account-{execution.said['facts'] + 1}")
                await asyncio.sleep(0.001)

        for deaths in (1, 2):
            await load(300)
            loading = asyncio.create_task(load(500))
            await asyncio.sleep(0.1)
            nats_server.kill()
            await loading
            nats_server.start()
            # What is published before a reader is back does not reach it, unless it is a fact.
            await until(lambda deaths=deaths: sink.transport.figures["reconnects"] == deaths)
            await feed.transport.drained()
            await load(100)
        await execution.transport.drained()
        total = execution.said["facts"]
        assert total == first + 1_800
        await until(lambda: sink.numbers("execution", "facts")[-1] == total)
        await until(lambda: sink.numbers("feed", "market")[-1] == feed.said["market"])
        facts = sink.numbers("execution", "facts")
        assert facts == list(range(first + 1, total + 1))
        market = sink.numbers("feed", "market")
        lost = feed.said["market"] - len(market)
        assert lost >= feed.transport.figures["dropped_frames"] > 0
        assert sink.noticed == {("gap", "feed"): lost - (market[0] - 1)}
        assert feed.transport.figures["reconnects"] == 2
        assert execution.transport.figures["unacknowledged_facts"] == 0
        assert execution.transport.figures["dropped_facts"] == 0


async def test_a_reader_that_was_cut_off_reads_on_where_it_was(nats_server):
    pipes: list[asyncio.StreamWriter] = []

    async def relay(here: asyncio.StreamReader, there: asyncio.StreamWriter) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", nats_server.port)
        pipes.extend((there, writer))

        async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while data := await source.read(65_536):
                    if not cut.is_set():
                        target.write(data)

        await asyncio.gather(copy(here, writer), copy(reader, there))

    cut = asyncio.Event()
    between = await asyncio.start_server(relay, "127.0.0.1", 0)
    url = f"nats://127.0.0.1:{between.sockets[0].getsockname()[1]}"
    try:
        async with end(nats_server.url, "execution") as execution, end(url, "sink") as sink:
            await meet(execution, sink)
            # The host is silent, and its connections stay as they are: only unanswered questions tell.
            cut.set()
            for _ in range(200):
                execution.send("facts", QUOTE)
            await execution.transport.drained()
            await until(lambda: sink.transport._connection.session is None)
            cut.clear()
            await until(lambda: sink.numbers("execution", "facts")[-1:] == [execution.said["facts"]])
            await until(lambda: sink.transport.figures["reconnects"] == 1)
        assert not sink.noticed
    finally:
        between.close()
        for pipe in pipes:
            pipe.close()
        await asyncio.sleep(0.05)


async def test_the_same_fact_is_stored_once(nats_server):
    async with end(nats_server.url, "execution") as execution, end(nats_server.url, "sink") as sink:
        await meet(execution, sink)
        frame = execution.frame("facts", QUOTE)
        for _ in range(3):
            execution.transport.publish("facts", frame, "account-7")
        await execution.transport.drained()
        execution.transport.publish("facts", execution.frame("facts", QUOTE))
        await until(lambda: sink.numbers("execution", "facts")[-1:] == [execution.said["facts"]])
        assert len(sink.heard) == 2
        assert not sink.noticed


async def test_who_reads_facts_may_come_before_who_stores_them(nats_server):
    async with end(nats_server.url, "sink") as sink:
        await asyncio.sleep(0.3)
        async with end(nats_server.url, "execution") as execution:
            for _ in range(100):
                execution.send("facts", QUOTE)
            await until(lambda: sink.numbers("execution", "facts")[-1:] == [100])
        assert sink.numbers("execution", "facts") == list(range(1, 101))
        assert not sink.noticed


async def test_last_words_are_kept_over_restarts_of_server_and_stage(nats_server):
    words = {SYMBOL: b"old", "ETH/USDT:USDT": b"ether", "": b"nothing", "ü.*>": b"odd"}
    async with transport(nats_server.url, "execution") as execution:
        assert list(await execution.kept("strategy")) == []
        async with transport(nats_server.url, "strategy") as strategy:
            for key, word in words.items():
                strategy.keep(key, word)
            await strategy.drained()
            strategy.keep(SYMBOL, b"newer")
            nats_server.kill()
            strategy.keep(SYMBOL, b"newest")
            nats_server.start()
            await strategy.drained()
        async with transport(nats_server.url, "execution") as late:
            assert sorted(await late.kept("strategy")) == sorted([b"newest", b"ether", b"nothing", b"odd"])
            assert list(await late.kept("sink")) == []


async def test_without_jetstream_nothing_is_kept(make_nats_server):
    url = make_nats_server(jetstream=False).url
    async with transport(url, "strategy") as strategy, transport(url, "execution") as execution:
        strategy.keep(SYMBOL, b"word")
        await strategy.drained()
        assert list(await execution.kept("strategy")) == []


async def test_in_a_replay_nothing_is_dropped_while_the_server_is_away(nats_server):
    feed, strategy = end(nats_server.url, "feed", live=False, buffer=10), end(nats_server.url, "strategy", live=False)
    async with feed, strategy:
        feed.send("market", QUOTE)
        await feed.transport.drained()
        await until(lambda: strategy.numbers("feed", "market") == [1])
        nats_server.kill()
        await until(lambda: feed.transport._connection.session is None)
        for _ in range(1_000):
            feed.send("market", QUOTE)
        waiting = asyncio.create_task(feed.transport.drained())
        await asyncio.sleep(0.2)
        assert not waiting.done()
        nats_server.start()
        async with asyncio.timeout(20):
            await waiting
        assert feed.transport.figures["dropped_frames"] == 0
        assert feed.transport.figures["reconnects"] == 1


async def test_garbage_on_a_subject_is_counted_and_passed_over(nats_server):
    async with end(nats_server.url, "feed") as feed, end(nats_server.url, "strategy") as strategy:
        client = await nats.connect(nats_server.url)
        whole = feed.frame("market", QUOTE)
        for rubbish in (b"", b"\xff" * 1_000, whole[:-3], b"\x93\x01\x02", b"hello"):
            await client.publish("quantmind.demo.feed.market", rubbish)
            await client.publish("quantmind.demo.feed.unheard_of", rubbish, headers={"a": "b"})
        await client.flush()
        await client.close()
        feed.transport.publish("market", whole)
        await until(lambda: strategy.numbers("feed", "market") == [1])
        assert strategy.noticed == {("bad_frame", "feed"): 10}


async def test_a_frame_that_is_too_large_is_refused_with_the_limit(nats_server):
    async with transport(nats_server.url, "feed") as feed:
        with pytest.raises(QuantMindError, match=r"1100000 bytes is larger than the server takes \(1048064\)"):
            feed.publish("market", bytes(1_100_000))
        feed.publish("market", bytes(1_048_064))
        await feed.drained()


async def test_an_observer_only_listens(nats_server):
    async with (
        end(nats_server.url, "execution") as execution,
        end(nats_server.url, OBSERVER) as first,
        end(nats_server.url, OBSERVER) as second,
    ):
        with pytest.raises(QuantMindError, match="only listens"):
            first.send("operations", QUOTE)
        execution.send("facts", QUOTE)
        await until(lambda: first.heard and second.heard)


async def test_a_server_that_is_away_is_waited_for_and_then_named(make_nats_server):
    nats_server = make_nats_server(start=False)
    with pytest.raises(QuantMindError, match=rf"{nats_server.url}: .*: start a nats-server there") as caught:
        await transport(nats_server.url, "feed", connect_timeout="300ms").open()
    assert "\n" not in str(caught.value)
    feed = transport(nats_server.url, "feed")
    opening = asyncio.create_task(feed.open())
    await asyncio.sleep(0.3)
    nats_server.start()
    async with asyncio.timeout(20):
        await opening
    await feed.close()


async def test_what_does_not_speak_nats_is_named():
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n")
        writer.close()

    other = await asyncio.start_server(greet, "127.0.0.1", 0)
    url = f"nats://127.0.0.1:{other.sockets[0].getsockname()[1]}"
    with pytest.raises(QuantMindError, match=url):
        await transport(url, "feed", connect_timeout="300ms").open()
    other.close()


def test_publishing_needs_an_open_transport():
    with pytest.raises(QuantMindError, match="while the transport is open"):
        transport("nats://127.0.0.1", "feed").publish("market", b"")


def test_the_outbox_gives_up_the_oldest_market_frame_first():
    outbox = Outbox(3)
    outbox.lossless = False
    for number in range(4):
        outbox.put("m", b"m%d" % number, True)
        outbox.put("f", b"f%d" % number, False)
    sent = []
    while (head := outbox.head()) is not None:
        sent.append(head[1])
        outbox.take(head[1])
    assert sent == [b"f1", b"f2", b"f3"]
    assert outbox.dropped == 5
    assert outbox.empty.is_set()

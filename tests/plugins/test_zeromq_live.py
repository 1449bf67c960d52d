"""Live over ZeroMQ: who does not read, is killed or talks nonsense holds up nobody and costs no memory."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest
import zmq

from quantmind.errors import QuantMindError
from quantmind.events import Quote
from quantmind.events.codec import MAX_FRAME
from quantmind.kinds.transport import OBSERVER
from quantmind.testing import StageEnd, until
from quantmind_zeromq.options import ZeroMQOptions
from quantmind_zeromq.transport import ZeroMQ

MEGABYTE = 1 << 20
BTC = "BTC/USDT:USDT"

RECEIVE = """
import asyncio
from quantmind_zeromq.options import ZeroMQOptions
from quantmind_zeromq.transport import ZeroMQ
async def main():
    count = 0
    def handle(stage, frame):
        nonlocal count
        count += 1
        if count == 1 or count % 1000 == 0:
            print(count, flush=True)
    made = ZeroMQ(ZeroMQOptions(endpoint={endpoint!r}, high_water_mark=100), "test", {stage!r})
    made.lossless = False
    made.subscribe(("feed",), handle)
    async with made:
        await asyncio.Event().wait()
asyncio.run(main())
"""

SEND = """
import asyncio, itertools
from quantmind.events import Quote
from quantmind.testing import StageEnd
from quantmind_zeromq.options import ZeroMQOptions
from quantmind_zeromq.transport import ZeroMQ
async def main():
    async with StageEnd(ZeroMQ(ZeroMQOptions(endpoint={endpoint!r}), "test", "feed")) as feed:
        for number in itertools.count(1):
            feed.send("market", Quote({symbol!r}, number, 1.0, 2.0, 1.0, 1.0))
            feed.send("operations", Quote({symbol!r}, number, 3.0, 4.0, 1.0, 1.0))
            await asyncio.sleep(0.001)
asyncio.run(main())
"""


@pytest.fixture(params=["tcp", "ipc"])
def endpoint(request, tmp_path, free_ports):
    return f"tcp://127.0.0.1:{free_ports}" if request.param == "tcp" else f"ipc://{tmp_path}/bus"


def transport(endpoint, stage, *peers, handler=None, mark=100):
    made = ZeroMQ(ZeroMQOptions(endpoint=endpoint, high_water_mark=mark), "test", stage)
    made.lossless = False
    if peers:
        made.subscribe(peers, handler)
    return made


def hello(publisher):
    """Return what says hello."""
    return lambda: publisher.publish("market", b"hello")


def memory():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextlib.asynccontextmanager
async def process(script, **values):
    made = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script.format(**values), stdout=asyncio.subprocess.PIPE
    )
    try:
        yield made
    finally:
        with contextlib.suppress(ProcessLookupError):
            made.kill()
        await made.communicate()


async def publish_until(line, feed):
    """Publish until a process has something to say; returns it."""
    reading = asyncio.ensure_future(line)
    await until(reading.done, act=hello(feed))
    return reading.result()


@pytest.mark.slow
def test_a_stopped_subscriber_holds_up_nobody_and_is_found_again(endpoint):
    size, frames = 50_000, 4_000

    async def main():
        heard = []
        async with (
            transport(endpoint, "feed") as feed,
            transport(endpoint, "sink", "feed", handler=lambda _, frame: heard.append(len(frame)), mark=10_000),
            process(RECEIVE, endpoint=endpoint, stage="strategy") as stopped,
        ):
            await publish_until(stopped.stdout.readline(), feed)
            await until(lambda: bool(heard), act=hello(feed))
            os.kill(stopped.pid, signal.SIGSTOP)
            heard.clear()
            before = memory()
            for number in range(frames):
                feed.publish("market", bytes(size))
                await feed.drained()
                # As slowly as the one who reads can follow: its own high-water mark is not what is tried.
                await until(lambda least=number - 20: heard.count(size) >= least)
            await until(lambda: heard.count(size) == frames)
            assert feed.figures["waiting_frames"] == 0
            # 200 MB went by; about 100 frames wait for the stopped one, and what the system holds.
            assert memory() - before < 60 * MEGABYTE
            os.kill(stopped.pid, signal.SIGCONT)
            await publish_until(stopped.stdout.readline(), feed)

    asyncio.run(main())


def test_what_nobody_hears_takes_no_memory(endpoint):
    async def main():
        async with transport(endpoint, "feed", mark=100_000) as feed:
            frame = bytes(MEGABYTE)
            before = memory()
            for _ in range(2_000):
                feed.publish("market", frame)
            await feed.drained()
            assert memory() - before < 50 * MEGABYTE

    asyncio.run(main())


def test_a_killed_feed_is_heard_again_in_order_with_its_restart_told(endpoint):
    async def main():
        async with StageEnd(transport(endpoint, "strategy", mark=10_000)) as strategy:
            for start in range(3):
                strategy.heard.clear()
                async with process(SEND, endpoint=endpoint, symbol=BTC):
                    await until(lambda: len(strategy.heard) > 100)
                # Who joins a new start late has missed its first frames, and is told so.
                assert {what for what, _ in strategy.noticed} <= {"restart", "gap"}
                assert strategy.noticed["restart", "feed"] == start
                for topic in ("market", "operations"):
                    numbers = strategy.numbers("feed", topic)
                    # Those that joined late begin later, and then none is left out.
                    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) or start

    asyncio.run(main())


def test_a_killed_subscriber_costs_the_others_nothing(endpoint):
    async def main():
        heard = []
        async with (
            transport(endpoint, "feed") as feed,
            transport(endpoint, "sink", "feed", handler=lambda _, frame: heard.append(frame), mark=10_000),
        ):
            for _ in range(2):
                async with process(RECEIVE, endpoint=endpoint, stage="strategy") as killed:
                    await publish_until(killed.stdout.readline(), feed)
                    killed.kill()
                    before = len(heard)
                    await until(lambda before=before: len(heard) > before + 50, act=hello(feed))

    asyncio.run(main())


def test_an_observer_binds_nothing_and_may_be_there_several_times(endpoint):
    async def main():
        heard = [set(), set(), set()]
        async with contextlib.AsyncExitStack() as stack:
            for one in heard:
                made = transport(endpoint, OBSERVER, "feed", "sink", handler=lambda stage, _, one=one: one.add(stage))
                await stack.enter_async_context(made)
                with pytest.raises(QuantMindError, match="observer publishes nothing"):
                    made.publish("market", b"1")
            feed = await stack.enter_async_context(transport(endpoint, "feed"))
            sink = await stack.enter_async_context(transport(endpoint, "sink"))
            await until(lambda: all("feed" in one for one in heard), act=hello(feed))
            await until(lambda: all("sink" in one for one in heard), act=hello(sink))

    asyncio.run(main())


def test_garbage_is_counted_and_what_is_right_goes_on(free_ports):
    endpoint = f"tcp://127.0.0.1:{free_ports}"

    async def main():
        speaker = StageEnd(transport(endpoint, "feed"))
        whole = [speaker.frame("market", Quote(BTC, 1, 1.0, 2.0, 1.0, 1.0)) for _ in range(3)]
        context = zmq.Context()
        stranger = context.socket(zmq.PUB)
        stranger.setsockopt(zmq.LINGER, 0)
        stranger.bind(endpoint)
        try:
            async with StageEnd(transport(endpoint, "strategy", mark=10_000)) as strategy:
                await until(lambda: strategy.heard, act=lambda: stranger.send(whole[0]))
                for data in (b"", b"garbage", whole[1][:-1], os.urandom(200)):
                    stranger.send(data)
                stranger.send_multipart([b"market", b"\xff" * 10, b""])
                stranger.send(whole[1])
                await until(lambda: len(strategy.heard) == 2)
                assert strategy.noticed["bad_frame", "feed"] == 7
                # Whoever sends too much is cut off, and may come again.
                stranger.send(bytes(MAX_FRAME + 1))
                await asyncio.sleep(0.05)
                await until(lambda: len(strategy.heard) == 3, act=lambda: stranger.send(whole[2]))
        finally:
            stranger.close()
            context.term()

    asyncio.run(main())


def test_nonsense_sent_to_a_publisher_is_counted_and_harms_nobody(free_ports):
    endpoint = f"tcp://127.0.0.1:{free_ports}"

    async def main():
        heard = []
        async with (
            transport(endpoint, "feed") as feed,
            transport(endpoint, "sink", "feed", handler=lambda _, frame: heard.append(frame)),
        ):
            for _ in range(5):
                with socket.create_connection(("127.0.0.1", free_ports), 5) as plain:
                    plain.sendall(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n" * 20)
                    await asyncio.sleep(0.02)
            context = zmq.Context()
            stranger = context.socket(zmq.XSUB)
            stranger.setsockopt(zmq.LINGER, 0)
            stranger.connect(endpoint)
            for size in (0, 10, 1_000, 100_000):
                stranger.send(b"\x02" * size)
            await until(lambda: len(heard) > 50, act=hello(feed))
            stranger.close()
            context.term()
            await until(lambda: feed.figures["handshake_failures"] >= 1, act=hello(feed))

    asyncio.run(main())


def test_closing_live_is_quick_when_one_does_not_read(free_ports):
    endpoint = f"tcp://127.0.0.1:{free_ports}"

    async def main():
        async with process(RECEIVE, endpoint=endpoint, stage="strategy") as stopped:
            feed = transport(endpoint, "feed")
            async with feed:
                await publish_until(stopped.stdout.readline(), feed)
                os.kill(stopped.pid, signal.SIGSTOP)
                for _ in range(300):
                    feed.publish("market", bytes(100_000))
                started = time.monotonic()
            assert time.monotonic() - started < 10

    asyncio.run(main())

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop
import zmq
from pydantic import ValidationError

import quantmind_zeromq
from quantmind.errors import QuantMindError
from quantmind.events.codec import MAX_FRAME
from quantmind.testing import free_port, until
from quantmind_zeromq.transport import ZeroMQ, ZeroMQOptions

HELLO = b"hello"
Runs = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Runs:
    def runs(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(main())

    return runs


@pytest.fixture(params=["tcp", "ipc"])
def endpoint(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"tcp://127.0.0.1:{free_port(4)}" if request.param == "tcp" else f"ipc://{tmp_path}/bus"


@pytest.fixture
def port() -> str:
    return f"tcp://127.0.0.1:{free_port(4)}"


class Inbox:
    """What arrived, without the greetings."""

    def __init__(self) -> None:
        self.joined: set[str] = set()
        self.frames: list[bytes] = []
        self.stages: set[str] = set()

    def __call__(self, stage: str, frame: bytes) -> None:
        self.stages.add(stage)
        if frame == HELLO:
            self.joined.add(stage)
        else:
            self.frames.append(frame)


def transport(
    endpoint: str, stage: str, *peers: str, handler: Any = None, mark: int = 100_000, lossless: bool = True
) -> ZeroMQ:
    made = ZeroMQ(ZeroMQOptions(endpoint=endpoint, high_water_mark=mark), "test", stage)
    made.lossless = lossless
    if peers:
        made.subscribe(peers, handler)
    return made


async def join(publisher: ZeroMQ, *inboxes: Inbox) -> None:
    """Greet until everybody has heard it."""
    for inbox in inboxes:
        inbox.joined.discard(publisher.stage)
    await until(
        lambda: all(publisher.stage in inbox.joined for inbox in inboxes),
        act=lambda: publisher.publish("market", HELLO),
    )


async def is_drained(publisher: ZeroMQ) -> bool:
    """Say whether `drained` would return at once."""
    waiting = publisher.drained()
    try:
        waiting.send(None)
    except StopIteration:
        return True
    waiting.close()
    return False


def numbered(count: int, size: int = 8) -> list[bytes]:
    return [number.to_bytes(8, "big") + bytes(size - 8) for number in range(count)]


@contextlib.contextmanager
def deaf_subscriber(address: str) -> Iterator[None]:
    """A subscriber that never reads."""
    context = zmq.Context()
    deaf = context.socket(zmq.SUB)
    deaf.setsockopt(zmq.RCVHWM, 1)
    deaf.setsockopt(zmq.LINGER, 0)
    deaf.setsockopt(zmq.SUBSCRIBE, b"")
    deaf.connect(address)
    try:
        yield
    finally:
        deaf.close()
        context.term()


async def overfill(publisher: ZeroMQ) -> None:
    """Publish until frames have to wait for the subscriber, and not just for the system."""
    with contextlib.suppress(TimeoutError):
        while True:
            while await is_drained(publisher):
                publisher.publish("market", bytes(100_000))
                await asyncio.sleep(0)
            async with asyncio.timeout(0.2):
                await publisher.drained()
    # The system's buffers grow now and then: more than they ever may.
    for _ in range(300):
        publisher.publish("market", bytes(100_000))


def test_it_is_registered_and_its_import_brings_no_zmq():
    assert quantmind_zeromq.register_components() == [ZeroMQ]
    assert ZeroMQ.name == "zeromq"
    assert ZeroMQ.summary()
    code = "import sys, quantmind_zeromq; sys.exit('zmq' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "endpoint",
    [
        "tcp://0.0.0.0:5555",
        "tcp://*:5555",
        "tcp://192.168.1.7:5555",
        "tcp://[::]:5555",
        "tcp://eth0:5555",
        "tcp://example.org:5555",
        "tcp://127.0.0.1.example.org:5555",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:*",
        "tcp://127.0.0.1:65533",
        "tcp://127.0.0.1:99999",
        "tcp://127.0.0.1:5555\n",
        "tcp://192.168.1.7;127.0.0.1:5555",
        "ipc://relative",
        "ipc://@abstract",
        "ipc://*",
        "ipc:///" + "long/" * 20 + "name",
        "udp://127.0.0.1:5555",
        "pgm://127.0.0.1;239.0.0.1:5555",
        "inproc://bus",
        "",
    ],
)
def test_an_endpoint_beyond_this_machine_or_without_room_is_refused(endpoint):
    with pytest.raises(ValidationError) as caught:
        ZeroMQOptions(endpoint=endpoint)
    (fault,) = caught.value.errors()
    assert fault["loc"] == ("endpoint",)
    assert "must be" in fault["msg"] or "too long" in fault["msg"]


@pytest.mark.parametrize(
    "endpoint",
    ["tcp://127.0.0.1:5555", "tcp://127.9.9.9:65532", "tcp://localhost:1", "ipc:///run/quantmind/btc"],
)
def test_an_endpoint_on_this_machine_is_taken(endpoint):
    assert ZeroMQOptions(endpoint=endpoint).endpoint == endpoint


@pytest.mark.parametrize("mark", [0, -1])
def test_there_is_always_a_high_water_mark(mark):
    with pytest.raises(ValidationError):
        ZeroMQOptions(high_water_mark=mark)


def test_an_unknown_stage_is_refused(port):
    with pytest.raises(QuantMindError, match="no stage is called 'risk'"):
        transport(port, "risk")
    with pytest.raises(QuantMindError, match="feed, strategy, execution, sink"):
        transport(port, "feed", "all", handler=Inbox())


def test_every_stage_hears_those_it_asked_for(run, endpoint):
    async def main() -> None:
        stages = ("feed", "strategy", "execution", "sink")
        inboxes = {stage: Inbox() for stage in stages}
        async with contextlib.AsyncExitStack() as stack:
            opened = {}
            for stage in stages:
                others = tuple(other for other in stages if other != stage)
                made = transport(endpoint, stage, *others, handler=inboxes[stage])
                opened[stage] = await stack.enter_async_context(made)
            for stage, publisher in opened.items():
                await join(publisher, *(inbox for other, inbox in inboxes.items() if other != stage))
                publisher.publish("market", stage.encode())
            await until(lambda: all(len(inbox.frames) == 3 for inbox in inboxes.values()))
        for stage, inbox in inboxes.items():
            assert sorted(inbox.frames) == sorted(other.encode() for other in stages if other != stage)
            assert inbox.stages == set(stages) - {stage}

    run(main)


class Follower(threading.Thread):
    """Subscribes to the feed from an event loop of its own, and takes its time."""

    def __init__(self, endpoint: str, stage: str, count: int, pause: float) -> None:
        super().__init__()
        self.inbox = Inbox()
        self.endpoint, self.stage, self.count, self.pause = endpoint, stage, count, pause

    def run(self) -> None:
        asyncio.run(self.follow())

    def take(self, stage: str, frame: bytes) -> None:
        self.inbox(stage, frame)
        if self.pause and len(self.inbox.frames) % 200 == 0:
            time.sleep(self.pause)

    async def follow(self) -> None:
        async with transport(self.endpoint, self.stage, "feed", handler=self.take, mark=1_000):
            await until(lambda: len(self.inbox.frames) >= self.count)


def test_two_subscribers_get_every_frame_in_order_however_slow_one_is(run, port):
    frames = numbered(200_000, size=100)
    waits = 0

    async def main() -> None:
        nonlocal waits
        async with transport(port, "feed", mark=1_000) as publisher:
            await join(publisher, fast.inbox, slow.inbox)
            for start in range(0, len(frames), 100):
                for frame in frames[start : start + 100]:
                    publisher.publish("market", frame)
                waits += not await is_drained(publisher)
                await publisher.drained()
            await until(lambda: len(slow.inbox.frames) >= len(frames))

    fast, slow = (Follower(port, *who) for who in (("strategy", 200_000, 0), ("execution", 200_000, 0.001)))
    for follower in (fast, slow):
        follower.start()
    try:
        run(main)
    finally:
        for follower in (fast, slow):
            follower.join()
    assert fast.inbox.frames == frames
    assert slow.inbox.frames == frames
    assert waits > 10


def test_a_request_and_its_answer_never_get_stuck(run, endpoint):
    async def main() -> None:
        heard: list[int] = []
        finished = asyncio.Event()
        rounds = 1_000

        def answer(_: str, frame: bytes) -> None:
            if frame != HELLO:
                strategy.publish("market", frame)

        def ask(_: str, frame: bytes) -> None:
            if frame == HELLO:
                return
            heard.append(int(frame))
            if len(heard) == rounds:
                finished.set()
            else:
                feed.publish("market", b"%d" % len(heard))

        greeted = [Inbox(), Inbox()]

        def both(first: Any, second: Any) -> Any:
            return lambda stage, frame: (first(stage, frame), second(stage, frame))

        feed = transport(endpoint, "feed", "strategy", handler=both(greeted[0], ask))
        strategy = transport(endpoint, "strategy", "feed", handler=both(greeted[1], answer))
        async with feed, strategy:
            await join(feed, greeted[1])
            await join(strategy, greeted[0])
            feed.publish("market", b"0")
            async with asyncio.timeout(20):
                await finished.wait()
        assert heard == list(range(rounds))

    run(main)


def test_who_joins_late_misses_only_what_was_said_before(run, endpoint):
    async def main() -> None:
        early, late = Inbox(), Inbox()
        async with transport(endpoint, "strategy", "feed", handler=early):
            await asyncio.sleep(0.02)
            async with transport(endpoint, "feed") as feed:
                await join(feed, early)
                feed.publish("market", b"before")
                await until(lambda: bool(early.frames))
                async with transport(endpoint, "sink", "feed", handler=late):
                    await join(feed, late)
                    for frame in numbered(500):
                        feed.publish("market", frame)
                    await until(lambda: len(late.frames) == 500)
        assert early.frames == [b"before", *numbered(500)]
        assert late.frames == numbered(500)

    run(main)


def test_a_publisher_that_is_started_again_is_found_again(run, endpoint):
    async def main() -> None:
        inbox = Inbox()
        async with transport(endpoint, "strategy", "feed", handler=inbox):
            for start in (b"first", b"second", b"third"):
                async with transport(endpoint, "feed") as feed:
                    await join(feed, inbox)
                    feed.publish("market", start)
                    await until(lambda start=start: start in inbox.frames)
        assert inbox.frames == [b"first", b"second", b"third"]

    run(main)


def test_a_killed_publisher_leaves_its_address_free(run, endpoint):
    script = f"""
import asyncio
from quantmind_zeromq.transport import ZeroMQ, ZeroMQOptions
async def main():
    async with ZeroMQ(ZeroMQOptions(endpoint={endpoint!r}), "test", "feed") as feed:
        print("ready", flush=True)
        while True:
            feed.publish("market", {HELLO!r})
            await asyncio.sleep(0.002)
asyncio.run(main())
"""

    async def main() -> None:
        inbox = Inbox()
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
        try:
            async with transport(endpoint, "strategy", "feed", handler=inbox):
                await until(lambda: "feed" in inbox.joined)
                process.kill()
                await process.communicate()
                async with transport(endpoint, "feed") as feed:
                    await join(feed, inbox)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    run(main)


def test_an_address_in_use_is_named_in_one_line(run, endpoint):
    async def main() -> None:
        inbox = Inbox()
        again = transport(endpoint, "feed", "strategy", handler=Inbox())
        async with (
            transport(endpoint, "feed") as first,
            transport(endpoint, "strategy", "feed", handler=inbox),
        ):
            with pytest.raises(QuantMindError, match="is in use: stop the pipeline") as caught:
                await again.open()
            address = endpoint if endpoint.startswith("tcp") else f"{endpoint}.feed"
            assert address in str(caught.value)
            assert "\n" not in str(caught.value)
            await again.close()
            await join(first, inbox)
        async with again:
            pass

    run(main)


def test_a_path_that_cannot_be_is_named_in_one_line(tmp_path):
    async def main() -> None:
        with pytest.raises(QuantMindError, match=rf"cannot listen on ipc://{tmp_path}/absent/bus\.feed: No such"):
            await transport(f"ipc://{tmp_path}/absent/bus", "feed").open()

    asyncio.run(main())


def test_local_sockets_are_private_and_leave_nothing_behind(run, tmp_path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(f"{tmp_path}/bus.feed")

    async def main() -> None:
        async with transport(f"ipc://{tmp_path}/bus", "feed"):
            (path,) = tmp_path.iterdir()
            assert path.name == "bus.feed"
            assert stat.S_IMODE(path.stat().st_mode) == 0o600

    run(main)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_pyzmq_says_what_to_install(monkeypatch, port):
    monkeypatch.setitem(sys.modules, "zmq", None)
    with pytest.raises(QuantMindError, match="pip install pyzmq"):
        asyncio.run(transport(port, "feed").open())


def test_closing_hands_over_the_last_frames(run, endpoint):
    frames = numbered(20_000, size=100)

    async def main() -> None:
        inbox = Inbox()
        async with transport(endpoint, "strategy", "feed", handler=inbox, mark=1_000):
            async with transport(endpoint, "feed", mark=1_000) as feed:
                await join(feed, inbox)
                for frame in frames:
                    feed.publish("market", frame)
            await until(lambda: len(inbox.frames) >= len(frames))
        assert inbox.frames == frames

    run(main)


def test_closing_is_quick_when_nobody_is_there(run, endpoint):
    async def main() -> None:
        feed = transport(endpoint, "feed", "strategy", "execution", handler=Inbox())
        async with feed:
            for frame in numbered(1_000):
                feed.publish("market", frame)
            await feed.drained()
            started = time.perf_counter()
        assert time.perf_counter() - started < 0.5
        await feed.close()

    run(main)


def test_closing_does_not_wait_for_ever_for_one_who_does_not_read(port, caplog):
    async def main() -> None:
        with deaf_subscriber(port):
            feed = transport(port, "feed", mark=10)
            async with feed:
                await overfill(feed)
                waiting = asyncio.create_task(feed.drained())
                started = time.perf_counter()
            assert time.perf_counter() - started < 3
            await waiting

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())
    assert "were not sent: a subscriber does not read" in caplog.text


def test_drained_returns_when_the_one_who_does_not_read_goes_away(run, port):
    async def main() -> None:
        async with transport(port, "feed", mark=10) as feed:
            with deaf_subscriber(port):
                await overfill(feed)
            async with asyncio.timeout(5):
                await feed.drained()

    run(main)


def test_a_handler_that_raises_costs_one_frame_only(run, port):
    async def main() -> None:
        faults: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["exception"]))
        inbox = Inbox()

        def handler(stage: str, frame: bytes) -> None:
            if frame == b"bad":
                raise ValueError("bad frame")
            inbox(stage, frame)

        async with (
            transport(port, "strategy", "feed", handler=handler),
            transport(port, "feed") as feed,
        ):
            await join(feed, inbox)
            for frame in (b"1", b"bad", b"2", b"bad", b"bad", b"3"):
                feed.publish("market", frame)
            await until(lambda: len(inbox.frames) == 3)
        assert inbox.frames == [b"1", b"2", b"3"]
        assert [str(fault) for fault in faults] == ["bad frame"] * 3

    run(main)


def test_a_flood_leaves_turns_to_others(run, port):
    async def main() -> None:
        inbox = Inbox()
        async with (
            transport(port, "strategy", "feed", handler=inbox),
            transport(port, "feed") as feed,
        ):
            await join(feed, inbox)
            for frame in numbered(30_000):
                feed.publish("market", frame)
            time.sleep(0.1)  # noqa: ASYNC251 - the flood must be there before the loop turns
            most = 0
            async with asyncio.timeout(20):
                while len(inbox.frames) < 30_000:
                    before = len(inbox.frames)
                    await asyncio.sleep(0)
                    most = max(most, len(inbox.frames) - before)
        assert 0 < most <= 2_000
        assert inbox.frames == numbered(30_000)

    run(main)


def test_the_largest_frame_passes_and_a_larger_one_is_refused(run, endpoint):
    async def main() -> None:
        inbox = Inbox()
        async with (
            transport(endpoint, "strategy", "feed", handler=inbox),
            transport(endpoint, "feed") as feed,
        ):
            await join(feed, inbox)
            with pytest.raises(QuantMindError, match=str(MAX_FRAME)):
                feed.publish("market", bytes(MAX_FRAME + 1))
            feed.publish("market", bytes(MAX_FRAME))
            feed.publish("market", b"after")
            await until(lambda: len(inbox.frames) == 2)
        assert [len(frame) for frame in inbox.frames] == [MAX_FRAME, 5]

    run(main)


def test_a_strangers_larger_frame_is_not_taken(port):
    async def main() -> None:
        inbox = Inbox()
        context = zmq.Context()
        stranger = context.socket(zmq.PUB)
        stranger.setsockopt(zmq.LINGER, 0)
        stranger.bind(port)
        try:
            async with transport(port, "strategy", "feed", handler=inbox):
                await until(lambda: inbox.joined, act=lambda: stranger.send(HELLO))
                stranger.send(bytes(MAX_FRAME + 1))
                await asyncio.sleep(0.1)
                assert inbox.frames == []
        finally:
            stranger.close()
            context.term()

    asyncio.run(main())


def test_publishing_needs_an_open_transport(port):
    async def main() -> None:
        feed = transport(port, "feed")
        with pytest.raises(QuantMindError, match="while the transport is open"):
            feed.publish("market", b"1")
        async with feed:
            feed.publish("market", b"1")
        with pytest.raises(QuantMindError, match="while the transport is open"):
            feed.publish("market", b"1")
        await feed.drained()

    asyncio.run(main())

"""How fast our zeromq transport carries quotes from one process to another, beside plain pyzmq.

Run by hand: `python tests/benchmarks/bench_zeromq.py [--events 300000] [--rounds 5] [--seconds 3]`. Ours is what a
stage does: frames of numbered quotes, written and read by the codec and checked by the reception. pyzmq's own, driven
by the socket's descriptor too, carries the msgpack bytes of one quote in each message. Both run on uvloop, lose
nothing, and take turns in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import msgpack
import uvloop
import zmq

from quantmind.events import Numbered, Quote
from quantmind.pipeline.bus import Bus
from quantmind_zeromq.options import ZeroMQOptions
from quantmind_zeromq.transport import ZeroMQ

HIGH_WATER_MARK = 100_000
BATCH = 256
IN_FRAME = 200
"""The most events that the feed stage puts into a frame."""

RATE = 10_000
AT_ONCE = 50
"""Messages between two turns of the event loop, when they go as fast as they can."""

TURNS = 3
QUOTE = ("BTC/USDT:USDT", 50012.2, 50012.3, 0.125, 1.5)


class Count:
    """Counts events; notes how old each is, and when the last one came."""

    def __init__(self, events: int) -> None:
        self.events = events
        self.greeted = False
        self.ages: list[int] = []
        self.finished = asyncio.Event()

    def __call__(self, ts: int) -> None:
        now = time.perf_counter_ns()
        if ts:
            self.ages.append(now - ts)
            if len(self.ages) == self.events:
                self._tell(now)
        elif not self.greeted:
            self.greeted = True
            print("joined", flush=True)

    def _tell(self, now: int) -> None:
        # The first tenth warms up.
        ages = sorted(self.ages[len(self.ages) // 10 :])
        p50, p99 = (ages[len(ages) * share // 100] / 1_000 for share in (50, 99))
        print(json.dumps({"last": now, "p50": p50, "p99": p99}), flush=True)
        self.finished.set()


def stage(endpoint: str, name: str, handle: Callable[[str, Any], None]) -> Bus:
    """Return one end of our transport."""
    peer = "strategy" if name == "feed" else "feed"
    transport = ZeroMQ(ZeroMQOptions(endpoint=endpoint, high_water_mark=HIGH_WATER_MARK), "bench", name)
    return Bus(transport, "bench", (peer,), handle, lambda _: None)


async def receive_ours(endpoint: str, events: int) -> None:
    count = Count(events)

    def handle(_: str, message: Any) -> None:
        for quote in message.events:
            count(quote.ts)

    bus = stage(endpoint, "strategy", handle)
    async with bus.transport:
        await count.finished.wait()
    if bus.reception.incidents:
        raise RuntimeError(f"something was lost: {bus.reception.incidents}")


async def receive_raw(endpoint: str, events: int) -> None:
    count = Count(events)
    loop = asyncio.get_running_loop()
    with zmq.Context() as context, context.socket(zmq.SUB) as subscriber:
        subscriber.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
        subscriber.setsockopt(zmq.SUBSCRIBE, b"")
        subscriber.setsockopt(zmq.LINGER, 0)
        subscriber.connect(endpoint)
        receive, noblock, unpack = subscriber.recv, zmq.NOBLOCK, msgpack.unpackb

        def drain() -> None:
            try:
                for _ in range(BATCH):
                    count(unpack(receive(noblock))[1])
            except zmq.Again:
                return
            if not count.finished.is_set():
                loop.call_soon(drain)

        loop.add_reader(subscriber.fileno(), drain)
        loop.call_soon(drain)
        await count.finished.wait()
        loop.remove_reader(subscriber.fileno())


Send = Callable[[list[int]], Awaitable[None]]


def paced(rate: int, events: int) -> Iterator[None]:
    """Yield when each event is due."""
    start = time.perf_counter_ns()
    for number in range(events):
        due = start + number * 1_000_000_000 // rate - time.perf_counter_ns()
        if due > 0:
            time.sleep(due / 1e9)
        yield


async def nothing() -> None:
    """Wait for nothing: plain pyzmq waits at each message."""


async def drive(
    send: Send,
    joined: Callable[[], bool],
    events: int,
    rate: int,
    in_frame: int,
    drained: Callable[[], Awaitable[None]] = nothing,
) -> int:
    """Publish events as fast as they go, or at a rate; returns when it began."""
    while not joined():
        await send([0])
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    gc.collect()
    started = time.perf_counter_ns()
    if rate:
        for _ in paced(rate, events):
            await send([time.perf_counter_ns()])
            for _ in range(TURNS):
                await asyncio.sleep(0)
        return started
    for number, first in enumerate(range(0, events, in_frame)):
        await send([time.perf_counter_ns()] * min(in_frame, events - first))
        if not number % AT_ONCE:
            await drained()
            await asyncio.sleep(0)
    return started


async def send_ours(endpoint: str, joined: Callable[[], bool], events: int, rate: int, in_frame: int) -> int:
    bus = stage(endpoint, "feed", lambda _, __: None)
    symbol, *prices = QUOTE
    seq = 0

    async def send(times: list[int]) -> None:
        nonlocal seq
        bus.send("market", Numbered(1, seq + 1, tuple([Quote(symbol, ts, *prices, ts) for ts in times])))
        seq += len(times)

    async with bus.transport:
        return await drive(send, joined, events, rate, in_frame, bus.transport.drained)


async def send_raw(endpoint: str, joined: Callable[[], bool], events: int, rate: int, _: int) -> int:
    symbol, *prices = QUOTE
    with zmq.Context() as context, context.socket(zmq.PUB) as publisher:
        publisher.setsockopt(zmq.XPUB_NODROP, 1)
        publisher.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
        publisher.bind(endpoint)
        publish, noblock, pack = publisher.send, zmq.NOBLOCK, msgpack.packb

        async def send(times: list[int]) -> None:
            for ts in times:
                message = pack((symbol, ts, *prices, ts))
                while True:
                    try:
                        publish(message, noblock)
                    except zmq.Again:
                        await asyncio.sleep(0.001)
                    else:
                        break

        return await drive(send, joined, events, rate, 1)


PLAIN = "pyzmq"
BATCHES = f"ours, {IN_FRAME} quotes a frame"
WAYS: dict[str, tuple[Callable[..., Any], Callable[..., Any], int]] = {
    PLAIN: (send_raw, receive_raw, 1),
    "ours, one quote a frame": (send_ours, receive_ours, 1),
    BATCHES: (send_ours, receive_ours, IN_FRAME),
}


def measure(way: str, events: int, rate: int) -> dict[str, float]:
    """Carry events from this process to another one; returns their number a second and how old they were."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        endpoint = f"tcp://127.0.0.1:{min(free.getsockname()[1], 65_000)}"
    send, _, in_frame = WAYS[way]
    command = [sys.executable, __file__, "--receive", way, "--endpoint", endpoint, "--events", str(events)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as receiver:
        if receiver.stdout is None:
            raise RuntimeError("the receiver has no output")
        lines = receiver.stdout

        async def main() -> int:
            greeted = asyncio.get_running_loop().run_in_executor(None, lines.readline)
            return int(await send(endpoint, greeted.done, events, rate, in_frame))

        started = uvloop.run(main())
        found = json.loads(lines.readline())
    if receiver.returncode:
        raise RuntimeError(f"{way}: the receiver failed")
    return {"events": events / (found["last"] - started) * 1e9, "p50": found["p50"], "p99": found["p99"]}


def compare(events: int, rounds: int, rate: int) -> None:
    """Print the medians of all ways, which take turns."""
    ways = [way for way in WAYS if not rate or way != BATCHES]
    figures: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, measured in figures.items():
            measured.append(measure(way, events, rate))
    middle = {
        way: {name: statistics.median(one[name] for one in measured) for name in ("events", "p50", "p99")}
        for way, measured in figures.items()
    }
    plain = middle[PLAIN]
    print(f"{f'{rate:,} quotes/s' if rate else 'as fast as they go'}, {events:,} quotes, {rounds} rounds, nothing lost")
    for way, own in middle.items():
        if rate:
            ratio = own["p50"] / plain["p50"]
            print(f"  {way:<26} p50 {own['p50']:7.1f} us  p99 {own['p99']:8.1f} us  p50 to pyzmq's {ratio:.2f}")
        else:
            print(f"  {way:<26} {own['events']:>10,.0f} quotes/s  to pyzmq's {own['events'] / plain['events']:.2f}")


def main() -> None:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--receive", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--endpoint", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.receive:
        gc.freeze()
        uvloop.run(WAYS[arguments.receive][1](arguments.endpoint, arguments.events))
        return
    compare(round(RATE * arguments.seconds), arguments.rounds, RATE)
    compare(arguments.events, arguments.rounds, 0)


if __name__ == "__main__":
    main()

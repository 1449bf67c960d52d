"""How fast our nats transport carries quotes from one process to another, beside plain nats-py.

Run by hand: `python tests/benchmarks/bench_nats.py [--events 100000] [--rounds 5] [--seconds 3]`; it starts a
nats-server of its own. Ours is what a stage does: frames of numbered quotes, written and read by the codec and checked
by the reception. nats-py's own carries the msgpack bytes of one quote in each message. Both run on uvloop, lose
nothing, and take turns in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import msgpack
import nats
import uvloop

from quantmind.events import Numbered, Quote
from quantmind.pipeline.bus import Bus
from quantmind_nats.options import NATSOptions
from quantmind_nats.transport import NATS

SUBJECT = "bench.quotes"
IN_FRAME = 200
RATES = (1_000, 10_000)
TURNS = 5
"""Turns of the event loop after each message, so that either side has written it."""

QUOTE = ("BTC/USDT:USDT", 50012.2, 50012.3, 0.125, 1.5)


class Count:
    """Counts events; notes how old each is, and when the last one came."""

    def __init__(self, events: int) -> None:
        self.left = events
        self.greeted = False
        self.ages: list[int] = []
        self.finished = asyncio.Event()

    def __call__(self, ts: int) -> None:
        if not ts:
            if not self.greeted:
                self.greeted = True
                print("joined", flush=True)
            return
        self.ages.append(time.perf_counter_ns() - ts)
        self.left -= 1
        if not self.left:
            self.ages.sort()
            p50, p99 = (self.ages[len(self.ages) * share // 100] / 1_000 for share in (50, 99))
            print(json.dumps({"last": time.perf_counter_ns(), "p50": p50, "p99": p99}), flush=True)
            self.finished.set()


def stage(url: str, name: str, handle: Callable[[str, Any], None]) -> Bus:
    """Return one end of our transport."""
    peer = "strategy" if name == "feed" else "feed"
    return Bus(NATS(NATSOptions(url=url), "bench", name), "bench", (peer,), handle, lambda _: None)


async def receive_ours(url: str, events: int) -> None:
    count = Count(events)

    def handle(_: str, message: Any) -> None:
        for quote in message.events:
            count(quote.ts)

    bus = stage(url, "strategy", handle)
    async with bus.transport:
        await count.finished.wait()
    if bus.reception.incidents:
        raise RuntimeError(f"something was lost: {bus.reception.incidents}")


async def receive_raw(url: str, events: int) -> None:
    count = Count(events)

    async def take(message: Any) -> None:
        count(msgpack.unpackb(message.data)[1])

    client = await nats.connect(url)
    await client.subscribe(SUBJECT, cb=take)
    await count.finished.wait()
    await client.close()


Send = Callable[[list[int]], Awaitable[None]]


def paced(rate: int, events: int) -> Iterator[None]:
    start = time.perf_counter_ns()
    for number in range(events):
        due = start + number * 1_000_000_000 // rate - time.perf_counter_ns()
        if due > 0:
            time.sleep(due / 1e9)
        yield


async def drive(send: Send, joined: Callable[[], bool], events: int, rate: int, in_frame: int) -> int:
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
    for first in range(0, events, in_frame):
        now = time.perf_counter_ns()
        await send([now] * min(in_frame, events - first))
        if not first % (50 * in_frame):
            await asyncio.sleep(0)
    return started


async def send_ours(url: str, joined: Callable[[], bool], events: int, rate: int, in_frame: int) -> int:
    bus = stage(url, "feed", lambda _, __: None)
    seq = frames = 0

    async def send(times: list[int]) -> None:
        nonlocal seq, frames
        symbol, *prices = QUOTE
        bus.send("market", Numbered(1, seq + 1, tuple([Quote(symbol, ts, *prices) for ts in times])))
        seq += len(times)
        frames += 1
        if not rate and not frames * in_frame % 1_000:
            await bus.transport.drained()

    async with bus.transport:
        started = await drive(send, joined, events, rate, in_frame)
        await bus.transport.drained()
    return started


async def send_raw(url: str, joined: Callable[[], bool], events: int, rate: int, _: int) -> int:
    client = await nats.connect(url)
    symbol, *prices = QUOTE

    async def send(times: list[int]) -> None:
        for ts in times:
            await client.publish(SUBJECT, msgpack.packb((symbol, ts, *prices)))

    started = await drive(send, joined, events, rate, 1)
    await client.flush()
    await client.close()
    return started


WAYS: dict[str, tuple[Callable[..., Any], Callable[..., Any], int]] = {
    "nats-py": (send_raw, receive_raw, 1),
    "ours, one quote a frame": (send_ours, receive_ours, 1),
    f"ours, {IN_FRAME} quotes a frame": (send_ours, receive_ours, IN_FRAME),
}


def measure(way: str, url: str, events: int, rate: int) -> dict[str, float]:
    send, _, in_frame = WAYS[way]
    command = [sys.executable, __file__, "--receive", way, "--url", url, "--events", str(events)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as receiver:
        if receiver.stdout is None:
            raise RuntimeError("the receiver has no output")
        lines = receiver.stdout

        async def main() -> int:
            greeted = asyncio.get_running_loop().run_in_executor(None, lines.readline)
            return int(await send(url, greeted.done, events, rate, in_frame))

        started = uvloop.run(main())
        found = json.loads(lines.readline())
    if receiver.returncode:
        raise RuntimeError(f"{way}: the receiver failed")
    return {"events": events / (found["last"] - started) * 1e9, "p50": found["p50"], "p99": found["p99"]}


def compare(url: str, events: int, rounds: int, rate: int) -> None:
    ways = [way for way in WAYS if not rate or not way.endswith(f"{IN_FRAME} quotes a frame")]
    figures: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, measured in figures.items():
            measured.append(measure(way, url, events, rate))
    middle = {
        way: {name: statistics.median(one[name] for one in measured) for name in ("events", "p50", "p99")}
        for way, measured in figures.items()
    }
    raw = middle["nats-py"]
    print(f"{f'{rate:,} quotes/s' if rate else 'as fast as they go'}, {events:,} quotes, {rounds} rounds")
    for way, own in middle.items():
        if rate:
            ratio = own["p50"] / raw["p50"]
            print(f"  {way:<26} p50 {own['p50']:7.1f} us  p99 {own['p99']:8.1f} us  p50 to nats-py's {ratio:.2f}")
        else:
            print(f"  {way:<26} {own['events']:>10,.0f} quotes/s  to nats-py's {own['events'] / raw['events']:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--receive", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.receive:
        gc.freeze()
        uvloop.run(WAYS[arguments.receive][1](arguments.url, arguments.events))
        return
    binary = shutil.which("nats-server", path="/usr/sbin:/usr/local/bin:/usr/bin")
    if binary is None:
        sys.exit("needs nats-server: apt-get install nats-server")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [binary, "-a", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            url = f"nats://127.0.0.1:{port}"
            for rate in RATES:
                compare(url, round(rate * arguments.seconds), arguments.rounds, rate)
            compare(url, arguments.events, arguments.rounds, 0)
        finally:
            server.kill()


if __name__ == "__main__":
    main()

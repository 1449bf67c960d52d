"""A hop: quotes from one process to another, by a transport of ours beside the plain library that it is built on.

Ours is what a stage does: frames of numbered quotes, written and read by the codec and checked by the reception. The
library's own carries the msgpack bytes of one quote in each message. Both run on uvloop, lose nothing, and take turns
in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import msgpack
import uvloop

from quantmind.events import Numbered, Quote
from quantmind.kinds import Transport
from quantmind.pipeline.bus import Bus

IN_FRAME = 200
"""The most events that the feed stage puts into a frame."""

AT_ONCE = 50
"""Frames between two turns of the event loop, when they go as fast as they can."""

UNCONFIRMED = 1_000
"""Events between two waits for our transport to have handed them on."""

TURNS = 5
"""Turns of the event loop after each message of a rate, so that either side has written it."""

SYMBOL = "BTC/USDT:USDT"
PRICES = (50012.2, 50012.3, 0.125, 1.5)

Send = Callable[[list[int]], Awaitable[None]]
"""Sends a quote for each of these times (ns), in one frame where there are frames."""


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


class Load(NamedTuple):
    """What is sent: so many `events`, at a `rate` (a second; 0 is as fast as they go), so many in a frame."""

    events: int
    rate: int
    in_frame: int
    joined: Callable[[], bool]
    """Whether the receiver has heard something."""

    async def drive(self, send: Send, drained: Callable[[], Awaitable[None]] | None = None) -> int:
        """Send it; returns when the first event was sent (ns)."""
        while not self.joined():
            await send([0])
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        gc.collect()
        started = time.perf_counter_ns()
        if self.rate:
            for _ in self._due():
                await send([time.perf_counter_ns()])
                for _ in range(TURNS):
                    await asyncio.sleep(0)
            return started
        for number, first in enumerate(range(0, self.events, self.in_frame)):
            await send([time.perf_counter_ns()] * min(self.in_frame, self.events - first))
            if drained is not None and not (first + self.in_frame) % UNCONFIRMED:
                await drained()
            if not number % AT_ONCE:
                await asyncio.sleep(0)
        return started

    def _due(self) -> Iterator[None]:
        """Yield when each event is due."""
        start = time.perf_counter_ns()
        for number in range(self.events):
            due = start + number * 1_000_000_000 // self.rate - time.perf_counter_ns()
            if due > 0:
                time.sleep(due / 1e9)
            yield


def packed(ts: int) -> bytes:
    """Return a quote as the plain library carries it."""
    message: bytes = msgpack.packb((SYMBOL, ts, *PRICES, ts))
    return message


def unpacked(message: bytes) -> int:
    """Return the time of a quote that the plain library carried."""
    ts: int = msgpack.unpackb(message)[1]
    return ts


class Hop(NamedTuple):
    """A transport of ours and the library that it is built on, both between two processes."""

    library: str
    address: Callable[[], AbstractContextManager[str]]
    """Gives where the two meet, for as long as they do."""
    transport: Callable[[str, str], Transport[Any]]
    """Makes ours, of an address and a stage."""
    send: Callable[[str, Load], Awaitable[int]]
    """Sends a load by the plain library; returns what `Load.drive` does."""
    receive: Callable[[str, Count], Coroutine[Any, Any, None]]
    """Receives by the plain library until the count is finished."""

    def bus(self, address: str, stage: str, handle: Callable[[str, Any], None]) -> Bus:
        """Return one end of our transport."""
        peer = "strategy" if stage == "feed" else "feed"
        return Bus(self.transport(address, stage), "bench", (peer,), handle, lambda _: None)

    async def send_ours(self, address: str, load: Load) -> int:
        bus = self.bus(address, "feed", lambda _, __: None)
        seq = 0

        async def send(times: list[int]) -> None:
            nonlocal seq
            bus.send("market", Numbered(1, seq + 1, tuple([Quote(SYMBOL, ts, *PRICES, ts) for ts in times])))
            seq += len(times)

        async with bus.transport:
            started = await load.drive(send, bus.transport.drained)
            await bus.transport.drained()
        return started

    async def receive_ours(self, address: str, count: Count) -> None:
        def handle(_: str, message: Any) -> None:
            for quote in message.events:
                count(quote.ts)

        bus = self.bus(address, "strategy", handle)
        async with bus.transport:
            await count.finished.wait()
        if bus.reception.incidents:
            raise RuntimeError(f"something was lost: {bus.reception.incidents}")

    def ways(self, rate: int) -> dict[str, int]:
        """Return the ways that are compared at a rate, with how many quotes a frame of ours has; 0 is the library."""
        ways = {self.library: 0, "ours, one quote a frame": 1}
        return ways if rate else {**ways, f"ours, {IN_FRAME} quotes a frame": IN_FRAME}

    def measure(self, in_frame: int, events: int, rate: int) -> dict[str, float]:
        """Carry events from this process to another one; returns their number a second and how old they were (us)."""
        send = self.send_ours if in_frame else self.send
        with self.address() as address:
            command = [sys.executable, sys.argv[0], "--receive", "ours" if in_frame else "library"]
            command += ["--address", address, "--events", str(events)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as receiver:
                if receiver.stdout is None:
                    raise RuntimeError("the receiver has no output")
                lines = receiver.stdout

                async def main() -> int:
                    greeted = asyncio.get_running_loop().run_in_executor(None, lines.readline)
                    return await send(address, Load(events, rate, in_frame or 1, greeted.done))

                started = uvloop.run(main())
                found = json.loads(lines.readline())
        if receiver.returncode:
            raise RuntimeError("the receiver failed")
        return {"events": events / (found["last"] - started) * 1e9, "p50": found["p50"], "p99": found["p99"]}

    def compare(self, events: int, rounds: int, rate: int) -> None:
        """Print the medians of all ways, which take turns."""
        ways = self.ways(rate)
        figures: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, in_frame in ways.items():
                figures[way].append(self.measure(in_frame, events, rate))
        middle = {
            way: {name: statistics.median(one[name] for one in measured) for name in ("events", "p50", "p99")}
            for way, measured in figures.items()
        }
        plain = middle[self.library]
        speed = f"{rate:,} quotes/s" if rate else "as fast as they go"
        print(f"{speed}, {events:,} quotes, {rounds} rounds, nothing lost")
        for way, own in middle.items():
            if rate:
                told = f"p50 {own['p50']:7.1f} us  p99 {own['p99']:8.1f} us  p50"
                ratio = own["p50"] / plain["p50"]
            else:
                told = f"{own['events']:>10,.0f} quotes/s "
                ratio = own["events"] / plain["events"]
            print(f"  {way:<26} {told} to {self.library}'s {ratio:.2f}")

    def run(self, description: str | None, events: int, rates: tuple[int, ...]) -> None:
        """Compare as the command line says; or receive, in the process that a measurement starts."""
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("--events", type=int, default=events)
        parser.add_argument("--rounds", type=int, default=5)
        parser.add_argument("--seconds", type=float, default=3)
        parser.add_argument("--receive", choices=["ours", "library"], help=argparse.SUPPRESS)
        parser.add_argument("--address", help=argparse.SUPPRESS)
        arguments = parser.parse_args()
        if arguments.receive:
            gc.freeze()
            receive = self.receive_ours if arguments.receive == "ours" else self.receive
            uvloop.run(receive(arguments.address, Count(arguments.events)))
            return
        for rate in rates:
            self.compare(round(rate * arguments.seconds), arguments.rounds, rate)
        self.compare(arguments.events, arguments.rounds, 0)

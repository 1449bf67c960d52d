"""How many frames a second our zeromq transport carries from one process to another, beside plain pyzmq.

Run by hand: `python tests/benchmarks/bench_zeromq.py [--frames 300000] [--size 150] [--rounds 5]`. Both are
driven from uvloop by the socket's descriptor, lose nothing, and take turns in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import uvloop
import zmq

from quantmind_zeromq.transport import ZeroMQ, ZeroMQOptions

GREETING = b""
HIGH_WATER_MARK = 100_000
BATCH = 1_000
PUBLISHED_AT_ONCE = 50


class Count:
    """Counts frames; says when the greeting came, and when the last frame did."""

    def __init__(self, frames: int) -> None:
        self.left = frames
        self.greeted = False
        self.finished = asyncio.Event()

    def __call__(self, _: str, frame: bytes) -> None:
        if frame:
            self.left -= 1
            if not self.left:
                print(json.dumps({"last": time.perf_counter_ns()}), flush=True)
                self.finished.set()
        elif not self.greeted:
            self.greeted = True
            print("joined", flush=True)


async def receive_ours(endpoint: str, frames: int) -> None:
    count = Count(frames)
    transport = ZeroMQ(ZeroMQOptions(endpoint=endpoint, high_water_mark=HIGH_WATER_MARK), "strategy")
    transport.subscribe(("feed",), count)
    async with transport:
        await count.finished.wait()


async def receive_raw(endpoint: str, frames: int) -> None:
    count = Count(frames)
    loop = asyncio.get_running_loop()
    with zmq.Context() as context, context.socket(zmq.SUB) as subscriber:
        subscriber.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
        subscriber.setsockopt(zmq.SUBSCRIBE, b"")
        subscriber.setsockopt(zmq.LINGER, 0)
        subscriber.connect(endpoint)
        receive = subscriber.recv

        def drain() -> None:
            try:
                for _ in range(BATCH):
                    count("feed", receive(zmq.NOBLOCK))
            except zmq.Again:
                return
            loop.call_soon(drain)

        loop.add_reader(subscriber.fileno(), drain)
        loop.call_soon(drain)
        await count.finished.wait()
        loop.remove_reader(subscriber.fileno())


async def send_ours(endpoint: str, frame: bytes, frames: int, joined: Callable[[], bool]) -> int:
    options = ZeroMQOptions(endpoint=endpoint, high_water_mark=HIGH_WATER_MARK)
    async with ZeroMQ(options, "feed") as transport:
        while not joined():
            transport.publish(GREETING)
            await asyncio.sleep(0.01)
        started = time.perf_counter_ns()
        for number in range(1, frames + 1):
            transport.publish(frame)
            if not number % PUBLISHED_AT_ONCE:
                await transport.drained()
                await asyncio.sleep(0)
        await transport.drained()
    return started


async def send_raw(endpoint: str, frame: bytes, frames: int, joined: Callable[[], bool]) -> int:
    with zmq.Context() as context, context.socket(zmq.PUB) as publisher:
        publisher.setsockopt(zmq.XPUB_NODROP, 1)
        publisher.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
        publisher.bind(endpoint)
        while not joined():
            publisher.send(GREETING)
            await asyncio.sleep(0.01)
        started = time.perf_counter_ns()
        for number in range(1, frames + 1):
            while True:
                try:
                    publisher.send(frame, zmq.NOBLOCK)
                except zmq.Again:
                    await asyncio.sleep(0.001)
                else:
                    break
            if not number % PUBLISHED_AT_ONCE:
                await asyncio.sleep(0)
    return started


WAYS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "ours": (send_ours, receive_ours),
    "raw": (send_raw, receive_raw),
}


def frames_per_second(way: str, frames: int, size: int) -> float:
    with socket.create_server(("127.0.0.1", 0)) as free:
        endpoint = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, __file__, "--receive", way, "--endpoint", endpoint, "--frames", str(frames)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as receiver:
        if receiver.stdout is None:
            raise RuntimeError("the receiver has no output")
        lines = receiver.stdout

        async def send() -> int:
            loop = asyncio.get_running_loop()
            greeted = loop.run_in_executor(None, lines.readline)
            return int(await WAYS[way][0](endpoint, b"\x01" * size, frames, greeted.done))

        started = uvloop.run(send())
        return frames / (json.loads(lines.readline())["last"] - started) * 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=300_000)
    parser.add_argument("--size", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--receive", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--endpoint", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.receive:
        uvloop.run(WAYS[arguments.receive][1](arguments.endpoint, arguments.frames))
        return
    figures: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(arguments.rounds):
        for way, measured in figures.items():
            measured.append(frames_per_second(way, arguments.frames, arguments.size))
    print(f"{arguments.frames:,} frames of {arguments.size} bytes, one way, {arguments.rounds} rounds")
    for way, measured in figures.items():
        print(
            f"{way:>5}: median {statistics.median(measured):>9,.0f} frames/s"
            f"  (from {min(measured):,.0f} to {max(measured):,.0f})"
        )
    print(f"ratio of the medians: {statistics.median(figures['ours']) / statistics.median(figures['raw']):.2f}")


if __name__ == "__main__":
    main()

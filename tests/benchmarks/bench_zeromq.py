"""How fast our zeromq transport carries quotes from one process to another, beside plain pyzmq.

Run by hand: `python tests/benchmarks/bench_zeromq.py [--events 300000] [--rounds 5] [--seconds 3]`. What is compared,
`hop.py` says; pyzmq's own is driven by the socket's descriptor, as ours is.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import zmq
from hop import Count, Hop, Load, packed, unpacked

from quantmind_zeromq.options import ZeroMQOptions
from quantmind_zeromq.transport import ZeroMQ

HIGH_WATER_MARK = 100_000
BATCH = 256
RATE = 10_000


@contextlib.contextmanager
def endpoint() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = min(free.getsockname()[1], 65_000)
    yield f"tcp://127.0.0.1:{port}"


def transport(endpoint: str, stage: str) -> ZeroMQ:
    return ZeroMQ(ZeroMQOptions(endpoint=endpoint, high_water_mark=HIGH_WATER_MARK), "bench", stage)


async def receive(endpoint: str, count: Count) -> None:
    loop = asyncio.get_running_loop()
    with zmq.Context() as context, context.socket(zmq.SUB) as subscriber:
        subscriber.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
        subscriber.setsockopt(zmq.SUBSCRIBE, b"")
        subscriber.setsockopt(zmq.LINGER, 0)
        subscriber.connect(endpoint)
        take, noblock = subscriber.recv, zmq.NOBLOCK

        def drain() -> None:
            try:
                for _ in range(BATCH):
                    count(unpacked(take(noblock)))
            except zmq.Again:
                return
            if not count.finished.is_set():
                loop.call_soon(drain)

        loop.add_reader(subscriber.fileno(), drain)
        loop.call_soon(drain)
        await count.finished.wait()
        loop.remove_reader(subscriber.fileno())


async def send(endpoint: str, load: Load) -> int:
    with zmq.Context() as context, context.socket(zmq.PUB) as publisher:
        publisher.setsockopt(zmq.XPUB_NODROP, 1)
        publisher.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
        publisher.bind(endpoint)
        publish, noblock = publisher.send, zmq.NOBLOCK

        async def send_each(times: list[int]) -> None:
            for ts in times:
                message = packed(ts)
                while True:
                    try:
                        publish(message, noblock)
                    except zmq.Again:
                        await asyncio.sleep(0.001)
                    else:
                        break

        return await load.drive(send_each)


if __name__ == "__main__":
    Hop("pyzmq", endpoint, transport, send, receive).run(__doc__, 300_000, (RATE,))

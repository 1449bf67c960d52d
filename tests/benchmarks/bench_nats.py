"""How fast our nats transport carries quotes from one process to another, beside plain nats-py.

Run by hand: `python tests/benchmarks/bench_nats.py [--events 100000] [--rounds 5] [--seconds 3]`; each measurement
starts a nats-server of its own. What is compared, `hop.py` says.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import nats
from hop import Count, Hop, Load, packed, unpacked

from quantmind_nats.options import NATSOptions
from quantmind_nats.transport import NATS

SUBJECT = "bench.quotes"
RATES = (1_000, 10_000)


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Run a server; gives its URL."""
    binary = shutil.which("nats-server", path="/usr/sbin:/usr/local/bin:/usr/bin")
    if binary is None:
        sys.exit("needs nats-server: apt-get install nats-server")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [binary, "-a", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            while process.poll() is None:
                with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.01)
            yield f"nats://127.0.0.1:{port}"
        finally:
            process.kill()


def transport(url: str, stage: str) -> NATS:
    return NATS(NATSOptions(url=url), "bench", stage)


async def receive(url: str, count: Count) -> None:
    async def take(message: Any) -> None:
        count(unpacked(message.data))

    client = await nats.connect(url)
    await client.subscribe(SUBJECT, cb=take)
    await count.finished.wait()
    await client.close()


async def send(url: str, load: Load) -> int:
    client = await nats.connect(url)

    async def send_each(times: list[int]) -> None:
        for ts in times:
            await client.publish(SUBJECT, packed(ts))

    started = await load.drive(send_each)
    await client.flush()
    await client.close()
    return started


if __name__ == "__main__":
    Hop("nats-py", server, transport, send, receive).run(__doc__, 100_000, RATES)

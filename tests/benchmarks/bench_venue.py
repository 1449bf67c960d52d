"""How many signed orders a second the simulated venue takes over HTTP, on one core.

Beside it a bare aiohttp server that reads the same requests and answers a constant, in the same run; the client sends
the next order when the last one is answered, over a few lines, and is the same for both.

Run: python tests/benchmarks/bench_venue.py [--orders 10000] [--lines 4] [--runs 3]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from processes import cpu, served

QUANTMIND = Path(sys.executable).with_name("quantmind")
MARKET = {"type": "MARKET", "quantity": "0.004"}
LIMIT = {"type": "LIMIT", "quantity": "0.003", "price": "48000", "timeInForce": "GTC"}


def request(settings: dict[str, Any], number: int, order: dict[str, str]) -> bytes:
    """Write one signed order."""
    fields = {
        "symbol": "BTCUSDT",
        "side": "BUY" if number % 2 else "SELL",
        **(order if number % 2 or order is MARKET else {**order, "price": "53000"}),
        "newClientOrderId": f"n{number}",
        "timestamp": str(time.time_ns() // 1_000_000),
    }
    body = urlencode(fields)
    signature = hmac.new(settings["secret"].encode(), body.encode(), hashlib.sha256).hexdigest()
    body = f"{body}&signature={signature}"
    return (
        f"POST /fapi/v1/order HTTP/1.1\r\nHost: localhost\r\nX-MBX-APIKEY: {settings['key']}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def send(settings: dict[str, Any], order: dict[str, str], count: int, lines: int) -> float:
    """Send orders; returns how many a second were answered with 200."""
    address = urlsplit(settings["url"])
    assert address.hostname is not None
    numbers = iter(range(count))

    async def line() -> None:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for number in numbers:
            writer.write(request(settings, number, order))
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(field[15:]) for field in head.split(b"\r\n") if field.lower().startswith(b"content-length")
            )
            answer = await reader.readexactly(length)
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"an order was refused: {answer!r}")
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(line() for _ in range(lines)))
    return count / (time.perf_counter() - began)


async def bare() -> None:
    """Serve a constant by aiohttp."""
    from aiohttp import web

    async def handle(asked: web.BaseRequest) -> web.Response:
        await asked.read()
        return web.Response(body=b'{"orderId":1}', content_type="application/json")

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(json.dumps({"url": f"http://{host}:{port}", "key": "k", "secret": "s"}), flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--lines", type=int, default=4)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    import uvloop

    loop = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    if arguments.bare:
        loop.run(bare())
        return
    venue: list[Any] = [QUANTMIND, "venue", "--port", "0", "--json", "--no-limits", "--balance", "100000000"]
    venue += ["--symbols", "BTCUSDT"]
    servers = {
        "bare aiohttp": ([sys.executable, __file__, "--bare"], MARKET, arguments.orders),
        "market orders, filled": (venue, MARKET, arguments.orders),
        # No more than 200 orders may rest.
        "limit orders, resting": (venue, LIMIT, min(arguments.orders, 200)),
    }
    speeds: dict[str, list[tuple[float, float]]] = {name: [] for name in servers}
    for _ in range(arguments.runs):
        for name, (command, order, count) in servers.items():
            with served(command) as (settings, pid):
                busy, began = cpu(pid), time.perf_counter()
                speed = loop.run(send(settings, order, count, arguments.lines))
                speeds[name].append((speed, (cpu(pid) - busy) / (time.perf_counter() - began)))
    loop.close()
    print(f"signed POST /fapi/v1/order, {arguments.lines} lines, median of {arguments.runs} runs")
    least = statistics.median(speed for speed, _ in speeds["bare aiohttp"])
    for name, measured in speeds.items():
        speed, share = (statistics.median(figures) for figures in zip(*measured, strict=True))
        print(f"  {name:22} {speed:8,.0f} orders/s   {speed / least:.2f} of bare   {share:.0%} of the server's core")


if __name__ == "__main__":
    main()

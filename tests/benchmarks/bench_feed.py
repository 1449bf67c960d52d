"""The ccxt feed against the simulated venue on the same machine.

`latency`: from a quote's message off the socket to the event in the reader's hands, beside plain ccxt.pro
(`watch_bids_asks`) on the same messages. `load`: 50 symbols of quotes and trades, 2,000 messages/s: share of a core,
and memory over time.

Run: python tests/benchmarks/bench_feed.py latency [--quotes 3000]
     python tests/benchmarks/bench_feed.py load [--seconds 60]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from processes import cpu, served

QUANTMIND = Path(sys.executable).with_name("quantmind")
SYMBOLS = 50


@contextlib.contextmanager
def venue(*arguments: str) -> Iterator[str]:
    """Run the venue as a process of its own; gives its address."""
    with served([QUANTMIND, "venue", "--port", "0", "--json", *arguments]) as (said, _):
        yield said["url"]


def feed(url: str, listed: list[Any]) -> Any:
    """Make the feed of quotes and trades."""
    from quantmind.kinds import QUOTES, TRADES
    from quantmind_ccxt.feed import Ccxt
    from quantmind_ccxt.options import CcxtOptions

    made = Ccxt(CcxtOptions(url=url), listed)
    wanted = {QUOTES, TRADES} if len(listed) > 1 else {QUOTES}
    made.wanted = {instrument.symbol: frozenset(wanted) for instrument in listed}
    return made


class Stamp:
    """When the last message came off a socket of ccxt."""

    def __init__(self) -> None:
        from ccxt.async_support.base.ws.client import Client

        self.at = 0
        handle = Client.handle_text_or_binary_message
        outer = self

        def handled(client: Any, data: Any) -> Any:
            outer.at = time.perf_counter_ns()
            return handle(client, data)

        Client.handle_text_or_binary_message = handled


async def by_feed(url: str, count: int) -> list[int]:
    """Time the feed; returns ns."""
    from quantmind.market.instruments import KNOWN

    took: list[int] = []
    async with feed(url, [KNOWN["BTC/USDT:USDT"]]) as ours:
        stamp = Stamp()
        async for batch in ours.events():
            now = time.perf_counter_ns()
            if len(batch) == 1:
                took.append(now - stamp.at)
            if len(took) >= count:
                return took
    return took


async def by_ccxt(url: str, count: int) -> list[int]:
    """Time plain ccxt.pro; returns ns."""
    import ccxt.pro

    from quantmind_ccxt.addresses import stand_in

    exchange = ccxt.pro.binanceusdm(stand_in(url, ccxt.pro.binanceusdm().describe()["urls"]["api"]))
    took: list[int] = []
    stamp = Stamp()
    try:
        await exchange.load_markets()
        while len(took) < count:
            await exchange.watch_bids_asks(["BTC/USDT:USDT"])
            took.append(time.perf_counter_ns() - stamp.at)
    finally:
        await exchange.close()
    return took


def run(coroutine: Any) -> Any:
    """Run on uvloop, as `quantmind run` does."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(coroutine)


def latency(arguments: argparse.Namespace) -> None:
    """Compare the two, each in a process of its own, in turns."""
    figures: dict[str, list[tuple[float, float]]] = {"ccxt": [], "feed": []}
    with venue("--symbols", "BTCUSDT", "--quote-interval", "5ms", "--trade-interval", "1s") as url:
        for _ in range(arguments.runs):
            for who, kept in figures.items():
                command = [sys.executable, __file__, "child", who, url, str(arguments.quotes)]
                took = sorted(json.loads(subprocess.check_output(command, text=True)))
                kept.append((took[len(took) // 2] / 1e3, took[len(took) * 99 // 100] / 1e3))
    print(
        f"a quote off the socket to its reader, {arguments.quotes:,} quotes at 200/s, median of {arguments.runs} runs"
    )
    halves = {}
    for who, kept in figures.items():
        halves[who] = statistics.median(p50 for p50, _ in kept)
        print(f"  {who:5} p50 {halves[who]:7.1f} us   p99 {statistics.median(p99 for _, p99 in kept):7.1f} us")
    print(
        f"  beyond ccxt: {halves['feed'] - halves['ccxt']:+.1f} us at p50, {halves['feed'] / halves['ccxt']:.2f} of it"
    )


def load(arguments: argparse.Namespace) -> None:
    """Measure a feed process under load."""
    names = ",".join(f"C{number:02}USDT" for number in range(SYMBOLS))
    with venue("--symbols", names, "--quote-interval", "40ms", "--trade-interval", "67ms") as url:
        command = [sys.executable, __file__, "child", "load", url, str(arguments.seconds)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        child.stdout.readline()
        began, busy = time.monotonic(), cpu(child.pid)
        sizes = []
        while time.monotonic() - began < arguments.seconds:
            time.sleep(min(10.0, arguments.seconds / 6))
            sizes.append(_megabytes(child.pid))
        share = (cpu(child.pid) - busy) / (time.monotonic() - began)
        events = int(child.stdout.readline() or 0)
        child.wait()
    rate = events / arguments.seconds
    print(f"{SYMBOLS} symbols of quotes and trades, {rate:,.0f} events/s for {arguments.seconds:g} s")
    print(f"  share of a core  {share:.0%}")
    print(f"  memory           {', '.join(f'{size:.0f}' for size in sizes)} MB")


async def consume(url: str, seconds: float) -> int:
    """Read the feed for a while; returns the events that came."""
    from quantmind.market.instruments import Instrument

    listed = [Instrument(f"C{number:02}/USDT:USDT", Decimal("0.001"), Decimal("0.1")) for number in range(SYMBOLS)]
    count = 0
    async with feed(url, listed) as ours:
        began = None
        async for batch in ours.events():
            if began is None:
                began = time.monotonic()
                print("ready", flush=True)
            count += len(batch)
            if time.monotonic() - began > seconds:
                return count
    return count


def _megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) / 1_024 for line in status.splitlines() if line.startswith("VmRSS"))


def child(arguments: argparse.Namespace) -> None:
    """Do one part in this process."""
    if arguments.who == "load":
        print(run(consume(arguments.url, arguments.amount)), flush=True)
    else:
        timed = by_feed if arguments.who == "feed" else by_ccxt
        print(json.dumps(run(timed(arguments.url, int(arguments.amount)))))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(required=True)
    part = parts.add_parser("latency")
    part.add_argument("--quotes", type=int, default=2_000)
    part.add_argument("--runs", type=int, default=3)
    part.set_defaults(do=latency)
    part = parts.add_parser("load")
    part.add_argument("--seconds", type=float, default=60.0)
    part.set_defaults(do=load)
    part = parts.add_parser("child")
    part.add_argument("who", choices=["feed", "ccxt", "load"])
    part.add_argument("url")
    part.add_argument("amount", type=float)
    part.set_defaults(do=child)
    arguments = parser.parse_args()
    arguments.do(arguments)


if __name__ == "__main__":
    main()

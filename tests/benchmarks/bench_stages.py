"""The live stages: a quote to its command over three processes, and what four of them take in memory and time.

Run: python tests/benchmarks/bench_stages.py path [--seconds 10] [--rate 1000] [--rounds 3]
     python tests/benchmarks/bench_stages.py memory [--seconds 20]

`path`: feed, strategy and execution over ZeroMQ, the strategy changing its mind at every quote, beside three plain
processes that pass MessagePack over the same kind of sockets. The time is from the quote's stamp in the feed to the
command at the executor, with synchronous OFF and, apart, FULL (which waits for the disk before each command).
`memory`: four stages with 50 symbols and 1,000 quotes a second in all, by the supervisor.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import peers
import uvloop
import yaml
from processes import cpu

BTC = "BTC/USDT:USDT"
STAGES = ("feed", "strategy", "execution")


def recipe(endpoint: str, rate: int) -> dict[str, Any]:
    return {
        "name": "path",
        "instruments": [BTC],
        "feeds": [{"clocked": {"rate": rate}}],
        "transport": {"zeromq": {"endpoint": endpoint}},
        "strategies": ["flip"],
        "allocator": "equal_weight",
        "risk": {
            "sizing": [{"fixed_quantity": {"quantity": 0.1}}],
            "limits": [{"max_leverage": {"limit": 3}}, {"max_position": {"limit": 1}}],
        },
        "executor": {"timed": {"balance": 100_000_000}},
    }


async def stage(name: str, endpoint: str, rate: int, folder: Path, durable: bool) -> None:
    """Run one of our stages, until it is told to stop."""
    from quantmind.pipeline import stages
    from quantmind.pipeline.run import Running
    from quantmind.plugins import Plugins
    from quantmind.project import Project
    from quantmind.recipe.load import load

    project = Project(folder)
    made = stages.stage(name, Running(load(recipe(endpoint, rate), Plugins(), project, {}), project, durable=durable))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, made.stop)
    await made.run()


async def raw(name: str, endpoint: str, rate: int) -> None:
    """Be one of three plain processes: quotes in MessagePack, an order for each, and the time it took."""
    import msgpack
    import zmq

    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    context = zmq.Context()
    pack, unpack = msgpack.packb, msgpack.unpackb
    took: list[int] = []

    def publisher(suffix: str) -> Any:
        made = context.socket(zmq.PUB)
        made.bind(f"{endpoint}.{suffix}")
        return made

    def subscriber(suffix: str, handle: Any) -> None:
        made = context.socket(zmq.SUB)
        made.setsockopt(zmq.SUBSCRIBE, b"")
        made.connect(f"{endpoint}.{suffix}")

        def drain() -> None:
            try:
                while True:
                    handle(unpack(made.recv(zmq.NOBLOCK)))
            except zmq.Again:
                pass

        loop.add_reader(made.fileno(), drain)
        loop.call_soon(drain)

    if name == "feed":
        out = publisher("quotes")
        await paced(rate, stop, lambda: out.send(pack((BTC, time.time_ns(), 50_000.0, 50_000.1, 1.0, 1.0))))
    elif name == "strategy":
        orders = publisher("orders")
        subscriber("quotes", lambda quote: orders.send(pack((quote[0], "buy", 0.1, quote[1]))))
        await stop.wait()
    else:
        subscriber("orders", lambda order: took.append(time.time_ns() - order[3]))
        await stop.wait()
        print(json.dumps(percentiles(took[len(took) // 10 :])))
    context.destroy(0)


async def paced(rate: int, stop: asyncio.Event, send: Any) -> None:
    due = time.perf_counter()
    while not stop.is_set():
        due += 1 / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        send()


def percentiles(took: list[int]) -> dict[str, float]:
    """Return the median and the 99th percentile in us."""
    ordered = sorted(took)
    return {
        "count": len(ordered),
        "p50": ordered[len(ordered) // 2] / 1e3 if ordered else 0.0,
        "p99": ordered[len(ordered) * 99 // 100] / 1e3 if ordered else 0.0,
    }


def measured(way: str, seconds: float, rate: int) -> dict[str, float]:
    """Start three processes, let them run, and read what the last one measured."""
    with tempfile.TemporaryDirectory() as folder:
        endpoint = f"ipc://{folder}/bus"
        command = [sys.executable, __file__, "part", "--endpoint", endpoint, "--rate", str(rate), "--folder", folder]
        started = {
            name: subprocess.Popen(
                [*command, "--way", way, "--name", name],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join([str(peers.PLUGINS), os.environ.get("PYTHONPATH", "")]),
                },
            )
            for name in reversed(STAGES)
        }
        time.sleep(seconds + 2)
        for name in STAGES:
            started[name].send_signal(signal.SIGTERM)
            output, _ = started[name].communicate(timeout=30)
        if way == "raw":
            return dict(json.loads(output))
        return dict(json.loads((Path(folder) / "timed.json").read_text()))


def path(seconds: float, rate: int, rounds: int) -> None:
    figures: dict[str, list[dict[str, float]]] = {"raw": [], "off": [], "full": []}
    for _ in range(rounds):
        for way, found in figures.items():
            found.append(measured(way, seconds, rate))
    print(f"a quote to its command over three processes by ZeroMQ, {rate:,} quotes/s, {rounds} rounds, medians in us")
    plain = statistics.median(found["p50"] for found in figures["raw"])
    for way, found in figures.items():
        p50, p99 = (statistics.median(each[key] for each in found) for key in ("p50", "p99"))
        count = statistics.median(each["count"] for each in found)
        print(f"{way:>5}: p50 {p50:8.1f}  p99 {p99:8.1f}  {p50 / plain:5.2f} times raw  ({count:,.0f} commands)")


def memory(seconds: float) -> None:
    symbols = [f"{name}{number}/USDT:USDT" for number in range(10) for name in ("A", "B", "C", "D", "E")]
    instruments = {symbol: {"tick": 0.1, "step": 0.001, "min_notional": 5} for symbol in symbols}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "quantmind.yaml").write_text("state: state\n")
        plain = {
            "name": "memory",
            "instruments": instruments,
            "feeds": [{"synthetic": {"live": True, "quote_interval": "50ms"}}],
            "transport": {"zeromq": {"endpoint": f"ipc://{folder}/bus"}},
            "strategies": [{"momentum": {"interval": "1s", "fast": 3, "slow": 8, "rsi": 5}}],
            "allocator": "equal_weight",
            "risk": {
                "sizing": [{"fixed_fraction": {"fraction": 0.01}}],
                "protection": [{"atr_stop": {"interval": "1s", "period": 5, "multiplier": 3}}],
                "limits": [{"max_leverage": {"limit": 3}}],
            },
            "executor": {"paper": {"balance": 1_000_000}},
            "sinks": ["jsonl"],
        }
        (folder / "memory.yaml").write_text(yaml.safe_dump(plain))
        command = [sys.executable, "-m", "quantmind", "run", "memory.yaml", "--json"]
        supervisor = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(15)
        found = Path(f"/proc/{supervisor.pid}/task/{supervisor.pid}/children").read_text().split()
        before = {pid: cpu(pid) for pid in found}
        time.sleep(seconds)
        used = {pid: (cpu(pid) - before[pid]) / seconds for pid in found}
        sizes = {pid: pss(pid) for pid in found}
        names = {
            pid: Path(f"/proc/{pid}/cmdline").read_bytes().split(b"--stage\0")[1].split(b"\0")[0].decode()
            for pid in found
        }
        supervisor.send_signal(signal.SIGTERM)
        output, errors = supervisor.communicate(timeout=60)
    if supervisor.returncode:
        raise RuntimeError(errors)
    print(f"four stages, 50 symbols, 1,000 quotes/s in all, over {seconds:g} s")
    for pid in found:
        print(f"{names[pid]:>10}: {sizes[pid]:6.1f} MB PSS  {used[pid]:6.1%} of a core")
    print(f"{'together':>10}: {sum(sizes.values()):6.1f} MB PSS  {sum(used.values()):6.1%} of a core")
    summary = json.loads(output)
    print(f"{summary['events']:,} market events, {summary['orders']:,} orders")


def pss(pid: str) -> float:
    """Return a process's share of the memory, in MB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["path", "memory", "part"])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    for hidden in ("--way", "--name", "--endpoint", "--folder"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.what == "memory":
        memory(arguments.seconds)
    elif arguments.what == "path":
        path(arguments.seconds, arguments.rate, arguments.rounds)
    elif arguments.way == "raw":
        uvloop.run(raw(arguments.name, arguments.endpoint, arguments.rate))
    else:
        folder = Path(arguments.folder)
        os.environ["TIMED_FILE"] = str(folder / "timed.json")
        uvloop.run(stage(arguments.name, arguments.endpoint, arguments.rate, folder, arguments.way == "full"))


if __name__ == "__main__":
    main()

"""What a quote costs: in to command out when it flips the Target, and quotes that change nothing.

Run: python tests/benchmarks/bench_latency.py [--seconds 10] [--rate 1000]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from pathlib import Path

import peers

BTC = "BTC/USDT:USDT"


def flips(durable: str, seconds: str, rate: str) -> dict[str, float]:
    """Flip the Target at every quote, evenly paced; returns what the run measured, in us."""
    import uvloop

    from quantmind.events import Quote
    from quantmind.pipeline.run import Running
    from quantmind.plugins import Plugins
    from quantmind.project import Project
    from quantmind.recipe.load import load
    from quantmind.testing import ListFeed

    step = 1_000_000_000 // int(rate)
    quotes = tuple(
        Quote(BTC, (number + 1) * step, 50_000.0, 50_000.1, 1.0, 1.0) for number in range(int(seconds) * int(rate))
    )
    recipe = {
        "name": "flips",
        "instruments": [BTC],
        "feeds": [{"list": {"events": quotes, "speed": 1.0}}],
        "strategies": ["flip"],
        "allocator": "equal_weight",
        "risk": {
            "sizing": [{"fixed_quantity": {"quantity": 0.1}}],
            "limits": [{"max_leverage": {"limit": 3}}, {"max_position": {"limit": 1}}],
        },
        "executor": {"paper": {"balance": 1_000_000}},
    }
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        loaded = load(recipe, Plugins(extra=[ListFeed]), project, {})
        summary = uvloop.run(Running(loaded, project, durable=durable == "full").run())
    return {"orders": summary.orders, **summary.latency_us}


def idle(count: str) -> dict[str, float]:
    """Take quotes that change nothing; returns quotes per second of the driver."""
    from quantmind.events import Quote
    from quantmind.pipeline.run import Running
    from quantmind.plugins import Plugins
    from quantmind.project import Project
    from quantmind.recipe.load import load
    from quantmind.testing import ListFeed

    quotes = tuple(Quote(BTC, number, 50_000.0, 50_000.1 + number % 7, 1.0, 1.0) for number in range(1, int(count) + 1))
    recipe = {
        "name": "idle",
        "instruments": [BTC],
        "feeds": [{"list": {"events": quotes}}],
        "strategies": [{"flip": {"every": 0}}],
        "allocator": "equal_weight",
        "risk": {"sizing": [{"fixed_quantity": {"quantity": 0.1}}]},
        "executor": "paper",
    }
    spent = peers.drive_time()
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        loaded = load(recipe, Plugins(extra=[ListFeed]), project, {})
        asyncio.run(Running(loaded, project).run())
    return {"quotes_per_s": int(count) / spent()}


def main() -> None:
    """Print medians of several runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--child", nargs="+")
    options = parser.parse_args()
    if options.child:
        name, *arguments = options.child
        print(json.dumps({"flips": flips, "idle": idle}[name](*arguments)))
        return
    for durable in ("off", "full"):
        runs = [
            peers.child(__file__, "--child", "flips", durable, str(options.seconds), str(options.rate))
            for _ in range(options.runs)
        ]
        p50, p99 = (statistics.median(run[key] for run in runs) for key in ("p50", "p99"))
        print(f"flip at {options.rate}/s, journal synchronous {durable:4}  p50 {p50:7.1f} us  p99 {p99:7.1f} us")
    runs = [peers.child(__file__, "--child", "idle", "1000000") for _ in range(options.runs)]
    print(f"quotes that change nothing  {statistics.median(run['quotes_per_s'] for run in runs):,.0f}/s")


if __name__ == "__main__":
    sys.exit(main())

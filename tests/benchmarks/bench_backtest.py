"""The agreed work of the peers, through the public runner, beside the bare event loop in the same run.

Every run keeps a double-entry ledger, the equity of every bar and a journal. `rules` adds kelly, atr_stop and
max_leverage, which changes what is traded; `every bar` adds a signal on every bar, whose Target moves within the
no-trade band. The peers' figures leave loading out; ours leave out the check of the whole file before the run, which
is printed apart, and include reading it.

Run: python tests/benchmarks/bench_backtest.py [--bars 1000000] [--runs 5]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import peers

RECIPE = {
    "name": "agreed",
    "instruments": ["BTC/USDT:USDT"],
    "strategies": ["agreed_cross"],
    "allocator": "equal_weight",
    "risk": {"sizing": [{"fixed_quantity": {"quantity": 1}}]},
    "executor": {"paper": {"balance": 10_000_000, "taker_fee": 0.0004}},
}


RULES = {
    "sizing": [{"kelly": {"win_rate": 0.55, "reward_risk": 1.5, "fraction": 0.5, "cap": 0.01}}],
    "protection": [{"atr_stop": {"interval": "1m", "period": 14, "multiplier": 50}}],
    "limits": [{"max_leverage": {"limit": 3}}],
}
KINDS: dict[str, tuple[str, dict[str, object]]] = {
    "agreed work": ("none", {}),
    "sqlite": ("sqlite", {}),
    "rules": ("none", {"risk": RULES}),
    "every bar": ("none", {"risk": RULES, "strategies": [{"agreed_cross": {"every_bar": True}}]}),
}
"""What is run: its sink, and what of the recipe differs."""


def run(path: str, kind: str) -> dict[str, float]:
    """Run one kind of work once in this process."""
    import uvloop

    from quantmind.pipeline.run import Running
    from quantmind.plugins import Plugins
    from quantmind.project import Project
    from quantmind.recipe.load import load

    spent = peers.drive_time()
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        feeds = [{"replay": {"files": {"BTC/USDT:USDT": path}, "interval": "1m"}}]
        sink, different = KINDS[kind]
        sinks = [] if sink == "none" else [sink]
        recipe = load({**RECIPE, "feeds": feeds, "sinks": sinks, **different}, Plugins(), project, {})
        began = time.perf_counter()
        summary = uvloop.run(Running(recipe, project).run())
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "bars_per_s": summary.events / spent(),
        "whole_bars_per_s": summary.events / seconds,
        "fills": summary.fills,
        "final_equity": float(round(summary.equity, 4)),
        "peak_mb": peak,
    }


def main() -> None:
    """Print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "quantmind-bench")
    parser.add_argument("--child", nargs=2)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(run(*options.child)))
        return
    data = peers.bars(options.data / str(options.bars), options.bars)
    figures: dict[str, list[dict[str, float]]] = {"ref": [], **{kind: [] for kind in KINDS}}
    for _ in range(options.runs):
        figures["ref"].append(peers.reference(data, options.bars))
        for kind in KINDS:
            figures[kind].append(peers.child(__file__, "--child", str(data), kind))
    ref = statistics.median(figure["bars_per_s"] for figure in figures["ref"])
    print(f"bare event loop      {ref:12,.0f} bars/s  fills {figures['ref'][0]['fills']}")
    for kind in KINDS:
        runs = figures[kind]
        speed = statistics.median(figure["bars_per_s"] for figure in runs)
        ratio = statistics.median(
            figure["bars_per_s"] / other["bars_per_s"] for figure, other in zip(runs, figures["ref"], strict=True)
        )
        whole = statistics.median(figure["whole_bars_per_s"] for figure in runs)
        peak = max(figure["peak_mb"] for figure in runs)
        print(
            f"{kind:20} {speed:12,.0f} bars/s  ratio {ratio:.3f}  "
            f"with checking the file first {whole:,.0f}  peak {peak:.0f} MB  "
            f"fills {runs[0]['fills']}  final equity {runs[0]['final_equity']:.4f}"
        )


if __name__ == "__main__":
    sys.exit(main())

"""Where the peers' scripts and their data are, and how a figure of theirs is read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PEERS = Path(os.environ.get("QUANTMIND_PEERS", Path(__file__).parents[3] / "shared" / "peers"))
PLUGINS = Path(__file__).parent / "plugins"


def bars(folder: Path, count: int) -> Path:
    """Make the agreed bars (needs numpy, pandas and pyarrow) unless they are there."""
    path = folder / "bars_1m.parquet"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, str(PEERS / "gen_bars.py"), "--n", str(count), "--out", str(folder)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return path


def reference(data: Path, count: int) -> dict[str, float]:
    """Run the bare event loop once; returns its figures."""
    found = subprocess.run(
        [sys.executable, str(PEERS / "bench_bt_ref.py"), "--n", str(count), "--mode", "events"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "BENCH_DATA": str(data)},
    )
    return json.loads(found.stdout)


def drive_time() -> Callable[[], float]:
    """Time the driver of the runs to come in this process; returns what gives the last one's seconds."""
    from quantmind.pipeline.driver import Driver

    spent = 0.0
    drive = Driver.run

    async def timed(self: Driver) -> None:
        nonlocal spent
        began = time.perf_counter()
        await drive(self)
        spent = time.perf_counter() - began

    Driver.run = timed
    return lambda: spent


def child(script: str, *arguments: str) -> dict[str, float]:
    """Run a benchmark in a process of its own; returns the figures it prints."""
    found = subprocess.run(
        [sys.executable, script, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PLUGINS)},
    )
    return json.loads(found.stdout.splitlines()[-1])

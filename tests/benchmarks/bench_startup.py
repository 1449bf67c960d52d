"""How long the command takes to start, and what quickstart takes of memory, as whole processes.

Run: python tests/benchmarks/bench_startup.py [--runs 9]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = str(Path(sysconfig.get_path("scripts")) / "quantmind")


def measured(*command: str) -> tuple[float, float]:
    """Run a command; returns its milliseconds and its peak memory in MB."""
    with tempfile.TemporaryDirectory() as state:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, cwd=ROOT, env={**os.environ, "STATE_DIRECTORY": state}
        )
        _, status, usage = os.wait4(process.pid, 0)
        spent = (time.perf_counter() - began) * 1_000
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} exited {process.returncode}")
    return spent, usage.ru_maxrss / 1024


def main() -> None:
    """Print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    for arguments in (["--help"], ["lint", "recipes/quickstart.yaml"], ["run", "recipes/quickstart.yaml"]):
        figures = [measured(COMMAND, *arguments) for _ in range(runs)]
        spent, peak = (statistics.median(column) for column in zip(*figures, strict=True))
        print(f"quantmind {' '.join(arguments):34} {spent:6.0f} ms  peak {peak:4.0f} MB")
    figures = [measured(sys.executable, "-c", "pass") for _ in range(runs)]
    print(f"python -c pass {'':29} {statistics.median(spent for spent, _ in figures):6.0f} ms")


if __name__ == "__main__":
    sys.exit(main())

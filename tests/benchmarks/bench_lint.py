"""How long lint takes, and how much memory, as whole processes: of every recipe, and of the worst that can be written.

Run: python tests/benchmarks/bench_lint.py [--runs 3] [NAME...]

The target is 1 s and 50 MB, whatever the file; the plain baseline is what Python takes to import yaml and pydantic.
"""

from __future__ import annotations

import argparse
import os
import runpy
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORPUS = runpy.run_path(str(ROOT / "tests" / "recipe" / "corpus" / "worst.py"))
WORST: dict[str, str] = CORPUS["WORST"]
PROJECT: str = CORPUS["PROJECT"]
BESIDE = 5
"""The worst recipes, by their peak, that are linted once more beside a quantmind.yaml as large as one may be."""
PEAK = "import re, sys; sys.stderr.write(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
"""Writes the peak memory of the process itself: what its parent had is not counted, as it is by getrusage."""
LINT = f"from quantmind.cli import main; main(['lint', *sys.argv[1:]]); {PEAK}"
PLAIN = f"import yaml, pydantic; pydantic.BaseModel; {PEAK}"


def measured(code: str, *arguments: str) -> tuple[float, float, float]:
    """Run a program; returns its milliseconds, those of the processor, and its peak memory in MB."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", f"import sys; {code}", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    spent = (time.perf_counter() - began) * 1_000
    if not said.isdecimal():
        raise SystemExit(f"{arguments}: {said}")
    return spent, (usage.ru_utime + usage.ru_stime) * 1_000, int(said) / 1024


def main() -> None:
    """Print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("names", nargs="*", help="only the worst ones with such a name")
    asked = parser.parse_args()

    def row(name: str, code: str, *arguments: str) -> float:
        figures = [measured(code, *arguments) for _ in range(asked.runs)]
        spent, processor, peak = (statistics.median(column) for column in zip(*figures, strict=True))
        print(f"{name:56} {spent:6.0f} ms  {processor:6.0f} ms of a core  peak {peak:5.1f} MB", flush=True)
        return peak

    row("import yaml, pydantic", PLAIN)
    if not asked.names:
        for recipe in sorted((ROOT / "recipes").glob("*.yaml")):
            row(f"recipes/{recipe.name}", LINT, str(recipe))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "worst.yaml"
        peaks: dict[str, float] = {}
        for name, text in WORST.items():
            if not asked.names or any(part in name for part in asked.names):
                file.write_text(text)
                peaks[name] = row(name, LINT, str(file))
        (Path(folder) / "quantmind.yaml").write_text(PROJECT)
        for name in sorted(peaks, key=peaks.__getitem__, reverse=True)[:BESIDE]:
            file.write_text(WORST[name])
            row(f"{name}, and a full quantmind.yaml", LINT, str(file))


if __name__ == "__main__":
    sys.exit(main())

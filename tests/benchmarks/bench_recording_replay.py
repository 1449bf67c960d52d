"""How fast a raw recording is replayed: every message read, the book rebuilt and given out after each change.

Beside it the same file read with nothing but gzip and json of the standard library, in the same run.

Run: python tests/benchmarks/bench_recording_replay.py RECORDING.gz [--runs 5]
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import time
from pathlib import Path

from quantmind.events import Book, Quote, Trade
from quantmind_binance.recording import CHANNELS, Recording


def plain(path: Path) -> float:
    """Read the messages and do nothing with them; returns messages per second."""
    began = time.perf_counter()
    count = 0
    with gzip.open(path, "rb") as file:
        for line in file:
            json.loads(line.partition(b" ")[2])
            count += 1
    return count / (time.perf_counter() - began)


def replayed(path: Path, symbol: str) -> tuple[float, dict[str, int]]:
    """Replay the recording; returns messages per second, and what came of them."""
    counts = {"quotes": 0, "trades": 0, "books": 0}
    began = time.perf_counter()
    for batch in Recording(path).batches(symbol, CHANNELS, 20):
        for event in batch:
            kind = event.__class__
            if kind is Quote:
                counts["quotes"] += 1
            elif kind is Trade:
                counts["trades"] += 1
            elif kind is Book:
                counts["books"] += 1
    return sum(counts.values()) / (time.perf_counter() - began), counts


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    (symbol,) = Recording(arguments.recording).symbols()
    bare: list[float] = []
    ours: list[float] = []
    counts: dict[str, int] = {}
    for _ in range(arguments.runs):
        bare.append(plain(arguments.recording))
        speed, counts = replayed(arguments.recording, symbol)
        ours.append(speed)
    least, most = statistics.median(bare), statistics.median(ours)
    print(", ".join(f"{count:,} {what}" for what, count in counts.items()))
    print(f"gzip and json alone      {least:10,.0f} messages/s")
    print(f"replay with order book   {most:10,.0f} messages/s   {most / least:.2f} of it")


if __name__ == "__main__":
    main()

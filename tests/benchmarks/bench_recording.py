"""How fast market events go into a store, beside polars writing the same table at once.

Run by hand: `python tests/benchmarks/bench_recording.py [--events 300000] [--rounds 5] [--folder FOLDER]`. Ours takes
events in batches as a feed gives them out, of several symbols, makes row groups of them, writes each as a file of its
own that is on the disk before the next one, with its manifest, and at the end makes each day one file. polars writes
tables that are made already, one file for each channel, and does not wait for the disk. They take turns in the same
run; both print events a second.
"""

from __future__ import annotations

import argparse
import gc
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantmind.data.store import Store, Writer
from quantmind.data.store.tables import table
from quantmind.events import Book, Market, Quote, Trade
from quantmind.kinds import BOOKS, QUOTES, TRADES, Channel

if TYPE_CHECKING:
    import polars as pl

BATCH = 50
"""Events that a live feed gives out at a time."""

SYMBOLS = tuple(f"{coin}/USDT:USDT" for coin in ("BTC", "ETH", "SOL", "XRP"))
BEGIN = 1_723_075_200_000_000_000
LEVELS = 20


def ticks(count: int) -> list[Market]:
    """Make quotes and trades of several symbols, three to one."""
    made: list[Market] = []
    for n in range(count):
        ts, symbol, price = BEGIN + n * 1_000_000, SYMBOLS[n % len(SYMBOLS)], 60_000 + (n * 7919 % 1000) / 10
        if n % 16 < 12:
            made.append(Quote(symbol, ts, price, price + 0.1, n % 97 / 8, n % 89 / 8, ts + 900_000 + n % 1000, n))
        else:
            made.append(Trade(symbol, ts, price, n % 53 / 16, 1 if n % 2 else -1, n, ts + 900_000))
    return made


def books(count: int) -> list[Market]:
    """Make order books of some levels."""
    made: list[Market] = []
    for n in range(count):
        ts, price = BEGIN + n * 1_000_000, 60_000 + (n * 7919 % 1000) / 10
        bids = tuple([(price - level / 10, (n + level) % 31 / 8) for level in range(LEVELS)])
        asks = tuple([(price + (level + 1) / 10, (n + level) % 37 / 8) for level in range(LEVELS)])
        made.append(Book(SYMBOLS[n % len(SYMBOLS)], ts, bids, asks, ts + 900_000, n))
    return made


def ours(events: Sequence[Market], folder: Path) -> None:
    """Record the events."""
    with Writer(folder) as writer:
        for start in range(0, len(events), BATCH):
            writer.write("bench", events[start : start + BATCH])


def made_tables(events: Sequence[Market]) -> list[pl.DataFrame]:
    """Return the same rows as tables, one for each channel of a symbol."""
    channels: dict[type[Any], Channel] = {Quote: QUOTES, Trade: TRADES, Book: BOOKS}
    return [
        table(channel, [event for event in events if type(event) is kind and event.symbol == symbol])
        for kind, channel in channels.items()
        for symbol in SYMBOLS
    ]


def plain(tables: Sequence[pl.DataFrame], folder: Path) -> None:
    """Write tables by polars alone."""
    folder.mkdir()
    for n, rows in enumerate(tables):
        if len(rows):
            rows.write_parquet(folder / f"{n}.parquet")


def timed(work: Callable[[], None]) -> float:
    """Return the seconds that something takes."""
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def compare(what: str, events: Sequence[Market], rounds: int, place: Path) -> None:
    """Print the medians of both."""
    tables = made_tables(events)
    figures: dict[str, list[float]] = {"polars alone": [], "recorded": [], "read again": []}
    for n in range(rounds):
        figures["polars alone"].append(timed(lambda n=n: plain(tables, place / f"plain-{n}")))  # type: ignore[misc]
        figures["recorded"].append(timed(lambda n=n: ours(events, place / f"store-{n}")))  # type: ignore[misc]
        store = Store(place / f"store-{n}")
        batches = store.read("bench", SYMBOLS, [QUOTES, TRADES, BOOKS])
        figures["read again"].append(timed(lambda batches=batches: count(batches, len(events))))  # type: ignore[misc]
        shutil.rmtree(place / f"plain-{n}")
        shutil.rmtree(place / f"store-{n}")
    print(f"{what}: {len(events):,} events of {len(SYMBOLS)} symbols, {rounds} rounds, all of them there again")
    middle = {way: statistics.median(measured) for way, measured in figures.items()}
    for way, seconds in middle.items():
        ratio = seconds / middle["polars alone"]
        print(f"  {way:<14}{len(events) / seconds:>12,.0f} events/s  time to that of polars alone {ratio:6.1f}")


def count(batches: Any, expected: int) -> None:
    """Read to the end; nothing may lack."""
    read = 0
    for batch in batches:
        read += len(batch)
    if read != expected:
        raise RuntimeError(f"{expected - read} events are lost")


def main() -> None:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="Where to write; default: a temporary folder.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as place:
        compare("quotes and trades", ticks(arguments.events), arguments.rounds, Path(place))
        compare(f"order books of {LEVELS} levels", books(arguments.events // 10), arguments.rounds, Path(place))


if __name__ == "__main__":
    main()

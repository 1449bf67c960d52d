"""What a quote costs the matching engine: with 20 resting orders untouched, and with a fill on every tenth quote.

Run: python tests/benchmarks/bench_matching.py [--quotes 1000000] [--runs 3]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from decimal import Decimal

from quantmind.events import Bar, Quote, Submit
from quantmind.kinds import QUOTES, bars
from quantmind.market.instruments import KNOWN
from quantmind.simulation.matching import Matching
from quantmind.simulation.terms import Terms

BTC = "BTC/USDT:USDT"
MINUTE = 60_000_000_000
LOT = Decimal("0.001")


def resting(engine: Matching) -> None:
    """Rest ten limit orders and ten stops, a thousand below the market and a thousand above it, and on."""
    for number in range(10):
        away = 1_000 + number
        for side, price in (("buy", 50_000 - away), ("sell", 50_000 + away)):
            limit = Submit(f"{side}{number}", BTC, side, LOT, False, 0, 0, "limit", Decimal(price))
            engine.submit(limit)
            other = "sell" if side == "buy" else "buy"
            stop = Submit(f"stop {other}{number}", BTC, other, LOT, False, 0, 0, "stop_market", None, Decimal(price))
            engine.submit(stop)


def quotes(count: int) -> list[Quote]:
    """Make quotes that wander a little."""
    return [
        Quote(BTC, number, 50_000.0 + number % 7, 50_000.1 + number % 7, 1.0, 1.0) for number in range(1, count + 1)
    ]


def shown(engine: Matching, count: int, first: int) -> float:
    """Show quotes, numbered from the first on; returns quotes per second."""
    events = quotes(count)
    show = engine.on_market
    began = time.perf_counter()
    for seq, event in enumerate(events, first):
        show(seq, event)
    return count / (time.perf_counter() - began)


def untouched(count: int) -> float:
    """Show quotes that reach nothing; returns quotes per second."""
    engine = Matching(KNOWN, {BTC: {QUOTES}}, Terms(), Decimal(1_000_000))
    resting(engine)
    engine.on_market(1, Quote(BTC, 0, 50_000.0, 50_000.1, 1.0, 1.0))
    return shown(engine, count, 2)


def filled(count: int) -> float:
    """Submit a market order after every tenth quote, which the next one fills; returns quotes per second."""
    engine = Matching(KNOWN, {BTC: {QUOTES}}, Terms(), Decimal(1_000_000))
    resting(engine)
    engine.on_market(1, Quote(BTC, 0, 50_000.0, 50_000.1, 1.0, 1.0))
    events = quotes(count)
    show, submit = engine.on_market, engine.submit
    began = time.perf_counter()
    for seq, event in enumerate(events, 2):
        show(seq, event)
        if not seq % 10:
            submit(Submit(f"m{seq}", BTC, "buy" if seq % 20 else "sell", LOT, False, event.ts, seq))
    return count / (time.perf_counter() - began)


def nothing_waits(count: int) -> float:
    """Show quotes while no order rests; returns quotes per second."""
    return shown(Matching(KNOWN, {BTC: {QUOTES}}, Terms(), Decimal(1_000_000)), count, 1)


def orders_on_bars(count: int) -> float:
    """Submit a market order before every bar; returns orders per second, submit and fill."""
    engine = Matching(KNOWN, {BTC: {bars(MINUTE)}}, Terms(), Decimal(1_000_000))
    events = [
        Bar(BTC, number * MINUTE, MINUTE, 50_000.0, 50_010.0, 49_990.0, 50_001.0, 1.0) for number in range(1, count + 1)
    ]
    show, submit = engine.on_market, engine.submit
    began = time.perf_counter()
    for seq, event in enumerate(events, 1):
        submit(Submit(f"m{seq}", BTC, "buy" if seq % 2 else "sell", LOT, False, event.ts - MINUTE, seq - 1))
        show(seq, event)
    return count / (time.perf_counter() - began)


def main() -> None:
    """Print the median of several runs of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quotes", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    for name, work, count in (
        ("quotes, nothing waits", nothing_waits, options.quotes),
        ("quotes, 20 resting orders untouched", untouched, options.quotes),
        ("quotes, 20 resting orders, a fill on every tenth", filled, options.quotes // 10),
        ("market orders filled by bars", orders_on_bars, options.quotes // 10),
    ):
        speed = statistics.median(work(count) for _ in range(options.runs))
        print(f"{name:50} {speed:12,.0f}/s  {1e6 / speed:7.3f} us")


if __name__ == "__main__":
    sys.exit(main())

"""`quantmind risk atr-stop`: a stop from the average true range."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import click

from quantmind.cli.risk.figures import SIDES, Span, figure, json_option, plain, side_option, tell
from quantmind.errors import QuantMindError, UsageError
from quantmind.risk.ranges import POSITIVE, Range

_PERIODS = Range(Decimal(1), Decimal(1_000_000))


@click.command(
    "atr-stop",
    short_help="Work out a stop from the average true range.",
    epilog="\b\nExample: quantmind risk atr-stop --price 50000 --atr 250 --multiplier 2 --side long --tick 0.1\n"
    "Example: quantmind risk atr-stop --file btc-1h.parquet --interval 1h --period 14 --side short",
)
@figure("--price", POSITIVE, "The price of the entry; by default the last close of --file")
@figure("--atr", POSITIVE, "The average true range")
@figure("--multiplier", POSITIVE, "How many average true ranges the stop is away", default="3")
@side_option
@figure("--tick", POSITIVE, "The step of the price; without one the stop is not rounded")
@click.option("--file", type=click.Path(path_type=Path), help="Bars to measure the average true range on.")
@click.option("--interval", type=Span(), default="1m", show_default=True, help="With --file: the length of the bars.")
@figure("--period", _PERIODS, "With --file: the bars of the average", default="14", whole=True)
@json_option
def command(
    price: Decimal | None,
    atr: Decimal | None,
    multiplier: Decimal,
    side: str,
    tick: Decimal | None,
    file: Path | None,
    interval: int,
    period: Decimal,
    json_: bool,
) -> None:
    """Work out a stop at a multiple of the average true range, rounded to the side where it loses less."""
    from quantmind.risk.stop import atr_stop as stop_at

    if (file is None) == (atr is None):
        raise UsageError("give either --atr, or --file with bars to measure it on")
    if file is not None:
        measured, close = _measure(file, interval, int(period))
        atr, price = measured, price or close
    if atr is None or price is None:
        raise UsageError("give --price, the price of the entry")
    stop = stop_at(price, atr, multiplier, SIDES[side], tick)
    sign = "-" if SIDES[side] == "buy" else "+"
    percent = plain(stop.distance / price * 100, 3)
    lines = [
        f"stop {plain(stop.price)} = {plain(price)} {sign} {plain(stop.distance)}",
        f"distance {plain(stop.distance)} = {plain(multiplier)} * {plain(atr)}, {percent} % of the price",
    ]
    tell(
        lines,
        json_,
        stop=stop.price,
        distance=stop.distance,
        price=price,
        atr=atr,
        multiplier=multiplier,
        side=side,
    )


def _measure(file: Path, interval: int, period: int) -> tuple[Decimal, Decimal]:
    """Return the average true range after the last bar of a file, and its close."""
    from quantmind.data.bars import read_bars
    from quantmind.market.indicators import ATR

    table = read_bars({file.name: [file]}, interval)
    if len(table) <= period:
        raise QuantMindError(f"{file}: has {len(table)} bars; an average true range of {period} needs {period + 1}")
    average, close = ATR(period), 0.0
    for batch in table.batches():
        for bar in batch:
            average.update(bar.high, bar.low, bar.close)
            close = bar.close
    if not average.value:
        raise QuantMindError(f"{file}: its prices do not move, so there is no average true range")
    return Decimal(repr(average.value)), Decimal(repr(close))

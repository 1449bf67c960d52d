"""`quantmind risk`: sums of risk, exact, from the figures that are given."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import cast

import click

from quantmind.cli.figures import Figure, KnownInstrument, Span, figure, json_option, plain, tell
from quantmind.cli.risk_kelly import kelly
from quantmind.errors import QuantMindError, UsageError
from quantmind.events import Side
from quantmind.market.instruments import Instrument, Tier
from quantmind.risk.ranges import INSIDE, NOT_NEGATIVE, PART, POSITIVE, Range

_ONE = Decimal(1)
_ANY = Range(Decimal("-1e15"), Decimal("1e15"))
_SIDES: Mapping[str, Side] = {"long": "buy", "buy": "buy", "short": "sell", "sell": "sell"}

_side = click.option(
    "--side", type=click.Choice(list(_SIDES), case_sensitive=False), required=True, help="long or buy, short or sell."
)


class _Sums(click.Group):
    """A group of sums: figures that no sum can be made of are a mistake of whoever wrote them."""

    def invoke(self, ctx: click.Context) -> object:
        """Call the sum."""
        try:
            return super().invoke(ctx)
        except (ValueError, ArithmeticError) as error:
            reason = str(error) if isinstance(error, ValueError) else "these figures are too far apart to be computed"
            raise UsageError(reason) from error


@click.group(cls=_Sums)
def risk() -> None:
    """Work out Kelly, stops, sizes, liquidation and ruin; every figure is taken exactly as it is written."""


risk.add_command(kelly)


@risk.command(
    "atr-stop",
    short_help="Work out a stop from the average true range.",
    epilog="\b\nExample: quantmind risk atr-stop --price 50000 --atr 250 --multiplier 2 --side long --tick 0.1\n"
    "Example: quantmind risk atr-stop --file btc-1h.parquet --interval 1h --period 14 --side short",
)
@figure("--price", POSITIVE, "The price of the entry; by default the last close of --file")
@figure("--atr", POSITIVE, "The average true range")
@figure("--multiplier", POSITIVE, "How many average true ranges the stop is away", default="3")
@_side
@figure("--tick", POSITIVE, "The step of the price; without one the stop is not rounded")
@click.option("--file", type=click.Path(path_type=Path), help="Bars to measure the average true range on.")
@click.option("--interval", type=Span(), default="1m", show_default=True, help="With --file: the length of the bars.")
@figure("--period", Range(_ONE, Decimal(1_000_000)), "With --file: the bars of the average", default="14", whole=True)
@json_option
def atr_stop(
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
    stop = stop_at(price, atr, multiplier, _SIDES[side], tick)
    sign = "-" if _SIDES[side] == "buy" else "+"
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


@risk.command(
    short_help="Work out a quantity that the venue accepts.",
    epilog="\b\nExample: quantmind risk size --balance 10000 --risk 0.01 --stop-distance 500 --price 50000 "
    "--instrument BTC/USDT:USDT",
)
@figure("--balance", NOT_NEGATIVE, "The equity of the account", required=True)
@figure("--risk", PART, "The part of the balance that may be lost at the stop", required=True)
@figure("--stop-distance", POSITIVE, "The distance of the stop, in price units", required=True)
@figure("--price", POSITIVE, "The price of the entry", required=True)
@click.option("--instrument", type=KnownInstrument(), help="The symbol of a known instrument; else write its steps.")
@figure("--step", POSITIVE, "The step of the quantity")
@figure("--min-notional", NOT_NEGATIVE, "The smallest order value the venue takes")
@figure("--max-quantity", POSITIVE, "The largest quantity of one order")
@figure("--cap", POSITIVE, "The largest notional, as a multiple of the balance")
@json_option
def size(
    balance: Decimal,
    risk: Decimal,
    stop_distance: Decimal,
    price: Decimal,
    instrument: Instrument | None,
    step: Decimal | None,
    min_notional: Decimal | None,
    max_quantity: Decimal | None,
    cap: Decimal | None,
    json_: bool,
) -> None:
    """Work out the quantity that loses a part of the balance at the stop, and that the venue accepts.

    Where there is none the quantity is 0, and why is said.
    """
    from quantmind.risk.size import size as size_of

    if instrument is None and step is None:
        raise UsageError("give --instrument, or --step, the step of the quantity")
    known = instrument or Instrument("", _ONE, _ONE)
    traded = Instrument(
        known.symbol,
        known.tick,
        step or known.step,
        known.min_notional if min_notional is None else min_notional,
        max_quantity or known.max_quantity,
    )
    found = size_of(balance, risk, stop_distance, price, traded, cap)
    terms = f"{plain(found.wanted, 9)} = {plain(balance)} * {plain(risk)} / {plain(stop_distance)}"
    bounds = {
        "cap": f", at most {plain(cap or _ONE)} * {plain(balance)} / {plain(price)} by the cap",
        "max_quantity": f", at most {plain(traded.max_quantity or _ONE)} in one order",
    }
    lines = [f"quantity {found.quantity:f}: {terms}{bounds.get(found.bound, '')}, steps of {traded.step:f}"]
    if found.reason:
        lines.append(f"none is accepted: {found.reason}")
    else:
        lines.append(f"notional {plain(found.notional)}, loss at the stop {plain(found.loss)}")
    tell(
        lines,
        json_,
        quantity=found.quantity,
        wanted=found.wanted,
        bound=found.bound,
        reason=found.reason,
        notional=found.notional,
        loss=found.loss,
    )


@risk.command(
    short_help="Work out the liquidation price of a position.",
    epilog="\b\nExample: quantmind risk liquidation --side long --quantity 0.4 --entry 50000 --wallet 10000 "
    "--instrument BTC/USDT:USDT\n"
    "Example: quantmind risk liquidation --mode isolated --side short --quantity 1 --entry 2000 --leverage 10 "
    "--maintenance-rate 0.01",
)
@click.option(
    "--mode", type=click.Choice(["cross", "isolated"]), default="cross", show_default=True, help="The margin."
)
@_side
@figure("--quantity", POSITIVE, "The position, in base currency", required=True)
@figure("--entry", POSITIVE, "Its average entry price", required=True)
@click.option("--wallet", type=Figure(_ANY), help="Cross: the wallet balance. Isolated: the position's margin.")
@figure("--leverage", POSITIVE, "Isolated: gives the margin, notional / leverage")
@click.option("--instrument", type=KnownInstrument(), help="A known instrument, for its tiers; else write the rate.")
@figure("--maintenance-rate", INSIDE, "The maintenance margin rate, one tier")
@figure("--maintenance-amount", NOT_NEGATIVE, "The maintenance amount of this tier", default="0")
@figure("--other-maintenance", NOT_NEGATIVE, "Cross: the maintenance margin of all other positions", default="0")
@click.option("--other-unrealised", type=Figure(_ANY), default="0", help="Cross: their unrealised profit.")
@json_option
def liquidation(
    mode: str,
    side: str,
    quantity: Decimal,
    entry: Decimal,
    wallet: Decimal | None,
    leverage: Decimal | None,
    instrument: Instrument | None,
    maintenance_rate: Decimal | None,
    maintenance_amount: Decimal,
    other_maintenance: Decimal,
    other_unrealised: Decimal,
    json_: bool,
) -> None:
    """Work out the mark price at which the margin ratio is 100 %, in the maintenance tier that holds there."""
    from quantmind.risk.liquidation import liquidation as liquidation_of

    if (instrument is None) == (maintenance_rate is None):
        raise UsageError("give either --instrument, or --maintenance-rate")
    if mode == "cross" and leverage is not None:
        raise UsageError("--leverage gives the margin of an isolated position; with cross margin give --wallet")
    if mode == "isolated" and (other_maintenance or other_unrealised):
        raise UsageError("other positions do not matter to an isolated one; leave --other-... out")
    if (wallet is None) == (leverage is None):
        raise UsageError("give --wallet" + (", or --leverage" if mode == "isolated" else ""))
    margin = cast("Decimal", wallet) if leverage is None else quantity * entry / leverage
    tiers = instrument.tiers if instrument else (Tier(Decimal(0), maintenance_rate or _ONE, maintenance_amount),)
    found = liquidation_of(_SIDES[side], quantity, entry, margin, tiers, other_maintenance, other_unrealised)
    tier = found.tier
    sign = "-" if _SIDES[side] == "buy" else "+"
    top = f"{plain(margin)} - {plain(other_maintenance)} + {plain(other_unrealised)} + {plain(tier.amount)}"
    below = f"{plain(quantity)} * {plain(tier.rate)} {sign} {plain(quantity)}"
    if found.price is None:
        where = "no price above 0 liquidates this position"
    elif not found.price:
        where = "every price liquidates this position"
    else:
        away = plain((found.price / entry - 1) * 100, 2)
        where = f"liquidation price {plain(found.price, 2)}, {away} % from the entry"
    lines = [
        where,
        f"({top} {sign} {plain(quantity)} * {plain(entry)}) / ({below})",
        f"maintenance rate {plain(tier.rate)}, amount {plain(tier.amount)}, from a notional of {plain(tier.floor)} on",
    ]
    tell(
        lines,
        json_,
        price=found.price,
        maintenance_rate=tier.rate,
        maintenance_amount=tier.amount,
        margin=margin,
        mode=mode,
        side=side,
    )


@risk.command(
    short_help="Work out how likely a loss is.", epilog="Example: quantmind risk ruin --fraction 0.5 --drawdown 0.5"
)
@figure("--fraction", POSITIVE, "The part of the full Kelly fraction that is held", required=True)
@figure("--drawdown", INSIDE, "The part of the present equity that is lost", required=True)
@json_option
def ruin(fraction: Decimal, drawdown: Decimal, json_: bool) -> None:
    """Work out how likely a loss of a part of the present equity ever is, at a part of the Kelly fraction."""
    from quantmind.risk.ruin import ruin as ruin_of

    probability = ruin_of(fraction, drawdown)
    terms = f"(1 - {plain(drawdown)}) ^ (2 / {plain(fraction)} - 1)"
    lines = [f"probability {plain(probability)} = {terms if fraction < 2 else 'certain at twice Kelly and beyond'}"]
    tell(lines, json_, probability=probability, fraction=fraction, drawdown=drawdown)

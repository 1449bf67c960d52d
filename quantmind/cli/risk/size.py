"""`quantmind risk size`: a quantity that the venue accepts."""

from __future__ import annotations

from decimal import Decimal

import click

from quantmind.cli.risk.figures import KnownInstrument, figure, json_option, plain, tell
from quantmind.errors import UsageError
from quantmind.market.instruments import Instrument
from quantmind.risk.ranges import NOT_NEGATIVE, PART, POSITIVE

_ONE = Decimal(1)


@click.command(
    "size",
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
def command(
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

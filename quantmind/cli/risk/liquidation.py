"""`quantmind risk liquidation`: the liquidation price of a position."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

import click

from quantmind.cli.risk.figures import (
    SIDES,
    Figure,
    KnownInstrument,
    figure,
    json_option,
    plain,
    side_option,
    tell,
)
from quantmind.errors import UsageError
from quantmind.market.instruments import Instrument, Tier
from quantmind.risk.ranges import INSIDE, NOT_NEGATIVE, POSITIVE, Range

_ONE = Decimal(1)
_ANY = Range(Decimal("-1e15"), Decimal("1e15"))


@click.command(
    "liquidation",
    short_help="Work out the liquidation price of a position.",
    epilog="\b\nExample: quantmind risk liquidation --side long --quantity 0.4 --entry 50000 --wallet 10000 "
    "--instrument BTC/USDT:USDT\n"
    "Example: quantmind risk liquidation --mode isolated --side short --quantity 1 --entry 2000 --leverage 10 "
    "--maintenance-rate 0.01",
)
@click.option(
    "--mode", type=click.Choice(["cross", "isolated"]), default="cross", show_default=True, help="The margin."
)
@side_option
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
def command(
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
    found = liquidation_of(SIDES[side], quantity, entry, margin, tiers, other_maintenance, other_unrealised)
    tier = found.tier
    sign = "-" if SIDES[side] == "buy" else "+"
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

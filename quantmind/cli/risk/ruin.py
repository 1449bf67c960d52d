"""`quantmind risk ruin`: how likely a loss is."""

from __future__ import annotations

from decimal import Decimal

import click

from quantmind.cli.risk.figures import figure, json_option, plain, tell
from quantmind.risk.ranges import INSIDE, POSITIVE


@click.command(
    "ruin",
    short_help="Work out how likely a loss is.",
    epilog="Example: quantmind risk ruin --fraction 0.5 --drawdown 0.5",
)
@figure("--fraction", POSITIVE, "The part of the full Kelly fraction that is held", required=True)
@figure("--drawdown", INSIDE, "The part of the present equity that is lost", required=True)
@json_option
def command(fraction: Decimal, drawdown: Decimal, json_: bool) -> None:
    """Work out how likely a loss of a part of the present equity ever is, at a part of the Kelly fraction."""
    from quantmind.risk.ruin import ruin as ruin_of

    probability = ruin_of(fraction, drawdown)
    terms = f"(1 - {plain(drawdown)}) ^ (2 / {plain(fraction)} - 1)"
    lines = [f"probability {plain(probability)} = {terms if fraction < 2 else 'certain at twice Kelly and beyond'}"]
    tell(lines, json_, probability=probability, fraction=fraction, drawdown=drawdown)

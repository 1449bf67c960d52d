"""`quantmind risk`: sums of risk, exact, from the figures that are given."""

from __future__ import annotations

import click

from quantmind.cli.calling.subcommands import Subcommands
from quantmind.errors import UsageError

SUBCOMMANDS = {
    "atr-stop": "Work out a stop from the average true range.",
    "kelly": "Work out the part of the equity to risk on a trade.",
    "liquidation": "Work out the liquidation price of a position.",
    "ruin": "Work out how likely a loss is.",
    "size": "Work out a quantity that the venue accepts.",
}
"""Every subcommand, and what it does in one line."""


class _Sums(Subcommands):
    """A group of sums: figures that no sum can be made of are a mistake of whoever wrote them."""

    def invoke(self, ctx: click.Context) -> object:
        """Call the sum."""
        try:
            return super().invoke(ctx)
        except (ValueError, ArithmeticError) as error:
            reason = str(error) if isinstance(error, ValueError) else "these figures are too far apart to be computed"
            raise UsageError(reason) from error


@click.group(cls=_Sums, listed=SUBCOMMANDS, epilog="Example: quantmind risk kelly --win-rate 0.55 --reward-risk 1.5")
def risk() -> None:
    """Work out Kelly, stops, sizes, liquidation and ruin; every figure is taken exactly as it is written."""

"""`quantmind data`: the local store of recorded market data; each subcommand is a file, imported when it is called."""

from __future__ import annotations

import difflib
import importlib

import click

SUBCOMMANDS = {
    "record": "Record what the feeds of a recipe say.",
    "download": "Fetch history from an archive.",
    "list": "List what a store has.",
    "check": "Look for gaps, duplicates and what cannot be true.",
    "convert": "Bring files into a store, or a store into files.",
}
"""Every subcommand, and what it does in one line; `quantmind/cli/data_<subcommand>.py` holds it."""


class _Subcommands(click.Group):
    """A group whose subcommands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name them."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import the file of one."""
        if cmd_name not in SUBCOMMANDS:
            return None
        module = importlib.import_module(f"quantmind.cli.data_{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find it; a misspelt one is answered with the nearest."""
        if args[0] not in SUBCOMMANDS and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], SUBCOMMANDS, 1)
            hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(SUBCOMMANDS)}"
            ctx.fail(f"data: nothing is called {args[0]}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the table; imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUBCOMMANDS.items()))


@click.group(
    cls=_Subcommands,
    subcommand_metavar="COMMAND [ARGUMENTS]...",
    epilog="Example: quantmind data record recipes/quickstart.yaml --to market && quantmind data list market",
)
def data() -> None:
    """Record, fetch, list, check and convert market data.

    A store is a folder of Parquet files, venue=V/channel=C/symbol=S/day=D/part-N.parquet, that polars, pandas and
    DuckDB read as they are. Without a name it is `data` in the state folder of the project.
    """

"""`quantmind data`: the local store of recorded market data."""

from __future__ import annotations

import click

from quantmind.cli.calling.subcommands import Subcommands

SUBCOMMANDS = {
    "record": "Record what the feeds of a recipe say.",
    "download": "Fetch history from an archive.",
    "list": "List what a store has.",
    "check": "Look for gaps, duplicates and what cannot be true.",
    "convert": "Bring files into a store, or a store into files.",
}
"""Every subcommand, and what it does in one line."""


@click.group(
    cls=Subcommands,
    listed=SUBCOMMANDS,
    epilog="Example: quantmind data record recipes/quickstart.yaml --to market && quantmind data list market",
)
def data() -> None:
    """Record, fetch, list, check and convert market data.

    A store is a folder of Parquet files, venue=V/channel=C/symbol=S/day=D/part-N.parquet, that polars, pandas and
    DuckDB read as they are. Without a name it is `data` in the state folder of the project.
    """

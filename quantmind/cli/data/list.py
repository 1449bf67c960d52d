"""`quantmind data list`: what a store has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quantmind.cli.data.options import counted, store_folder

if TYPE_CHECKING:
    from quantmind.data.store.contents import Contents

_HEAD = ("VENUE", "CHANNEL", "SYMBOL", "DAYS", "ROWS", "FROM", "TO", "COMPLETE", "GAPS")
_RIGHT = frozenset({"DAYS", "ROWS", "COMPLETE", "GAPS"})


@click.command(
    "list",
    short_help="List what a store has.",
    epilog="Examples: quantmind data list · quantmind data list ~/market --json",
)
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, an object for each channel.")
def command(folder: Path | None, as_json: bool) -> None:
    """List what the store FOLDER has of each venue, channel and symbol; without a name, the project's.

    COMPLETE is the part that is there of the bars, or of the numbered trades, between the first and the last one;
    - where the venue numbers nothing by which that could be told. FROM and TO of bars are the times of their open.
    """
    from quantmind.data.store import Store
    from quantmind.data.store.contents import contents

    found = list(contents(Store(store_folder(folder))))
    if as_json:
        click.echo(json.dumps([row.as_json() for row in found], indent=2))
        return
    rows = [_HEAD, *map(_cells, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        cells = [
            cell.rjust(width) if name in _RIGHT else cell.ljust(width)
            for name, cell, width in zip(_HEAD, row, widths, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def _cells(row: Contents) -> tuple[str, ...]:
    from quantmind.data.store.layout import channel_name
    from quantmind.kinds.moment import format_moment

    # What lacks must not be rounded away.
    complete = "-" if row.completeness is None else f"{int(row.completeness * 10_000) / 100:.2f} %"
    gaps = "-" if row.completeness is None else f"{row.gaps:,}"
    if row.absent_days:
        gaps += f" ({counted(row.absent_days, 'day')} absent)"
    return (
        row.stream.venue,
        channel_name(row.stream.channel),
        row.stream.symbol,
        f"{row.days:,}",
        f"{row.rows:,}",
        format_moment(row.first),
        format_moment(row.last),
        complete,
        gaps,
    )

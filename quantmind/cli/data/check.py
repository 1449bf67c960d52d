"""`quantmind data check`: what is wrong with recorded data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from quantmind.cli.data.options import SPAN
from quantmind.errors import UsageError

if TYPE_CHECKING:
    from quantmind.data.store.findings import Finding, Limits


@click.command(
    "check",
    short_help="Look for gaps, duplicates and what cannot be true.",
    epilog="Examples: quantmind data check ~/market · quantmind data check BTC_USDT_USDT-1m-futures.feather --json",
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--interval", type=SPAN, help="Of files of bars: their length; default: by name, else as they lie.")
@click.option("--silence", type=SPAN, default="5m", show_default=True, help="How long quotes and marks may be silent.")
@click.option("--zero-volume", type=click.IntRange(1), default=10, show_default=True, help="Bars in a row without any.")
@click.option("--most", type=click.IntRange(1), default=20, show_default=True, help="Rows told of each kind and table.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, an object for each finding.")
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[Path, ...],
    interval: int | None,
    silence: int,
    zero_volume: int,
    most: int,
    as_json: bool,
) -> None:
    """Check each PATH: the folder of a store, or a file of bars or trades; end with 1 if anything is found.

    Looked for are gaps (bars, trade ids, settlements, days), duplicates, times that go back, bars that cannot be
    true, crossed quotes and books, prices and sizes that are none, silence, bars without volume in a row, damaged
    files and manifests that are wrong. Nothing is changed.
    """
    from quantmind.data.store.findings import Limits

    limits = Limits(silence, zero_volume, most)
    found: list[Finding] = []
    for path in paths:
        before = len(found)
        for finding in _findings(path, interval, limits):
            found.append(finding)
            if not as_json:
                click.echo(str(finding))
        if not as_json and len(found) == before:
            click.echo(f"{path}: ok")
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(finding) for finding in found], indent=2))
    ctx.exit(1 if found else 0)


def _findings(path: Path, interval: int | None, limits: Limits) -> Iterator[Finding]:
    from quantmind.data.store import Store
    from quantmind.data.store.check import check_file, check_store

    if path.is_dir():
        store = Store(path)
        if not store.streams():
            raise UsageError(
                f"{path}: is no store: it has no folder venue=.../channel=.../symbol=...; files in it may be named"
            )
        yield from check_store(store, limits)
    elif not path.expanduser().exists():
        raise UsageError(f"{path}: there is no such file or folder; looked up from {Path.cwd()}")
    else:
        yield from check_file(path, interval, limits)

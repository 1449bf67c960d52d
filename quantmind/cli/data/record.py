"""`quantmind data record`: what the feeds of a recipe say, into the store."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quantmind import logs
from quantmind.cli.calling.interruption import interruptible
from quantmind.cli.calling.session import Session
from quantmind.cli.completing import completers
from quantmind.cli.data.options import CHANNELS, SPAN, counted, store_folder

if TYPE_CHECKING:
    from quantmind.kinds.channel import Channel


@click.command(
    "record",
    short_help="Record what the feeds of a recipe say.",
    epilog="Examples: quantmind data record recipes/live.yaml --for 10m · "
    "quantmind data record recipe.yaml --channels quote,trade,mark --to ~/market --json",
)
@click.argument(
    "recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path), shell_complete=completers.recipes
)
@click.option("--to", type=click.Path(path_type=Path), metavar="FOLDER", help="The store; default: the project's.")
@click.option("--for", "duration", type=SPAN, metavar="DURATION", help="How long, such as 10m; default: to the end.")
@click.option(
    "--channels",
    type=CHANNELS,
    help="Record all that the feeds offer of these, such as quote,trade,bar; default: what the recipe needs.",
)
@click.option("--flush", type=SPAN, default="1m", show_default=True, help="What a kill may cost at the most.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def command(
    session: Session,
    recipe: Path,
    to: Path | None,
    duration: int | None,
    channels: tuple[Channel, ...] | None,
    flush: int,
    as_json: bool,
) -> None:
    """Record every market event that the feeds of RECIPE give out; nothing is decided and nothing is traded.

    An interrupt (Ctrl-C) or SIGTERM ends it with exit code 0 when all is written. Killed at any moment, it loses at
    the most what is not written yet: --flush says how long that is. The next start removes what was left half done
    and goes on. A store takes one writer at a time.
    """
    from quantmind.pipeline.storing import Storing

    loaded, project = session.load(recipe, stage="feed")
    logs.configure(project.level)
    folder = project.state / "data" if to is None else store_folder(to)
    storing = Storing(
        loaded,
        folder,
        channels=channels,
        seconds=None if duration is None else duration / 1e9,
        flush=flush / 1e9,
        progress=sys.stderr if sys.stderr.isatty() and not as_json else None,
    )
    outcome = interruptible(storing)
    if as_json:
        click.echo(json.dumps(outcome.as_json()))
        return
    for stream, count in outcome.counts.items():
        click.echo(f"{stream}: {counted(count, 'event')}")
    click.echo(f"{counted(outcome.events, 'event')} in {outcome.seconds:.1f} s are in {folder}")
    for line in outcome.notes:
        click.echo(line)

"""`quantmind top`: a running pipeline at a glance."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quantmind.cli.calling.interruption import watch
from quantmind.cli.calling.session import Session
from quantmind.cli.completing import completers
from quantmind.errors import QuantMindError

if TYPE_CHECKING:
    from quantmind.observing.snapshot import Snapshot
    from quantmind.recipe.model import Recipe

_PATIENCE = 2.5
"""Seconds that stages have to be heard before one table is printed."""
_REFRESH = 0.5
_MOMENT = 0.05
_WIDTH = 132
"""Columns of a table that is not printed on a terminal."""


@click.command(epilog="Examples: quantmind top recipe.yaml · quantmind top recipe.yaml --json")
@click.argument(
    "recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path), shell_complete=completers.recipes
)
@click.option("--once", is_flag=True, help="Print one table, also on a terminal.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def top(session: Session, recipe: Path, once: bool, as_json: bool) -> None:
    """Show how RECIPE's pipeline stands: stages, what ails, streams, the account, positions, and the last incidents.

    On a terminal the tables stay and are refreshed, until q or Ctrl-C; in a pipe they are printed once. Of a stage,
    frame gaps, drops and duplicates are what it noticed, restarts how often it was started again; one that says
    nothing for 3 s is silent. Of a stream, gaps are breaks in the venue's numbers, fetched the events that were asked
    for again, missing those that are missing for good, complete the part that came, age how long nothing has come;
    only feeds that count them have any. A recipe without a transport has no stages to show.
    """
    loaded, project = session.load(recipe, stage="observer")
    # Whatever goes wrong with frames stands among the incidents.
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)

    live = not (once or as_json) and sys.stdout.isatty()
    show = _live if live else (_print_json if as_json else _print)
    watch(_in_one_process(loaded, project.state, show) if loaded.transport is None else _listen(loaded, show))


_Look = Callable[[], Awaitable["Snapshot"]]
_Show = Callable[[_Look], Awaitable[None]]


async def _listen(recipe: Recipe, show: _Show) -> None:
    from quantmind.observing.observer import Observer
    from quantmind.observing.overview import Overview
    from quantmind.pipeline import build

    overview = Overview(recipe.name, build.stages(recipe))

    async def look() -> Snapshot:
        return overview.snapshot()

    async with Observer(recipe, overview.hear, overview.notice, ("operations",)) as observer:
        if show is not _live:
            for _ in range(round(_PATIENCE / _MOMENT)):
                if overview.complete:
                    break
                await asyncio.sleep(_MOMENT)
            if not overview.heard_any:
                raise QuantMindError(
                    f"{recipe.name}: no stage was heard in {_PATIENCE:g} s: start it with `quantmind run {recipe.file}`"
                )
        showing = asyncio.ensure_future(show(look))
        failing = asyncio.ensure_future(observer.finished())
        try:
            done, _ = await asyncio.wait((showing, failing), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (showing, failing):
                task.cancel()
            await asyncio.gather(showing, failing, return_exceptions=True)


async def _in_one_process(recipe: Recipe, state: Path, show: _Show) -> None:
    from quantmind.observing.single import home_of, status_of
    from quantmind.observing.snapshot import Snapshot

    home = await asyncio.to_thread(home_of, state, recipe)

    async def look() -> Snapshot:
        status = await asyncio.to_thread(status_of, home)
        if status is None:
            raise QuantMindError(f"{recipe.name}: no longer runs")
        return Snapshot.of(recipe.name, status)

    await show(look)


async def _print_json(look: _Look) -> None:
    from quantmind.control.answers import plain

    click.echo(json.dumps(plain(await look())))


async def _print(look: _Look) -> None:
    from rich.console import Console

    from quantmind.observing.screen import screen

    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    console.print(screen(await look(), console.width))


async def _live(look: _Look) -> None:
    from rich.live import Live

    from quantmind.observing.keys import pressed
    from quantmind.observing.screen import screen

    ended = asyncio.Event()
    with Live(screen=True, auto_refresh=False) as live, pressed("qQ", ended.set):
        while not ended.is_set():
            live.update(screen(await look(), live.console.width), refresh=True)
            try:
                await asyncio.wait_for(ended.wait(), _REFRESH)
            except TimeoutError:
                continue

"""`quantmind tap`: what the stages of a running pipeline say to each other."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quantmind import logs
from quantmind.cli.calling.interruption import watch
from quantmind.cli.calling.session import Session
from quantmind.cli.completing import completers
from quantmind.errors import UsageError

if TYPE_CHECKING:
    from quantmind.events import codec
    from quantmind.observing.observer import Observer
    from quantmind.recipe.model import Recipe

_MOMENT = 3.0
"""Seconds without a word after which the user is told that the pipeline may not run."""


@click.command(
    epilog="Examples: quantmind tap recipe.yaml --topic decisions --topic facts · "
    "quantmind tap recipe.yaml --symbol BTC/USDT:USDT --count 100 | jq .type"
)
@click.argument(
    "recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path), shell_complete=completers.recipes
)
@click.option(
    "--topic",
    "topics",
    multiple=True,
    type=click.Choice(["market", "decisions", "facts", "operations"]),
    help="Only what is said under this topic; may be given again.",
)
@click.option(
    "--stage",
    "stages",
    multiple=True,
    type=click.Choice(["feed", "strategy", "execution", "sink"]),
    help="Only what this stage says; may be given again.",
)
@click.option(
    "--symbol",
    "symbols",
    multiple=True,
    shell_complete=completers.symbols,
    help="Only what is about this symbol; may be given again.",
)
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="End after N lines.")
@click.pass_obj
def tap(
    session: Session,
    recipe: Path,
    topics: tuple[str, ...],
    stages: tuple[str, ...],
    symbols: tuple[str, ...],
    count: int | None,
) -> None:
    """Print what the stages of RECIPE's pipeline say to each other, a JSON object on each line, until Ctrl-C.

    It listens by the recipe's transport, says nothing itself, and holds up nobody. Gaps, duplicates and frames that
    cannot be read are told on the standard error.
    """
    loaded, _ = session.load(recipe, stage="observer")
    if loaded.transport is None:
        raise UsageError(f"{recipe}: has no transport to listen to: `quantmind status` shows what runs in one process")
    known = [instrument.symbol for instrument in loaded.instruments]
    unknown = next((symbol for symbol in symbols if symbol not in known), None)
    if unknown is not None:
        raise UsageError(f"--symbol {unknown}: {recipe} has no such instrument, only {', '.join(known)}")
    logs.configure("warning")

    watch(_listen(loaded, topics, stages, symbols, count))


async def _listen(
    recipe: Recipe, topics: tuple[str, ...], stages: tuple[str, ...], symbols: tuple[str, ...], count: int | None
) -> None:
    from quantmind.observing.lines import lines
    from quantmind.observing.observer import Observer
    from quantmind.pipeline.printer import Printer

    left = count

    def hear(frame: codec.Frame) -> None:
        nonlocal left
        if stages and frame.stage not in stages:
            return
        for line in lines(frame, symbols):
            if left == 0:
                return
            printer.print(line)
            if left is not None:
                left -= 1
                if left == 0:
                    observer.finish()

    printer = Printer(sys.stdout.fileno())
    observer = Observer(recipe, hear, lambda _: None, topics or None)
    waiting = [asyncio.create_task(_tell_if_silent(observer, recipe)), asyncio.create_task(printer.gone.wait())]
    waiting[1].add_done_callback(lambda _: observer.finish())
    whole = False
    try:
        async with observer:
            await observer.finished()
            whole = True
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await printer.close(None if whole else 1.0)
        if printer.dropped:
            click.echo(f"tap: {printer.dropped} lines were dropped: who reads them is too slow", err=True)


async def _tell_if_silent(observer: Observer, recipe: Recipe) -> None:
    await asyncio.sleep(_MOMENT)
    reception = observer.reception
    if not reception.frames and not reception.incidents:
        click.echo(f"tap: nothing heard of pipeline {recipe.name} so far: does it run?", err=True)

"""`quantmind run`: a recipe as a pipeline in the foreground."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from quantmind import logs
from quantmind.cli.session import Session
from quantmind.errors import UsageError

if TYPE_CHECKING:
    from quantmind.pipeline.summary import Summary


@click.command(
    short_help="Run a recipe.",
    epilog="Examples: quantmind run recipes/quickstart.yaml · quantmind run recipe.yaml --record --json",
)
@click.argument("recipe", type=click.Path(path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
@click.option("--record", is_flag=True, help="Write every input of each reducer, for --exact.")
@click.option("--resume", metavar="RUN", help="Go on with a run that was interrupted.")
@click.option("--exact", metavar="RUN", help="Repeat a recorded run and compare what comes out.")
@click.option(
    "--stage",
    type=click.Choice(["feed", "strategy", "execution"]),
    help="Run one stage of a recipe that has a transport.",
)
@click.pass_obj
def run(
    session: Session,
    recipe: Path | None,
    as_json: bool,
    record: bool,
    resume: str | None,
    exact: str | None,
    stage: str | None,
) -> None:
    """Run RECIPE until its feeds end or it is interrupted, and print a summary.

    An interrupt (Ctrl-C) or SIGTERM ends the run after the events at hand, with exit code 0; a second interrupt
    ends it at once, with 130. With --resume or --exact the recipe is the one the run was made with.
    """
    if exact and (record or resume or stage):
        raise UsageError("--exact repeats a run from its recording; it takes no --record, --resume or --stage")
    loaded, project = session.load(recipe, resume or exact)
    logs.configure(project.level)
    if exact:
        from quantmind.pipeline.exact import repeat

        for line in repeat(loaded, project, exact):
            click.echo(line)
        return
    if stage is None and loaded.transport is not None:
        raise UsageError(
            f"{loaded.file}: this recipe has a transport; start its stages one by one with --stage feed, "
            "--stage strategy and --stage execution"
        )
    if stage is not None and loaded.transport is None:
        raise UsageError(f"{loaded.file}: --stage needs a recipe with a transport; this one runs in one process")
    from quantmind.pipeline.run import Running

    running = Running(loaded, project, record, resume, sys.stderr if as_json else sys.stdout)
    work: _Work = running
    if stage is not None:
        from quantmind.pipeline.stages import STAGES

        work = STAGES[stage](running)
    summary = _interruptible(work)
    if summary is None:
        return
    if as_json:
        click.echo(json.dumps(summary.as_json()))
    else:
        click.echo("\n".join(summary.lines()))


class _Work(Protocol):
    async def run(self) -> Summary | None: ...

    def stop(self) -> None: ...


def _interruptible(work: _Work) -> Summary | None:
    """Run to the end; the first signal stops the run in good order, a second interrupt kills it."""
    import uvloop

    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        if interrupted:
            os._exit(130)
        interrupted = True
        work.stop()

    async def main() -> Summary | None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, interrupt)
        loop.add_signal_handler(signal.SIGTERM, work.stop)
        return await work.run()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())

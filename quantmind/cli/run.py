"""`quantmind run`: a recipe as a pipeline in the foreground."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from quantmind import logs
from quantmind.cli.calling.interruption import Work, interruptible
from quantmind.cli.calling.session import Session
from quantmind.cli.calling.standard_output import reserved
from quantmind.cli.completing import completers
from quantmind.errors import QuantMindError, UsageError

if TYPE_CHECKING:
    from quantmind.pipeline.summary import Summary
    from quantmind.project import Project
    from quantmind.recipe.model import Recipe


@click.command(
    short_help="Run a recipe.",
    epilog="Examples: quantmind run recipes/quickstart.yaml · quantmind run recipe.yaml --record --json",
)
@click.argument(
    "recipe",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=False,
    shell_complete=completers.recipes,
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
@click.option("--record", is_flag=True, help="Write every input of each reducer, for --exact.")
@click.option("--resume", metavar="RUN", shell_complete=completers.runs, help="Go on with a run that was interrupted.")
@click.option(
    "--exact", metavar="RUN", shell_complete=completers.runs, help="Repeat a recorded run and compare what comes out."
)
@click.option(
    "--stage",
    type=click.Choice(["feed", "strategy", "execution", "sink"]),
    help="Run one stage of a recipe that has a transport.",
)
@click.option("--summary", "summary_file", type=click.Path(path_type=Path), hidden=True)
@click.option("--parent", type=int, hidden=True)
@click.pass_obj
def run(
    session: Session,
    recipe: Path | None,
    as_json: bool,
    record: bool,
    resume: str | None,
    exact: str | None,
    stage: str | None,
    summary_file: Path | None,
    parent: int | None,
) -> None:
    """Run RECIPE until its feeds end or it is interrupted, and print a summary.

    An interrupt (Ctrl-C) or SIGTERM ends the run after the events at hand, with exit code 0; a second interrupt
    ends it at once, with 130. With --resume or --exact the recipe is the one the run was made with.
    """
    if exact and (record or resume or stage):
        raise UsageError("--exact repeats a run from its recording; it takes no --record, --resume or --stage")
    output = sys.stderr if as_json else sys.stdout
    with reserved(as_json=as_json):
        loaded, project = session.load(recipe, resume or exact, stage)
    logs.configure(project.level)
    if exact:
        from quantmind.pipeline.exact import repeat

        for line in repeat(loaded, project, exact):
            click.echo(line)
        return
    if stage is not None and loaded.transport is None:
        raise UsageError(f"{loaded.file}: --stage needs a recipe with a transport; this one runs in one process")
    if record or resume is not None:
        with reserved(as_json=as_json):
            _check(loaded, project, record, resume)
    if stage is None and loaded.transport is not None:
        with reserved(as_json=as_json):
            summary = _supervised(session, loaded, record, resume, output)
        _tell(summary, as_json)
        return
    from quantmind.pipeline.run import Running
    from quantmind.pipeline.supervisor import end_with_parent

    if parent is not None:
        end_with_parent(parent)
    running = Running(loaded, project, record, resume, output)
    work: Work[Summary | None] = running
    if stage is not None:
        from quantmind.pipeline import stages

        work = stages.stage(stage, running)
    with reserved(as_json=as_json):
        summary = interruptible(work)
    if summary_file is not None:
        _leave(summary_file, summary, work)
    else:
        _tell(summary, as_json)


def _check(recipe: Recipe, project: Project, record: bool, resume: str | None) -> None:
    """Refuse what cannot be recorded or resumed, before anything is started for it.

    Raises:
        UsageError: it cannot.
    """
    from quantmind.pipeline import build
    from quantmind.pipeline.folder import RunFolder

    live = build.runs_live(recipe)
    if record and live and recipe.transport is not None:
        raise UsageError("--record writes the inputs of one process; with a live feed, leave the transport out")
    if resume is None:
        return
    if record:
        raise UsageError("--record and --resume exclude each other: a recording has every input from the first")
    folder = RunFolder.find(project.state, resume)
    if live:
        raise UsageError(
            f"--resume goes on with a replay, and {folder.name} is live: its account goes on by itself: "
            f"`quantmind run {recipe.file}`"
        )
    folder.check(recipe.resolved)


def _supervised(session: Session, recipe: Recipe, record: bool, resume: str | None, output: TextIO) -> Summary | None:
    """Run every stage of a recipe as a child process."""
    from quantmind.pipeline import build
    from quantmind.pipeline.summary import Summary
    from quantmind.pipeline.supervisor import Supervisor, command

    if recipe.file is None:
        raise UsageError("a recipe that is run in processes must be a file")
    options = [*(["--record"] if record else []), *(["--resume", resume] if resume else [])]
    flags = [*(["--debug"] if session.debug else []), *(["--no-plugins"] if session.only_own else [])]
    supervisor = Supervisor(
        build.stages(recipe),
        command(recipe.file, options, flags),
        live=build.runs_live(recipe),
        output=output,
        errors=sys.stderr,
    )
    summed = interruptible(supervisor)
    return None if summed is None else Summary.from_json(summed)


def _tell(summary: Summary | None, as_json: bool) -> None:
    if summary is None:
        return
    if as_json:
        click.echo(json.dumps(summary.as_json()))
    else:
        click.echo("\n".join(summary.lines()))


def _leave(file: Path, summary: Summary | None, work: object) -> None:
    """Leave what a stage sums up to who started it."""
    failures: dict[str, str] | None = getattr(work, "failures", None)
    left = failures if summary is None else summary.as_json()
    if left is None:
        return
    try:
        file.write_text(json.dumps(left))
    except OSError as error:
        raise QuantMindError(
            f"{file}: cannot be written: {error.strerror}: the run itself is over, in order"
        ) from error

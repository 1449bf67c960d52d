"""`quantmind export`: the record of a run as JSON lines."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import click

from quantmind.cli.session import Session


@click.command(short_help="Print the record of a run.", epilog="Example: quantmind export 20260101-120000-quickstart")
@click.argument("run")
@click.pass_obj
def export(_: Session, run: str) -> None:
    """Print the signals, Targets, orders, fills and refusals of RUN as JSON lines, by position.

    RUN is the name that `quantmind run` printed, or the run's folder. Two runs that decided the same export
    the same bytes.
    """
    from quantmind.pipeline.export import lines
    from quantmind.pipeline.folder import RunFolder
    from quantmind.project import Project

    folder = RunFolder.find(Project.find(Path.cwd(), os.environ).state, run)
    with contextlib.closing(folder.journal()) as journal:
        for line in lines(journal):
            click.echo(line)

"""`quantmind doctor`: whether all that QuantMind needs is there."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from quantmind.cli.calling.session import Session
from quantmind.cli.completing import completers

if TYPE_CHECKING:
    from quantmind.doctor.finding import Check, Finding

_COLOURS = {"ok": "green", "warning": "yellow", "failed": "red"}


@click.command(
    short_help="Check the environment.",
    epilog="\b\nExample: quantmind doctor\nExample: quantmind doctor recipes/nats.yaml --json",
)
@click.argument(
    "recipes",
    nargs=-1,
    metavar="[RECIPE]...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    shell_complete=completers.recipes,
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, an object for each line.")
@click.pass_context
def doctor(ctx: click.Context, recipes: tuple[Path, ...], as_json: bool) -> None:
    """Check versions, plugins, project, disk, accounts, clock and machine; with a RECIPE its servers too.

    Each line says whether it is ok, a warning, or FAILED, what was found, and what to do. Nothing is changed; a
    file is written to the state folder and removed again, to see that it can be. Without a RECIPE nothing goes over
    the network. With one, every server that its components name is greeted as they would: Redis, NATS, the sockets
    of ZeroMQ, a venue. All checks run side by side, for some five seconds at the most.

    \b
    Ends with 0   nothing has failed; there may be warnings
              1   something has FAILED
    """  # noqa: D301 - \b keeps click from wrapping
    from quantmind.doctor import examination

    findings = examination.examine(_checks(ctx.obj, recipes), examination.PATIENCE)
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(finding) for finding in findings], indent=2))
    else:
        _tell(findings)
    ctx.exit(1 if any(finding.state == "failed" for finding in findings) else 0)


def _checks(session: Session, files: tuple[Path, ...]) -> dict[str, Check]:
    """Return every check; what needs the project is left out where that cannot be read."""
    # All of it is imported here: threads that import the same at once would be in each other's way.
    from quantmind.doctor.accounts import accounts
    from quantmind.doctor.clock import clock
    from quantmind.doctor.finding import failed
    from quantmind.doctor.installation import installation
    from quantmind.doctor.machine import machine
    from quantmind.doctor.plugins import plugins
    from quantmind.doctor.recipes import recipes
    from quantmind.doctor.state import state
    from quantmind.errors import QuantMindError
    from quantmind.project import Project

    checks: dict[str, Check] = {"quantmind": installation, "machine": machine, "clock": clock}
    try:
        project = Project.find(files[0].parent if files else Path.cwd(), os.environ)
    except QuantMindError as error:
        faults = error.lines
        return {**checks, "project": lambda: (failed("project", line) for line in faults)}

    def parts() -> Iterator[Finding]:
        """Load plugins, and then the recipes that need them."""
        known = session.plugins(project)
        yield from plugins(known, project)
        yield from recipes(files, known)

    return {**checks, "state": lambda: state(project), "accounts": lambda: accounts(project), "plugins": parts}


def _tell(findings: list[Finding]) -> None:
    """Write a line for each finding, and sum up."""
    colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        word = (finding.state.upper() if finding.state == "failed" else finding.state).ljust(7)
        shown = click.style(word, fg=_COLOURS[finding.state]) if colours else word
        click.echo(f"{shown}  {finding.subject.ljust(width)}  {finding.told}", color=colours)
    counted = Counter(finding.state for finding in findings)
    click.echo(", ".join(f"{counted[state]} {state}" for state in ("failed", "warning", "ok") if counted[state]))

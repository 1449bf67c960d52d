"""`quantmind plugins show`: a component, or a command of a plugin, described."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quantmind.cli.calling.session import Session
from quantmind.cli.completing import completers

if TYPE_CHECKING:
    from quantmind.cli.plugins.catalogue import Catalogue

_NARROWEST, _WIDEST = 40, 100


@click.command(
    "show",
    short_help="Show a component: options, example, what it needs and gives.",
    epilog="\b\nExample: quantmind plugins show strategy NAME\nExample: quantmind plugins show NAME --json",
)
@click.argument("what", nargs=-1, required=True, metavar="[KIND] NAME", shell_complete=completers.components)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--markdown", is_flag=True, help="Print it as `quantmind plugins readme` writes it.")
@click.pass_obj
def command(session: Session, what: tuple[str, ...], as_json: bool, markdown: bool) -> None:
    """Show what NAME does, its options, an example, and what it needs and gives; nothing is opened or connected.

    KIND is feed, transport, strategy, allocator, sizing, protection, limit, executor, sink, archive, or command: what
    a plugin adds to `quantmind`. It may be left out where only one kind has the name.
    """
    from quantmind.cli.plugins.catalogue import Catalogue
    from quantmind.errors import UsageError
    from quantmind.project import Project
    from quantmind.reference import markdown as as_markdown
    from quantmind.reference import terminal
    from quantmind.reference.command import CommandDescription

    if len(what) > 2:
        raise UsageError(f"one thing at a time: quantmind plugins show {what[0]} {what[1]}")
    if as_json and markdown:
        raise UsageError("--json and --markdown exclude each other")
    catalogue = Catalogue(session, session.plugins(Project.find(Path.cwd(), os.environ)))
    kind, name = what if len(what) == 2 else (_only_kind(catalogue, what[0]), what[0])
    found = catalogue.describe(kind, name)
    width = min(_WIDEST, max(_NARROWEST, shutil.get_terminal_size((_WIDEST, 24)).columns))
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2))
    elif isinstance(found, CommandDescription):
        click.echo(as_markdown.command(found) if markdown else terminal.command(found, width), nl=markdown)
    else:
        click.echo(as_markdown.component(found) if markdown else terminal.component(found, width), nl=markdown)


def _only_kind(catalogue: Catalogue, name: str) -> str:
    """Return the kind that a name has.

    Raises:
        UsageError: it has none, or several.
    """
    from quantmind.errors import UsageError

    kinds = catalogue.kinds(name)
    if len(kinds) > 1:
        ways = " or ".join(f"`quantmind plugins show {kind} {name}`" for kind in kinds)
        raise UsageError(f"{name} is the name of several, of kind {' and '.join(kinds)}: write {ways}")
    return kinds[0]

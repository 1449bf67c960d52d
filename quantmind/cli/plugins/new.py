"""`quantmind plugins new`: starts a plugin package of one's own."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from quantmind.cli import VERBS
from quantmind.cli.calling import contributed
from quantmind.cli.calling.session import Session
from quantmind.cli.writing import write
from quantmind.kinds import KINDS


@click.command(
    "new",
    short_help="Start a plugin package of one's own.",
    epilog="\b\nExample: quantmind plugins new breakout\n"
    "Example: quantmind plugins new night-watch --kind limit --author 'Ada Lovelace <ada@example.org>'",
)
@click.argument("name")
@click.option(
    "--kind", type=click.Choice([*KINDS, "command"]), default="strategy", show_default=True, help="What it gives."
)
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Where the folder quantmind-NAME is made; default: here.",
)
@click.option("--author", metavar="WHO", help="Who wrote it, such as 'Ada Lovelace <ada@example.org>'.")
@click.pass_obj
def command(session: Session, name: str, kind: str, into: Path, author: str | None) -> None:
    """Write a package that works: one module with a component NAME, its tests, a recipe, a README, pyproject.toml.

    NAME has small letters, digits, - and _. Nothing is overwritten, and all of it is written or nothing.
    """
    from quantmind.project import Project
    from quantmind.scaffold.author import Author
    from quantmind.scaffold.name import Name, expect_free
    from quantmind.scaffold.package import package, steps

    chosen = Name.read(name)
    who = Author.read(author) if author is not None else None
    plugins = session.plugins(Project.find(Path.cwd(), os.environ))
    expect_free(chosen, kind, [*plugins.all(), *contributed.listed(plugins, tuple(VERBS))], tuple(VERBS))
    folder = into / chosen.distribution
    for path in write(package(chosen, kind, who), folder):
        click.echo(f"wrote {path}")
    click.echo(f"next: cd {shlex.quote(str(folder))} && python -m pip install -e '.[test]'")
    click.echo("then:")
    for line in steps(chosen, kind):
        click.echo(f"  {line}")

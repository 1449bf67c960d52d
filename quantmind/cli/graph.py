"""`quantmind graph`: the stages and components of a recipe, and what flows between them."""

from __future__ import annotations

import enum
import json
import os
from pathlib import Path

import click

from quantmind.cli.calling.session import Session
from quantmind.cli.completing import completers
from quantmind.errors import UsageError


class Format(enum.StrEnum):
    """What is written."""

    text = enum.auto()
    mermaid = enum.auto()
    dot = enum.auto()


@click.command(
    short_help="Draw a recipe.",
    epilog="Examples: quantmind graph recipes/quickstart.yaml · "
    "quantmind graph recipes/quickstart.yaml --format dot | dot -Tsvg -o quickstart.svg",
)
@click.argument(
    "recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path), shell_complete=completers.recipes
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(Format),
    help="Text for a terminal (the default), a Mermaid flowchart for Markdown, or the language of Graphviz.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: stages, nodes and flows.")
@click.pass_obj
def graph(session: Session, recipe: Path, format_: Format | None, as_json: bool) -> None:
    """Draw RECIPE: its stages and components, and which market data, signals, Targets, orders and facts flow.

    Opens no connection and no file that the recipe refers to. Ends with 78 where it could not be run.
    """
    if as_json and format_ is not None:
        raise UsageError("--json is a format of its own: leave --format or --json out")
    from quantmind.graph.drawing import draw
    from quantmind.graph.sketching import sketch
    from quantmind.project import Project

    project = Project.find(recipe.parent, os.environ)
    sketched = sketch(recipe, session.plugins(project), project, os.environ)
    drawn = draw(sketched.recipe)
    for warning in sketched.warnings:
        click.echo(str(warning), err=True)
    if as_json:
        click.echo(json.dumps(drawn.as_json(), indent=2))
    elif format_ == Format.mermaid:
        from quantmind.graph.mermaid import as_mermaid

        click.echo(as_mermaid(drawn), nl=False)
    elif format_ == Format.dot:
        from quantmind.graph.dot import as_dot

        click.echo(as_dot(drawn), nl=False)
    else:
        from quantmind.graph.text import as_text

        click.echo(as_text(drawn), nl=False)

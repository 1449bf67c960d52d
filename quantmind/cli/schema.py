"""`quantmind schema`: the JSON Schema of recipes, for editors and validators."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quantmind.cli.calling.session import Session
from quantmind.errors import UsageError

if TYPE_CHECKING:
    from quantmind.plugins import Plugins


@click.command(
    short_help="Write the JSON Schema of recipes.",
    epilog="Examples: quantmind schema --output recipe.schema.json · quantmind schema --project",
)
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path), help="Write to FILE, all of it or nothing.")
@click.option("--project", is_flag=True, help="Write the schema of quantmind.yaml in place of that of recipes.")
@click.pass_obj
def schema(session: Session, output: Path | None, project: bool) -> None:
    """Write the JSON Schema (draft-07) of recipes: names and options of all components installed and allowed.

    An editor with the YAML language server then completes names and options, shows what they mean, and underlines
    what is wrong. Tell it by the first line of a recipe, with the path of the schema as seen from the recipe:

    \b
        # yaml-language-server: $schema=../recipe.schema.json

    or for all recipes in the settings of VS Code:

    \b
        "yaml.schemas": {"./recipe.schema.json": "recipes/*.yaml"}

    Write it again when plugins were installed or removed. What takes more than a look at each option, such as the
    wiring, is told by `quantmind lint`.
    """  # noqa: D301 - \b keeps click from wrapping
    from quantmind.files import replace
    from quantmind.project import Project

    text = described(session.plugins(Project.find(Path.cwd(), os.environ)), project=project)
    if output is None:
        click.echo(text, nl=False)
        return
    if output.is_dir():
        raise UsageError(f"{output} is a folder: name a file, such as {output / 'recipe.schema.json'}")
    replace({output: text.encode()})
    click.echo(f"wrote {output}")


def described(plugins: Plugins, *, project: bool = False) -> str:
    """Return the schema of recipes, or of quantmind.yaml, as text; warns of plugins that could not be loaded for it."""
    from quantmind.recipe.schema.recipes import as_text, project_schema, recipe_schema

    text = as_text(project_schema(plugins) if project else recipe_schema(plugins))
    for failure in plugins.failures():
        click.echo(
            f"warning: {failure.module} of {failure.distribution} is not in the schema: {failure.fault}", err=True
        )
    return text

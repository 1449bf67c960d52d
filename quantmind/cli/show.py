"""`quantmind show`: a recipe with every default and where each value comes from."""

from __future__ import annotations

import json
from pathlib import Path

import click

from quantmind.cli.calling.session import Session
from quantmind.cli.completing import completers


@click.command(epilog="Example: quantmind show recipes/quickstart.yaml")
@click.argument(
    "recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path), shell_complete=completers.recipes
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: the recipe, and origins by path.")
@click.pass_obj
def show(session: Session, recipe: Path, as_json: bool) -> None:
    """Print RECIPE as it would run: defaults filled in, secrets masked, each value with its origin."""
    from quantmind.recipe.show import as_json as recipe_as_json
    from quantmind.recipe.show import as_yaml

    loaded, _ = session.load(recipe)
    click.echo(json.dumps(recipe_as_json(loaded), indent=2) if as_json else as_yaml(loaded), nl=as_json)

"""`quantmind lint`: checks recipes without running them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quantmind.cli.calling.session import Session
from quantmind.cli.completing import completers

if TYPE_CHECKING:
    from quantmind.recipe.problems import Problem


@click.command(epilog="Example: quantmind lint recipes/*.yaml")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, path_type=Path),
    shell_complete=completers.recipes,
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, an object for each file.")
@click.pass_context
def lint(ctx: click.Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Check recipes: their YAML, options, wiring and tests; every problem with its place.

    Opens no connection and no file that a recipe refers to. Ends with 1 if there are errors.
    """
    from quantmind.recipe.problems import one_line

    found = {file: _problems(ctx.obj, file) for file in files}
    failed = {file for file, problems in found.items() if any(p.severity == "error" for p in problems)}
    if as_json:
        click.echo(json.dumps([_as_json(file, found[file], file not in failed) for file in found], indent=2))
    else:
        for file, problems in found.items():
            for problem in problems:
                click.echo(str(problem))
            if file not in failed:
                click.echo(f"{one_line(str(file))}: ok")
    ctx.exit(1 if failed else 0)


def _problems(session: Session, file: Path) -> tuple[Problem, ...]:
    from quantmind.project import Project
    from quantmind.recipe.lint import lint as lint_recipe
    from quantmind.recipe.problems import RecipeProblems

    try:
        project = Project.find(file.parent, os.environ)
    except RecipeProblems as error:
        return error.problems
    return lint_recipe(file, session.plugins(project), project, os.environ)


def _as_json(file: Path, problems: tuple[Problem, ...], ok: bool) -> dict[str, object]:
    import msgspec

    rows = [
        {
            **(msgspec.to_builtins(problem.mark) if problem.mark else {}),
            "path": problem.path,
            "message": problem.message,
            "severity": problem.severity,
        }
        for problem in problems
    ]
    return {"file": str(file), "ok": ok, "problems": rows}

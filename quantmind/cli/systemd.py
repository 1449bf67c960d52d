"""`quantmind systemd`: writes a recipe as hardened units of systemd."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from shlex import quote

import click

from quantmind.cli.calling.session import Session
from quantmind.cli.completing import completers
from quantmind.errors import RecipeError, UsageError
from quantmind.project import Project
from quantmind.recipe.document import read_document
from quantmind.recipe.lint import lint
from quantmind.recipe.problems import RecipeProblems
from quantmind.systemd.layout import Layout
from quantmind.systemd.needs import stages
from quantmind.systemd.notices import notices
from quantmind.systemd.units import units
from quantmind.systemd.writing import left_over, write

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,30}")


def _matching(pattern: re.Pattern[str], words: str) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if pattern.fullmatch(text) is None:
            raise click.BadParameter(f"must be {words}, was {text!r}")
        return text

    return convert


@click.command(
    short_help="Write a recipe as units of systemd.",
    epilog="Example: quantmind systemd recipes/zeromq.yaml --output units",
)
@click.argument(
    "recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path), shell_complete=completers.recipes
)
@click.option("--output", "folder", required=True, metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--user", is_flag=True, help="Write units for the manager of a user, in place of the system's.")
@click.option("--template", is_flag=True, help="Write one template, of which every stage is an instance.")
@click.option(
    "--name",
    metavar="PREFIX",
    type=_matching(_NAME, "letters, digits, and the signs _ . -"),
    help="What the units' names begin with; quantmind-RECIPE otherwise.",
)
@click.option(
    "--state",
    metavar="NAME",
    default="quantmind",
    show_default=True,
    type=_matching(_NAME, "one name, below the folder that systemd keeps for states"),
    help="The state folder. Recipes that share it cannot trade one account at the same time.",
)
@click.option(
    "--user-name",
    "account",
    metavar="USER",
    type=_matching(_ACCOUNT, "the name of a user"),
    help="An existing user that runs the stages; otherwise one that exists while they run.",
)
@click.option(
    "--credentials",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of credentials; /etc/quantmind/credentials otherwise.",
)
@click.option(
    "--writable-code", is_flag=True, help="Let the stages make machine code, as some machine-learning libraries do."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def systemd(
    session: Session,
    recipe: Path,
    folder: Path,
    user: bool,
    template: bool,
    name: str | None,
    state: str,
    account: str | None,
    credentials: Path | None,
    writable_code: bool,
    as_json: bool,
) -> None:
    """Write a hardened service for each stage of RECIPE, and a target that starts and stops them together.

    A recipe without a transport is one service. Opens no connection and no secret. Files that this command wrote
    earlier are written again; no others are touched.
    """
    if user and account is not None:
        raise UsageError("--user-name is for units of the system: those of a user's manager run as that user")
    project = Project.find(recipe.parent, os.environ)
    problems = lint(recipe, session.plugins(project), project, os.environ)
    # A variable that is not set here may be set where the stages run.
    if faults := [problem for problem in problems if problem.severity == "error"]:
        raise RecipeProblems(faults)
    data = {**read_document(recipe).data, "limits": list(project.limits)}
    if "$" in data["name"]:
        where = "but units are called after it, whatever is set where they run: write it out"
        raise RecipeError(f"{recipe}: name: is {data['name']}, {where}")
    if template and not stages(data):
        raise UsageError(f"{recipe}: runs in one process: --template needs a recipe with a transport")
    file = Path.cwd() / recipe
    layout = Layout(
        recipe=file,
        recipe_name=data["name"],
        folder=(Path.cwd() / project.file if project.file else file).parent,
        name=name or f"quantmind-{data['name']}",
        state=state,
        user=user,
        template=template,
        account=account,
        credentials=None if credentials is None else Path.cwd() / credentials,
        writable_code=writable_code,
        flags=("--no-plugins",) if session.only_own else (),
    )
    contents = units(layout, data)
    stale = left_over(contents, folder, layout.name)
    written = write(contents, folder)
    told = [*notices(layout, data), *(f"{path} is needed no more: remove it" for path in stale)]
    following = _next(folder, layout.target, user)
    if as_json:
        click.echo(json.dumps({"written": list(map(str, written)), "notices": told, "next": following}, indent=2))
        return
    for path in written:
        click.echo(f"wrote {path}")
    for line in told:
        click.echo(f"note: {line}")
    for line in following:
        click.echo(f"next: {line}")


def _next(folder: Path, target: str, user: bool) -> list[str]:
    place = "~/.config/systemd/user" if user else "/etc/systemd/system"
    root, systemctl = ("", "systemctl --user") if user else ("sudo ", "sudo systemctl")
    return [
        f"{root}mkdir -p {place} && {root}cp -r {quote(str(folder))}/. {place}/",
        f"{systemctl} daemon-reload",
        f"{systemctl} enable --now {target}",
    ]

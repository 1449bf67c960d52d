"""`quantmind init`: starts a project with what comes with QuantMind."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from quantmind.cli.calling.session import Session
from quantmind.cli.completing import completers
from quantmind.cli.writing import write

_CHECKOUT = Path(__file__).parents[2]
_SCHEMA = Path("recipe.schema.json")
_HEAD = """\
# yaml-language-server: $schema={schema}
# An editor completes and explains by it. After installing a plugin: quantmind schema --output recipe.schema.json

"""
"""What a recipe begins with; the path is seen from the recipe."""

_STEPS = (
    ("quantmind lint recipes/*.yaml", "checks recipes before they are run"),
    ("quantmind test", "runs the tests in them"),
    ("quantmind plugins list", "shows all that a recipe may name"),
    ("quantmind plugins new breakout", "starts a strategy of your own"),
)


@click.command(epilog="Example: quantmind init my-trading")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path), shell_complete=completers.folders)
@click.pass_obj
def init(session: Session, folder: Path) -> None:
    """Write quantmind.yaml, example recipes and their JSON Schema into DIR.

    Nothing is overwritten, and all of it is written or nothing. The schema has the options of all that is installed;
    an editor with the YAML language server finds it by the first line of each recipe. `quantmind schema` writes it
    again.
    """
    for path in write({**dict(_starter()), _SCHEMA: _schema(session)}, folder):
        click.echo(f"wrote {path}")
    enter = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
    click.echo(f"next: {enter}quantmind run recipes/quickstart.yaml")
    click.echo("then:")
    width = max(len(command) for command, _ in _STEPS)
    for command, words in _STEPS:
        click.echo(f"  {command:<{width}}  # {words}")


def _schema(session: Session) -> bytes:
    """Make the schema as `quantmind schema` does, of what the new quantmind.yaml allows: all plugins."""
    from quantmind.cli.schema import described
    from quantmind.project import Project

    return described(session.plugins(Project(Path()))).encode()


def _starter() -> Iterator[tuple[Path, bytes]]:
    """Yield the starter project: of the installed wheel, else of the checkout."""
    packed = files("quantmind").joinpath("starter")
    root: Traversable = packed if packed.is_dir() else _CHECKOUT
    yield Path("quantmind.yaml"), root.joinpath("quantmind.yaml").read_bytes()
    yield from _below(root.joinpath("recipes"), Path("recipes"))


def _below(folder: Traversable, path: Path) -> Iterator[tuple[Path, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _below(entry, path / entry.name)
        elif entry.name.endswith(".yaml"):
            head = _HEAD.format(schema="../" * len(path.parts) + _SCHEMA.name)
            yield path / entry.name, head.encode() + entry.read_bytes()
        elif entry.name.endswith(".md"):
            yield path / entry.name, entry.read_bytes()

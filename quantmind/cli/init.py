"""`quantmind init`: starts a project with what comes with QuantMind."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from quantmind.cli.completing import completers
from quantmind.cli.writing import write

_CHECKOUT = Path(__file__).parents[2]


@click.command(epilog="Example: quantmind init my-trading")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path), shell_complete=completers.folders)
def init(folder: Path) -> None:
    """Write quantmind.yaml and example recipes into DIR; overwrites nothing, and writes all or nothing."""
    written = write(dict(_starter()), folder)
    for path in written:
        click.echo(f"wrote {path}")
    first = folder / "recipes" / "quickstart.yaml"
    click.echo(f"next: quantmind lint {first} && quantmind run {first}")


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
        elif entry.name.endswith((".yaml", ".md")):
            yield path / entry.name, entry.read_bytes()

"""`quantmind init`: starts a project with what comes with QuantMind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from quantmind.errors import QuantMindError, UsageError

_CHECKOUT = Path(__file__).parents[2]


@click.command(epilog="Example: quantmind init my-trading")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Write quantmind.yaml and example recipes into DIR; overwrites nothing, and writes all or nothing."""
    written = write(dict(_starter()), folder)
    for path in written:
        click.echo(f"wrote {path}")
    first = folder / "recipes" / "quickstart.yaml"
    click.echo(f"next: quantmind lint {first} && quantmind run {first}")


def write(contents: dict[Path, bytes], folder: Path) -> list[Path]:
    """Write files below a folder, by their relative paths; all of them, or none.

    Raises:
        UsageError: one of them is there already.
        QuantMindError: they cannot be written.
    """
    targets = {folder / path: content for path, content in contents.items()}
    with contextlib.ExitStack() as undo:
        for target, content in targets.items():
            try:
                for parent in reversed(target.parents):
                    if not parent.is_dir():
                        parent.mkdir()
                        undo.callback(parent.rmdir)
                with target.open("xb") as stream:
                    undo.callback(target.unlink)
                    stream.write(content)
            except (FileExistsError, NotADirectoryError) as error:
                raise UsageError(
                    f"{error.filename} is there already: nothing is overwritten, name another folder"
                ) from error
            except OSError as error:
                raise QuantMindError(f"{error.filename or target}: cannot be written: {error.strerror}") from error
        undo.pop_all()
    return list(targets)


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

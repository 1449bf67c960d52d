"""`quantmind zeromq`: makes the keys by which the stages of a pipeline know each other."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import click

from quantmind.errors import QuantMindError, UsageError
from quantmind.kinds.transport import OBSERVER, STAGES

NAMES = (*STAGES, OBSERVER)


@click.group()
def zeromq() -> None:
    """Work for pipelines over ZeroMQ."""


@zeromq.command(
    epilog="\b\nExamples:\n"
    "  quantmind zeromq keys /etc/quantmind/keys\n"
    "  quantmind zeromq keys keys --stage feed --force"
)
@click.argument("name_of_folder", metavar="FOLDER", type=click.Path())
@click.option("--stage", "names", multiple=True, type=click.Choice(NAMES), help="Only for these; left out, for all.")
@click.option("--force", is_flag=True, help="Replace keys that are there; who has the old ones is refused then.")
def keys(name_of_folder: str, names: tuple[str, ...], force: bool) -> None:
    """Write a pair of keys for each stage, and for observers, into FOLDER.

    STAGE.key is secret: it goes to the host of the stage and nowhere else. STAGE.pub goes to every host.
    """
    made = tuple(dict.fromkeys(names)) or NAMES
    try:
        import zmq
    except ImportError as error:
        raise QuantMindError(f"the zeromq transport needs pyzmq ({error}): pip install pyzmq") from None
    if not zmq.has("curve"):
        raise QuantMindError("this pyzmq has no CURVE: pip install --force-reinstall --only-binary pyzmq pyzmq")
    folder = _checked(name_of_folder)
    there = [path for name in made for path in _paths(folder, name) if os.path.lexists(path)]
    if taken := next((path for path in there if path.is_dir() and not path.is_symlink()), None):
        raise UsageError(f"{taken} is a folder: move it away, or name another FOLDER")
    if there and not force:
        raise UsageError(
            f"{there[0]} is there: keys are replaced with --force only, and those of the others stay valid"
        )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in made:
            secret_path, public_path = _paths(folder, name)
            public, secret = zmq.curve_keypair()
            # The new secret key last: until then the old pair is refused as one that does not belong together.
            _write(public_path, public, 0o644, force)
            _write(secret_path, secret, 0o600, force)
    except OSError as error:
        raise QuantMindError(f"{error.filename or folder}: {error.strerror}: choose another folder") from None
    for name in made:
        secret_path, public_path = _paths(folder, name)
        host = "the machines of those who observe" if name == OBSERVER else f"the host of stage {name}"
        click.echo(f"{secret_path}  secret, mode 0600: only to {host}")
        click.echo(f"{public_path}  public: to the host of every stage")


def _checked(folder: str) -> Path:
    """Return the folder that the keys are written to.

    Raises:
        UsageError: it has no name, or something else has it.
    """
    if not folder:
        raise UsageError("FOLDER is empty: name a folder for the keys, such as keys")
    if os.path.lexists(folder) and not Path(folder).is_dir():
        raise UsageError(f"{folder} is no folder: name another FOLDER")
    return Path(folder)


def _paths(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"{name}.key", folder / f"{name}.pub"


def _write(path: Path, key: bytes, mode: int, replace: bool) -> None:
    """Write a file whole or not at all; one that has come meanwhile stays, unless it is to be replaced."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(key + b"\n")
            file.flush()
            os.fsync(descriptor)
        if replace:
            temporary.replace(path)
        else:
            path.hardlink_to(temporary)
    except FileExistsError as error:
        error.filename = str(path)
        raise
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()

"""Files that are there whole or not at all, whenever the process is killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
from contextlib import AbstractContextManager
from pathlib import Path

from quantmind import files
from quantmind.data.reading import reason
from quantmind.data.store.layout import HIDDEN, Part
from quantmind.errors import QuantMindError

UNFINISHED = ".tmp"
"""What the name of a file ends with that is not whole yet."""


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that they outlive a crash."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    files.sync(folder.parent)


def replacing(path: Path, *, synced: bool = True) -> AbstractContextManager[Path]:
    """Give a file to write, which takes the place of `path` at the end, or goes; `tidy` knows what a kill leaves of it.

    Not `synced`, it may be lost in a crash of the machine.
    """
    return files.replacing(path, f".{path.name}{UNFINISHED}", synced=synced)


def parts(folder: Path) -> list[Part]:
    """Return the parts of a day, in order; those that another one has taken the place of are none any more."""
    try:
        found = sorted(part for path in folder.iterdir() if (part := Part.of(path.name)) is not None)
    except FileNotFoundError:
        return []
    spans = [part for part in found if part.first != part.last]
    return [part for part in found if not any(span.replaces(part) for span in spans)]


def tidy(folder: Path) -> None:
    """Remove what a process that was killed has left in the folder of a day: unfinished and replaced files."""
    kept = {str(part) for part in parts(folder)}
    for path in list(folder.iterdir()):
        if path.name.endswith(UNFINISHED) or (Part.of(path.name) is not None and path.name not in kept):
            path.unlink()


class Lock:
    """The right to write to a store; the system takes it back from a process that ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Take it.

        Raises:
            QuantMindError: another process has it, or the folder cannot be written to.
        """
        path = folder / HIDDEN / "lock"
        try:
            make_folder(path.parent)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise QuantMindError(f"{error.filename or folder}: cannot be written: {reason(error)}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._descriptor, 20).decode(errors="replace").strip()
            os.close(self._descriptor)
            who = f"process {holder}" if holder else "another process"
            raise QuantMindError(
                f"{folder}: {who} writes to this store; wait for it, stop it, or name another folder"
            ) from error
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give it back."""
        os.close(self._descriptor)

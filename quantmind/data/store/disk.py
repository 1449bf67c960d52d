"""Files that are there whole or not at all, whenever the process is killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

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
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the name of a file to write; it takes the place of `path` at the end, on the disk, or goes on a failure."""
    unfinished = path.parent / f".{path.name}{UNFINISHED}"
    try:
        yield unfinished
        descriptor = os.open(unfinished, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


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


def reason(error: BaseException) -> str:
    """Return what went wrong, on one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition("\n")[0] or type(error).__name__


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

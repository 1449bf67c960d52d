"""Files that are written whole or not at all, whenever it ends."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from quantmind.errors import QuantMindError


def replace(contents: Mapping[Path, bytes]) -> None:
    """Put files of the user in the place of those that are there, or where none are; who may read them stays the same.

    All of them are written beside their places before the first one is put there. A link stays one; a device or a
    pipe is written to, and not replaced.

    Raises:
        QuantMindError: one of them cannot be written; then none is, unless it happens as the last step of one.
    """
    with contextlib.ExitStack() as cleared:
        fresh: dict[Path, tuple[Path, Path]] = {}
        for file, content in contents.items():
            try:
                if file.exists() and not file.is_file():
                    file.write_bytes(content)
                    continue
                target, mode = _place(file)
                fresh[file] = target, cleared.enter_context(beside(target, content, mode))
            except OSError as error:
                raise QuantMindError(f"{file}: cannot be written: {error.strerror}") from error
        for file, (target, written) in fresh.items():
            try:
                written.replace(target)
            except OSError as error:
                raise QuantMindError(f"{file}: cannot be written: {error.strerror}") from error


def _place(file: Path) -> tuple[Path, int | None]:
    """Return where a file really lies, and the mode of what is there; None where nothing is."""
    target = Path(os.path.realpath(file))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if not target.exists():
        return target, None
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return target, target.stat().st_mode & 0o7777


@contextlib.contextmanager
def beside(target: Path, content: bytes, mode: int | None = None) -> Iterator[Path]:
    """Write to the disk, beside a file, what is to take its place; it goes again unless it was put there.

    Raises:
        OSError: it cannot be written.
    """
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    with contextlib.ExitStack() as cleared:
        with fresh.open("xb") as stream:
            cleared.callback(_remove, fresh)
            if mode is not None:
                # Before there is something to read in it.
                fresh.chmod(mode)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        yield fresh


@contextlib.contextmanager
def replacing(target: Path, fresh: str, *, synced: bool = True) -> Iterator[Path]:
    """Give a file to write, of the name `fresh` beside the target; at the end it takes its place, or goes on a failure.

    Killed on the way, it leaves the file `fresh`, for the next one to write over or for its owner to tidy up. What has
    taken the place is on the disk; not `synced`, it may be lost in a crash of the machine, and is to be made again.

    Raises:
        OSError: it cannot be written.
    """
    written = target.with_name(fresh)
    try:
        yield written
        if synced:
            sync(written)
        written.replace(target)
    except BaseException:
        _remove(written)
        raise
    if synced:
        sync(target.parent)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk.

    Raises:
        OSError: they cannot be put there.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()

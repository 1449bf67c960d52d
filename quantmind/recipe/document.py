"""Documents: YAML text as plain data, with the place of every value.

It goes by the YAML 1.2 core schema, so `12:30`, `on` and `no` are text. Size, nesting, keys and the expansion of
aliases are bounded.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from quantmind.recipe.problems import Mark, Problem, holders, one_line
from quantmind.recipe.walk import MAX_NODES, Walk, place

MAX_BYTES = 1 << 18
"""Bytes of a file at the most."""


class Document(msgspec.Struct, frozen=True):
    """The data of a file, the places of its values and keys by path, and what is wrong with it."""

    file: str
    data: Any
    marks: Mapping[str, Mark] = {}
    keys: Mapping[str, Mark] = {}
    problems: tuple[Problem, ...] = ()

    def mark(self, path: str, *, key: bool = False) -> Mark | None:
        """Return the place of a value (or of its key), else of the nearest one that holds it."""
        if key and path in self.keys:
            return self.keys[path]
        if path in self.marks:
            return self.marks[path]
        held = next((self.marks[holder] for holder in holders(path) if holder in self.marks), None)
        return held or (Mark(self.file) if self.file else None)


def read_document(file: Path, most: int = MAX_NODES) -> Document:
    """Read and parse a file of so many values at the most; whatever is wrong is in the document's problems."""
    name = shown_path(file)
    try:
        content = _read(file)
    except OSError as error:
        return _refused(name, None, f"cannot be read: {error.strerror or type(error).__name__}")
    except ValueError as error:
        return _refused(name, None, str(error))
    return parse(content, name, most)


def _read(file: Path) -> bytes:
    """Read a plain file, or what a shell puts in its place: `/dev/stdin`, `<(command)`.

    Raises:
        ValueError: it is something else, which may have no end, or never begin.
    """
    _refuse(file.stat().st_mode, file)
    # Whatever takes its place meanwhile does not make us wait.
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        _refuse(os.fstat(descriptor).st_mode, file)
        os.set_blocking(descriptor, True)
        return stream.read(MAX_BYTES + 1)


def _refuse(mode: int, file: Path) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise ValueError("is a folder: name a file in it")
    if stat.S_ISFIFO(mode):
        if not os.path.lexists(os.path.realpath(file)):
            # It has no name: somebody holds its other end.
            return
        raise ValueError("is a named pipe: name a plain file")
    raise ValueError("is a device or a socket: name a plain file")


def shown_path(file: Path) -> str:
    """Return a path as errors show it: on one line, relative to the working directory if it is below it."""
    absolute, here = Path.cwd() / file, Path.cwd()
    return one_line(str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute))


def parse(content: bytes, file: str, most: int = MAX_NODES) -> Document:
    """Parse YAML; whatever is wrong is in the document's problems."""
    if len(content) > MAX_BYTES:
        return _refused(file, None, f"is larger than {MAX_BYTES >> 10} KiB: a recipe is text that somebody has written")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        message = f"is not UTF-8: byte 0x{content[error.start]:02x}; save the file as UTF-8"
        return _refused(file, place(file, before), message)
    walk = Walk(text, file, most)
    data = walk.data()
    return Document(file, data, walk.marks, walk.keys, tuple(walk.problems))


def _refused(file: str, mark: Mark | None, message: str) -> Document:
    return Document(file, None, problems=(Problem(mark or Mark(file), "", message),))

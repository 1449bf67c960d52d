"""Checking what a user wrote for a plugin's own command: a YAML file or options, and every problem with its place."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from quantmind.recipe.document import Document, read_document
from quantmind.recipe.faults import nearest, shown, suggestion, validate
from quantmind.recipe.findings import EnoughError, Findings
from quantmind.recipe.interpolate import Interpolation
from quantmind.recipe.problems import Problem, in_order, join

_M = TypeVar("_M", bound=BaseModel)

__all__ = ["Checking", "join", "nearest", "shown", "suggestion"]


class Checking:
    """What is wrong with what was written, in the words in which recipes are told theirs.

    It is what a YAML `file` holds, which is read at once and never raises: what is wrong with it is a problem like any
    other. Without a file it was written elsewhere, as on a command line, and problems have no line.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._document = Document("", None) if file is None else read_document(file)
        self._findings = Findings(self._document, Interpolation({}))

    @property
    def data(self) -> Any:
        """What the file holds: mappings, lists, text, numbers; None if it is empty, or cannot be read."""
        return self._document.data

    @property
    def problems(self) -> tuple[tuple[str, str], ...]:
        """What is wrong, in the order in which it was noted: a path, such as `[2].close.at`, and what to do."""
        return tuple((problem.path, problem.message) for problem in self._findings.problems)

    @property
    def lines(self) -> tuple[str, ...]:
        """The same for who wrote it, in the order of the file: `FILE:LINE:COLUMN: PATH: WHAT`; at most a hundred."""
        return tuple(map(str, in_order(self._findings.problems)))

    def options(self, model: type[_M], written: Any, path: str = "") -> _M | None:
        """Return what was `written` at a path as options; None after noting all that is wrong with it."""
        with contextlib.suppress(EnoughError):
            return validate(model, written, path, self._findings)
        return None

    def error(self, path: str, message: str, *, key: bool = False) -> None:
        """Note what is wrong with the value at a path, or with its `key`."""
        with contextlib.suppress(EnoughError):
            self._findings.error(path, message, key=key)

    def line(self, path: str, message: str) -> str:
        """Return the line that tells something of a path, found out later."""
        return str(Problem(self._document.mark(path), path, message))

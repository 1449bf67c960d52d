"""Problems: what is wrong with a recipe, and where."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from quantmind.errors import RecipeError

Severity = Literal["error", "warning"]


class Mark(msgspec.Struct, frozen=True, order=True):
    """A place in a file; line and column count from 1, and are 0 where a whole file is meant."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Write it as editors read it."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong: where, what, and what to do."""

    mark: Mark | None
    path: str
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        """Write it on one line: place, path, message."""
        word = "" if self.severity == "error" else self.severity
        return ": ".join(part for part in (str(self.mark or ""), word, self.path, self.message) if part)


class RecipeProblems(RecipeError):  # noqa: N818 - it holds problems, and is named by them
    """A recipe (or quantmind.yaml) cannot be used; one line for each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_order(problems)
        super().__init__("\n".join(map(str, self.problems)))


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sort problems by their place, and drop what is said twice."""
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda problem: problem.mark or Mark("")))


def join(path: str, part: str | int) -> str:
    """Write the path of a member: `risk.sizing`, `risk.sizing[0]`."""
    if isinstance(part, int):
        return f"{path}[{part}]"
    return f"{path}.{part}" if path else part

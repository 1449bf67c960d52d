"""Problems: what is wrong with a recipe, and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from quantmind.errors import RecipeError

Severity = Literal["error", "warning"]

SHOWN = 100
"""Problems that are told at the most: who has more mends these first."""

ENOUGH = 500
"""Problems of one document that are looked for at the most."""

LONGEST = 500
"""Characters of a message at the most."""


class Mark(msgspec.Struct, frozen=True, order=True, gc=False):
    """A place in a file; line and column count from 1, and are 0 where a whole file is meant."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Write it as editors read it."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Problem(msgspec.Struct, frozen=True, gc=False):
    """One thing that is wrong: where, what, and what to do."""

    mark: Mark | None
    path: str
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        """Write it on one line: place, path, message."""
        word = "" if self.severity == "error" else self.severity
        parts = (str(self.mark or ""), word, shortened(self.path, LONGEST), shortened(self.message, LONGEST))
        return ": ".join(one_line(part) for part in parts if part)


class RecipeProblems(RecipeError):  # noqa: N818 - it holds problems, and is named by them
    """A recipe (or quantmind.yaml) cannot be used; one line for each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_order(problems)
        super().__init__("\n".join(map(str, self.problems)))

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each problem."""
        return tuple(map(str, self.problems))


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sort problems by their place, and drop what is said twice; of very many, say how many more there are."""
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: problem.mark or Mark(""))
    if len(ordered) <= SHOWN:
        return tuple(ordered)
    errors = [problem for problem in ordered if problem.severity == "error"]
    shown = (errors or ordered)[:SHOWN]
    first = shown[0].mark
    many = "more than " if len(errors or ordered) >= ENOUGH else ""
    what = "problems: mend these first" if errors else "warnings"
    message = f"and {many}{len(errors or ordered) - SHOWN} other {what}"
    rest = Problem(Mark(first.file) if first else None, "", message, "error" if errors else "warning")
    return (*shown, rest)


def brief(name: str, most: int = 60) -> str:
    """Write a name so that it is printable and short."""
    return one_line(shortened(name, most))


def shortened(text: str, most: int) -> str:
    """Leave out the middle of a long text."""
    if len(text) <= most:
        return text
    tail = most // 4
    return f"{text[: most - tail - 1]}…{text[-tail:]}"


def one_line(text: str) -> str:
    """Write what cannot be printed as escapes."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def holders(path: str) -> Iterator[str]:
    """Yield the paths of what holds a value, from the nearest to the document."""
    while path:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
        yield path


def join(path: str, part: str | int) -> str:
    """Write the path of a member: `risk.sizing`, `risk.sizing[0]`."""
    if isinstance(part, int):
        return f"{path}[{part}]"
    return f"{path}.{part}" if path else part

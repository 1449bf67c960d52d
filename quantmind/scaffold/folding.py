"""Folds a line of code that a long name has made too long, as formatters do."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

WIDTH = 88
"""Columns of a line, as formatters have it where nobody says otherwise."""

_INDENT = " " * 4
_SIGNS = re.compile(r'"[^"]*"|[()\[\]{},]')
"""Brackets and commas, and the texts that may hold some which are none."""


def folded(line: str) -> str:
    """Break a statement on one line, or an entry of one, if it is longer than `WIDTH`; without brackets it stays.

    What is in the last brackets goes to a line of its own, or each part of it does; of a function it is what is in
    the first ones, its parameters. Black and ruff do more, but with the lines of the templates they do this.
    """
    if len(line) <= WIDTH:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    inner = indent + _INDENT
    head, _, names = line.partition(" import ")
    if names:
        return "\n".join([f"{head} import (", *(f"{inner}{name}," for name in names.split(", ")), ")"])
    groups = list(_groups(line))
    if not groups:
        return line
    defines = line.lstrip().startswith(("def ", "async def "))
    group = groups[0 if defines else -1]
    parts = [line[after + 1 : until].strip() for after, until in itertools.pairwise(group)]
    body = inner + ", ".join(parts)
    apart = defines if len(parts) == 1 else len(body) > WIDTH
    lines = [f"{inner}{part}," for part in parts] if apart else [body]
    return "\n".join([line[: group[0] + 1], *map(folded, lines), indent + line[group[-1] :]])


def _groups(line: str) -> Iterator[list[int]]:
    """Yield of each pair of brackets that is in no other one the columns: it opens, its commas, it closes."""
    group: list[int] = []
    depth = 0
    for sign in _SIGNS.finditer(line):
        if sign[0] in "([{":
            depth += 1
            group += [sign.start()] if depth == 1 else []
        elif sign[0] in ")]}":
            depth -= 1
            if not depth:
                yield [*group, sign.start()]
                group = []
        elif sign[0] == "," and depth == 1:
            group.append(sign.start())

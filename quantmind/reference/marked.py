"""Markdown with generated parts: between a marker that says what of, and the one that ends it, all is replaced."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from quantmind.errors import QuantMindError

END = "end"
_MARKER = re.compile(r" {0,3}<!--\s*quantmind\s*:(?P<words>.*)")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}(?=[^`]*$)|~{3,})(?P<rest>.*)")


class Part(msgspec.Struct, frozen=True):
    """A generated part of a file."""

    words: tuple[str, ...]
    """What the marker says: `component`, `strategy`, a name."""
    line: int
    """The line of the marker, from 1."""
    start: int
    """The index of the first line after the marker."""
    end: int
    """The index of the line that ends the part."""


class MarkedError(QuantMindError):
    """A file has markers that cannot be followed, or parts that cannot be made; one line for each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self._problems = tuple(problems)
        super().__init__("\n".join(self._problems))

    @property
    def lines(self) -> tuple[str, ...]:
        """Each problem."""
        return self._problems


def parts(text: str, file: str) -> tuple[Part, ...]:
    """Find the generated parts of a file; what looks like a marker inside a block of code is none.

    Raises:
        MarkedError: a part is not ended, or a marker is none that there is; each with its line.
    """
    found: list[Part] = []
    problems: list[str] = []
    opened: tuple[tuple[str, ...], int] | None = None
    for number, words in _markers(text):
        place = f"{file}:{number}"
        if words is None:
            problems.append(f"{place}: a marker is one line: `<!-- quantmind: component KIND NAME -->`")
        elif words == (END,):
            if opened is None:
                problems.append(f"{place}: nothing is begun that this could end: take the line out")
            else:
                found.append(Part(opened[0], opened[1], opened[1], number - 1))
            opened = None
        else:
            if opened is not None:
                problems.append(_unended(file, *opened, f"before line {number}"))
            opened = words, number
    if opened is not None:
        problems.append(_unended(file, *opened, "below it"))
    if problems:
        raise MarkedError(problems)
    return tuple(found)


def rewritten(text: str, made: Mapping[Part, str]) -> str:
    """Return the text with what was made for each part in its place; everything else stays as it is."""
    lines = _LINE.findall(text)
    for part in sorted(made, key=lambda part: part.start, reverse=True):
        lines[part.start : part.end] = _between(lines[part.line - 1], made[part])
    return "".join(lines)


def stale(text: str, made: Mapping[Part, str]) -> tuple[Part, ...]:
    """Return the parts that hold something else than what was made for them, in the order of the file."""
    lines = _LINE.findall(text)
    return tuple(part for part in made if lines[part.start : part.end] != _between(lines[part.line - 1], made[part]))


def holds_marker(text: str) -> bool:
    """Say whether a text cannot be put into a part, as it would end it or begin another."""
    return any(_MARKER.fullmatch(line) for line in text.split("\n"))


def _between(marker: str, made: str) -> list[str]:
    """Return the lines below a marker, with its end of line."""
    newline = "\r\n" if marker.endswith("\r\n") else "\n"
    return [f"{line}{newline}" for line in ("", *made.strip("\n").split("\n"), "")]


def _markers(text: str) -> Iterator[tuple[int, tuple[str, ...] | None]]:
    """Yield the line and the words of each marker outside of blocks of code; None for one that is not whole."""
    fence = ""
    inside = False
    for number, each in enumerate(_LINE.findall(text), 1):
        line = each.rstrip("\r\n")
        marker = _MARKER.fullmatch(line)
        # What is generated holds blocks of code, but no marker: there the first one counts, whatever else is damaged.
        if marker is not None and (inside or not fence):
            words = _words(marker["words"])
            inside = words is not None and words != (END,)
            fence = ""
            yield number, words
        elif not inside:
            fence = _fenced(line, fence)


def _words(said: str) -> tuple[str, ...] | None:
    body, closed, rest = said.partition("-->")
    return tuple(body.split()) if closed and not rest.strip() and body.split() else None


def _fenced(line: str, fence: str) -> str:
    """Return the fence of the block of code that goes on after a line; empty outside of one."""
    found = _FENCE.fullmatch(line)
    if not fence:
        return found["fence"] if found else ""
    closes = found is not None and found["fence"][0] == fence[0] and len(found["fence"]) >= len(fence)
    return "" if closes and found is not None and not found["rest"].strip() else fence


def _unended(file: str, words: tuple[str, ...], line: int, where: str) -> str:
    return f"{file}:{line}: {' '.join(words)} is not ended: write `<!-- quantmind: {END} -->` {where}"

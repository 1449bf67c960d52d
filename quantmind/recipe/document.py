"""Documents: YAML text as plain data, with the place of every value.

It goes by the YAML 1.2 core schema, so `12:30`, `on` and `no` are text. Size, nesting and the expansion of
aliases are bounded: the events of the parser are walked, because composing them would recurse without end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import msgspec
import yaml

from quantmind.recipe.problems import Mark, Problem, join

MAX_BYTES = 1 << 20
MAX_NODES = 10_000
MAX_DEPTH = 50

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {word: value for value in (True, False) for word in (f"{value}", f"{value}".lower(), f"{value}".upper())}
_INT = re.compile(r"[-+]?[0-9]{1,400}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,6})?")
_SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LAST_PART = re.compile(r"(\[\d+\]|\.?[^.\[]*)$")


class Written(float):
    """A float that remembers how it was written: Decimal options take the text, which may be more exact."""

    def __new__(cls, text: str) -> Self:
        """Read the text."""
        self = super().__new__(cls, text)
        self.text = text
        return self

    text: str

    def __str__(self) -> str:
        """Return what was written."""
        return self.text


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
        while path not in self.marks:
            if not path:
                return Mark(self.file) if self.file else None
            path = _LAST_PART.sub("", path)
        return self.marks[path]


def read_document(file: Path) -> Document:
    """Read and parse a file; whatever is wrong is in the document's problems."""
    name = shown_path(file)
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Document(name, None, problems=(Problem(Mark(name), "", f"cannot be read: {reason}"),))
    return parse(content, name)


def shown_path(file: Path) -> str:
    """Return a path as errors show it: relative to the working directory if it is below it."""
    absolute, here = Path.cwd() / file, Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)


def parse(content: bytes, file: str) -> Document:
    """Parse YAML; whatever is wrong is in the document's problems."""
    if len(content) > MAX_BYTES:
        return _refused(file, None, "is larger than 1 MiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        return _refused(file, _place(file, before), f"is not UTF-8: byte 0x{content[error.start]:02x}")
    return _Walk(text, file).document()


def _refused(file: str, mark: Mark | None, message: str) -> Document:
    return Document(file, None, problems=(Problem(mark or Mark(file), "", message),))


def _place(file: str, before: str) -> Mark:
    return Mark(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


def scalar(text: str) -> Any:
    """Read a plain scalar by the core schema; integers are decimal."""
    if text in _NULL:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        value = float(text)
        return value if Decimal(repr(value)) == Decimal(text) else Written(text)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", ""))
    return text


class _StopError(Exception):
    """The rest of the document cannot be walked."""


class _Walk:
    """Walks the parser's events once, and again for each alias."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._source: Iterator[Any] = iter(yaml.parse(text, Loader=_LOADER))
        self._tape: list[Any] = []
        self._at = 0
        self._nodes = 0
        self._anchors: dict[str, tuple[int, int]] = {}
        self._marks: dict[str, Mark] = {}
        self._keys: dict[str, Mark] = {}
        self._problems: list[Problem] = []

    def document(self) -> Document:
        data = None
        try:
            self._next()
            if isinstance(self._next(), yaml.StreamEndEvent):
                return Document(self._file, None)
            data = self._node("", 0)
            self._next()
            if not isinstance(end := self._next(), yaml.StreamEndEvent):
                self._problem(self._mark(end), "", "a second document begins here: one file holds one")
        except _StopError:
            data = None
        except yaml.MarkedYAMLError as error:
            data = None
            self._syntax(error)
        except yaml.reader.ReaderError as error:
            data = None
            before = self._text[: error.position]
            self._problem(_place(self._file, before), "", f"holds a character that YAML forbids: {error.reason}")
        return Document(self._file, data, self._marks, self._keys, tuple(self._problems))

    def _syntax(self, error: yaml.MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        line = mark.line if mark else 0
        lines = self._text.splitlines()
        if line < len(lines) and "\t" in lines[line][: len(lines[line]) - len(lines[line].lstrip())]:
            message = "is indented with a tab: use spaces"
        else:
            message = "is no YAML: " + ", ".join(part for part in (error.problem, error.context) if part)
        self._problem(Mark(self._file, line + 1, (mark.column if mark else 0) + 1), "", message)

    def _next(self) -> Any:
        if self._at == len(self._tape):
            self._tape.append(next(self._source))
        self._at += 1
        return self._tape[self._at - 1]

    def _mark(self, event: Any) -> Mark:
        return Mark(self._file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _problem(self, mark: Mark, path: str, message: str) -> None:
        self._problems.append(Problem(mark, path, message))

    def _stop(self, mark: Mark, message: str) -> None:
        self._problem(mark, "", message)
        raise _StopError

    def _node(self, path: str, depth: int) -> Any:
        start = self._at
        event = self._next()
        mark = self._mark(event)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop(mark, f"holds more than {MAX_NODES} values, aliases counted each time")
        if depth > MAX_DEPTH:
            self._stop(mark, f"is nested more than {MAX_DEPTH} deep")
        self._marks[path] = mark
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path, depth)
        anchor = event.anchor
        if anchor and self._anchors.get(anchor, (start,))[0] != start:
            self._stop(mark, f"defines the anchor &{anchor} a second time")
        if anchor:
            self._anchors.setdefault(anchor, (start, 0))
        if event.tag is not None:
            self._problem(mark, path, f"has the tag {event.tag}: tags are not supported, write plain values")
        value = self._content(event, path, depth)
        if anchor:
            self._anchors[anchor] = (start, self._at)
        return value

    def _content(self, event: Any, path: str, depth: int) -> Any:
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not self._closes(yaml.SequenceEndEvent):
                items.append(self._node(join(path, len(items)), depth + 1))
            return items
        return scalar(event.value) if event.implicit[0] else event.value

    def _closes(self, kind: type[Any]) -> bool:
        """Step over the end of a collection, if it is here."""
        if isinstance(self._next(), kind):
            return True
        self._at -= 1
        return False

    def _mapping(self, path: str, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not self._closes(yaml.MappingEndEvent):
            event = self._next()
            mark = self._mark(event)
            if not isinstance(event, yaml.ScalarEvent):
                self._stop(mark, "has a key that is not plain text")
            key = event.value
            below = join(path, key)
            if key == "<<" and event.implicit[0]:
                self._problem(mark, below, "merge keys are not supported: write the values out")
            if key in mapping:
                first = self._keys[below]
                self._problem(mark, below, f"is given a second time, first in line {first.line}")
                kept = dict(self._marks)
                self._node(below, depth + 1)
                self._marks = kept
                continue
            self._keys[below] = mark
            mapping[key] = self._node(below, depth + 1)
        return mapping

    def _alias(self, event: Any, path: str, depth: int) -> Any:
        mark = self._mark(event)
        start, end = self._anchors.get(event.anchor, (-1, -1))
        if start < 0:
            self._stop(mark, f"there is no anchor &{event.anchor} above")
        if not end:
            self._stop(mark, f"*{event.anchor} holds itself")
        back, self._at = self._at, start
        value = self._node(path, depth)
        self._at = back
        return value

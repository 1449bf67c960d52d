"""The walk through the events of the YAML parser: plain data, the place of each, and what is wrong with them.

Nesting, keys and the expansion of aliases are bounded as it goes: to compose a document would recurse without end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

import yaml

from quantmind.recipe.problems import ENOUGH, Mark, Problem, brief, join, shortened
from quantmind.recipe.scalars import scalar
from quantmind.recipe.syntax import what_to_do

MAX_NODES = 4_000
"""Values of a document at the most: what is made of each of them may take 2 kB while it is checked."""
MAX_DEPTH = 50
MAX_KEY = 200
"""Characters of a key at the most."""
MAX_PATHS = 1_000_000
"""Characters of the paths of all values: very many values below long keys would fill the memory."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


def place(file: str, before: str) -> Mark:
    """Return the place after some text; lines end as YAML has it."""
    lines = _LINE_END.split(before)
    return Mark(file, len(lines), len(lines[-1]) + 1)


class _StopError(Exception):
    """The rest of the document cannot be walked."""


class Walk:
    """Walks the parser's events once, and again for each alias."""

    def __init__(self, text: str, file: str, most: int) -> None:
        self.marks: dict[str, Mark] = {}
        """The place of each value, by its path."""
        self.keys: dict[str, Mark] = {}
        """The place of each key, by the path of its value."""
        self.problems: list[Problem] = []
        self._text = text
        self._file = file
        self._most = most
        self._source: Iterator[Any] = iter(yaml.parse(text, Loader=_LOADER))
        self._ahead: Any = None
        self._tape: list[Any] = []
        """The events from the first anchor on: what stands before it is not walked again."""
        self._at = -1
        """The place in the tape, -1 where the parser goes on."""
        self._nodes = 0
        self._paths = 0
        self._anchors: dict[str, tuple[int, int]] = {}
        self._alias_mark: Mark | None = None

    def data(self) -> Any:
        """Return the data; None where there are none, or they cannot be used."""
        data = None
        try:
            self._next()
            if isinstance(self._next(), yaml.StreamEndEvent):
                return None
            data = self._node("", 0)
            self._next()
            if not isinstance(end := self._next(), yaml.StreamEndEvent):
                message = "a second document begins here: one file holds one, so write each into a file of its own"
                self._problem(self._mark(end), "", message)
        except _StopError:
            data = None
        except yaml.MarkedYAMLError as error:
            data = None
            self._syntax(error)
        except yaml.reader.ReaderError as error:
            data = None
            # The parser was given UTF-8, and counts its bytes.
            before = self._text.encode()[: error.position].decode(errors="ignore")
            sign = self._text[len(before) : len(before) + 1]
            what = f", U+{ord(sign):04X}" if sign else ""
            self._problem(place(self._file, before), "", f"holds a character that YAML forbids{what}: take it out")
        return data

    def _syntax(self, error: yaml.MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        place = Mark(self._file, mark.line + 1, mark.column + 1) if mark else Mark(self._file, 1, 1)
        lines = _LINE_END.split(self._text)
        self._problem(place, "", what_to_do(error, lines[place.line - 1] if place.line <= len(lines) else ""))

    def _next(self) -> Any:
        """Return the next event, of the tape where an alias is walked."""
        if 0 <= self._at < len(self._tape):
            self._at += 1
            return self._tape[self._at - 1]
        if self._ahead is not None:
            event, self._ahead = self._ahead, None
        else:
            event = next(self._source)
        if self._tape or getattr(event, "anchor", None):
            self._tape.append(event)
            self._at = len(self._tape)
        return event

    def _peek(self) -> Any:
        if 0 <= self._at < len(self._tape):
            return self._tape[self._at]
        if self._ahead is None:
            self._ahead = next(self._source)
        return self._ahead

    def _mark(self, event: Any) -> Mark:
        return Mark(self._file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _problem(self, mark: Mark, path: str, message: str) -> None:
        self.problems.append(Problem(mark, path, message))
        if len(self.problems) >= ENOUGH:
            raise _StopError

    def _stop(self, mark: Mark, message: str) -> NoReturn:
        self._problem(mark, "", message)
        raise _StopError

    def _node(self, path: str, depth: int) -> Any:
        event = self._next()
        mark = self._mark(event)
        self._bounded(mark, path, depth)
        self.marks[path] = mark
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path, depth)
        anchor = event.anchor
        start = self._at - 1
        if anchor and self._anchors.get(anchor, (start,))[0] != start:
            self._stop(mark, f"defines the anchor &{brief(anchor)} a second time: give it another name")
        if anchor:
            self._anchors.setdefault(anchor, (start, 0))
        if event.tag is not None:
            tag = brief(event.tag.replace("tag:yaml.org,2002:", "!!"))
            self._problem(mark, path, f"has the tag {tag}: tags are not supported, write plain values")
        value = self._content(event, path, depth)
        if anchor:
            self._anchors[anchor] = (start, self._at)
        return value

    def _bounded(self, mark: Mark, path: str, depth: int) -> None:
        """Stop where a document grows too large; an alias that makes it so is where it is used."""
        self._nodes += 1
        self._paths += len(path)
        if self._nodes > self._most:
            self._stop(
                self._alias_mark or mark, f"holds more than {self._most} values, aliases counted each time: write fewer"
            )
        if depth > MAX_DEPTH:
            self._stop(self._alias_mark or mark, f"is nested more than {MAX_DEPTH} deep: write it flatter")
        if self._paths > MAX_PATHS:
            self._stop(self._alias_mark or mark, "has too many long keys within each other: write shorter ones")

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
        if isinstance(self._peek(), kind):
            self._next()
            return True
        return False

    def _mapping(self, path: str, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not self._closes(yaml.MappingEndEvent):
            event = self._next()
            mark = self._mark(event)
            if not isinstance(event, yaml.ScalarEvent):
                self._stop(mark, "has a key that is not plain text: write a word before the colon")
            below = join(path, brief(event.value, MAX_KEY))
            if wrong := self._wrong_name(event.value):
                self._problem(mark, path, wrong)
            elif wrong := self._wrong_key(event, below, event.value in mapping):
                self._problem(mark, below, wrong)
            if wrong:
                # Its value is walked for what is wrong in it, and then forgotten.
                kept, self.marks, self.keys = (self.marks, self.keys), {}, {}
                self._node(below, depth + 1)
                self.marks, self.keys = kept
                continue
            below = join(path, event.value)
            self.keys[below] = mark
            mapping[event.value] = self._node(below, depth + 1)
        return mapping

    def _wrong_key(self, event: Any, below: str, again: bool) -> str:
        """Say why a key cannot be taken; empty if it can."""
        key: str = event.value
        if again:
            return f"is given a second time, first in line {self.keys[below].line}: leave one out"
        if key == "<<" and event.implicit[0]:
            return "merge keys are not supported: write the values out"
        if event.tag is not None or event.anchor is not None:
            return "a key cannot have a tag or an anchor: write plain text before the colon"
        return ""

    def _wrong_name(self, key: str) -> str:
        """Say why no value can have a key; empty if one can."""
        if not key.strip() or not key.isprintable():
            return f"{json.dumps(shortened(key, 60))} cannot be a key: write a word before the colon"
        return (
            f"{brief(key)} is a key of more than {MAX_KEY} characters: write a shorter one"
            if len(key) > MAX_KEY
            else ""
        )

    def _alias(self, event: Any, path: str, depth: int) -> Any:
        mark = self._mark(event)
        start, end = self._anchors.get(event.anchor, (-1, -1))
        if start < 0:
            self._stop(
                mark, f"there is no anchor &{brief(event.anchor)} above: write the value out, or put it in quotes"
            )
        if not end:
            self._stop(mark, f"*{brief(event.anchor)} holds itself: write the values out")
        outermost = self._alias_mark is None
        self._alias_mark = self._alias_mark or mark
        back, self._at = self._at, start
        value = self._node(path, depth)
        self._at = back
        if outermost:
            self._alias_mark = None
        return value

"""Interpolation: `${NAME}`, `${NAME:-default}`, `${file:PATH}` and `${credential:NAME}` in text values, never twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from quantmind.recipe.document import scalar
from quantmind.recipe.problems import join
from quantmind.recipe.references import References, fault

_TOKEN = re.compile(r"\$\$|\$\{([^}]*)(\}?)")
_REFERENCE = re.compile(r"(file|credential):(.+)", re.DOTALL)
_BODY = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_SHORTEST = 4
"""Characters of a value that can be known again in a sentence; shorter ones are parts of common words."""


class _Found(msgspec.Struct):
    """What stands in one text."""

    path: str
    read: bool
    """Whether it is ours to act on."""
    names: list[str] = []
    missing: list[str] = []
    left: bool = False


class Interpolation(msgspec.Struct):
    """What became of the text values of a document, by path.

    Without `references` no file and no credential is opened, as when a recipe is only looked at. What `is_read` says
    is another's to act on stays as it is written, where it would have to be opened or is not set.
    """

    environ: Mapping[str, str]
    references: References | None = None
    is_read: Callable[[str], bool] | None = None
    names: dict[str, tuple[str, ...]] = {}
    """The variables whose values are in a text."""
    written: dict[str, str] = {}
    """Texts that a variable's value went into, as they were written."""
    missing: dict[str, tuple[str, ...]] = {}
    """Variables that are not set and have no default."""
    secret: set[str] = set()
    """Texts that a file or a credential went into, or would."""
    left: set[str] = set()
    """Texts that stay as they are written."""
    unread: dict[str, str] = {}
    """Why a file or a credential could not be opened."""
    exposed: dict[str, str] = {}
    """Files in a text that others than their owner can get at."""
    values: dict[str, dict[str, str]] = {}
    """What went into a text from outside, and how that was written."""
    faults: dict[str, str] = {}
    """What cannot be understood."""

    def resolve(self, data: Any, path: str = "") -> Any:
        """Return the data with every text value interpolated; keys stay as they are."""
        if isinstance(data, dict):
            return {key: self.resolve(value, join(path, key)) for key, value in data.items()}
        if isinstance(data, list):
            return [self.resolve(value, join(path, index)) for index, value in enumerate(data)]
        return self._text(data, path) if isinstance(data, str) and "$" in data else data

    def unknown(self, path: str) -> bool:
        """Tell whether the value at this path could not be resolved."""
        return path in self.missing or path in self.faults or path in self.unread or path in self.left

    def untold(self, path: str, message: str) -> str:
        """Return a message about a path with what came from outside as it was written there."""
        values = {
            value: written
            for at, inside in self.values.items()
            if at == path or at.startswith((f"{path}.", f"{path}["))
            for value, written in inside.items()
        }
        for value in sorted(values, key=len, reverse=True):
            for spelling in (value, repr(value)[1:-1]):
                message = message.replace(spelling, values[value])
        return message

    def _text(self, text: str, path: str) -> str:
        found = _Found(path, self.is_read is None or self.is_read(path))
        result = _TOKEN.sub(lambda match: self._replaced(match, found), text)
        if found.names or found.left:
            self.written[path] = text
        if found.left:
            self.left.add(path)
            return text
        if found.names:
            self.names[path] = tuple(dict.fromkeys(found.names))
        if found.missing:
            self.missing[path] = tuple(dict.fromkeys(found.missing))
        return result

    def _replaced(self, match: re.Match[str], found: _Found) -> str:
        if match[0] == "$$":
            return "$"
        if match[2] and (reference := _REFERENCE.fullmatch(match[1])) is not None:
            self.secret.add(found.path)
            if wrong := fault(reference[1], reference[2]):
                self.faults.setdefault(found.path, wrong)
                return match[0]
            return self._referred(reference[1], reference[2], match[0], found)
        body = _BODY.fullmatch(match[1])
        if wrong := _fault(match, body):
            self.faults.setdefault(found.path, wrong)
        if wrong or body is None:
            return match[0]
        return self._variable(body[1], body[2], match[0], found)

    def _variable(self, name: str, default: str | None, written: str, found: _Found) -> str:
        value = self.environ.get(name)
        if value or (value is not None and default is None):
            found.names.append(name)
            if isinstance(scalar(value), str):
                # A figure is no secret, and may well be a bound that a message names.
                self._note(value, written, found)
            return value
        if default is not None:
            return default
        if found.read:
            found.missing.append(name)
        else:
            found.left = True
        return written

    def _referred(self, kind: str, name: str, written: str, found: _Found) -> str:
        if self.references is None or not found.read:
            found.left = True
            return written
        found.names.append(f"{kind} {name}")
        try:
            referred = self.references.read(kind, name)
        except ValueError as error:
            self.unread.setdefault(found.path, str(error))
            return written
        if kind == "file" and referred.exposed:
            self.exposed[found.path] = name
        self._note(referred.text, written, found)
        return referred.text

    def _note(self, value: str, written: str, found: _Found) -> None:
        if len(value) >= _SHORTEST:
            self.values.setdefault(found.path, {})[value] = written


def _fault(match: re.Match[str], body: re.Match[str] | None) -> str:
    if not match[2]:
        return "a ${ is not closed: write } after the name, or $$ for a plain $"
    if "${" in match[1]:
        return "a default cannot hold another ${...}"
    if body is None:
        return (
            f"{match[0]} is no variable: write ${{NAME}}, ${{NAME:-default}}, ${{file:PATH}} or ${{credential:NAME}}, "
            "or $$ for a plain $"
        )
    return ""

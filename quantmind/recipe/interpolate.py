"""Interpolation: `${NAME}`, `${NAME:-default}`, `${file:PATH}` and `${credential:NAME}` in text values, never twice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from quantmind.recipe.problems import LONGEST, brief, holders, join, shortened
from quantmind.recipe.references import References, fault
from quantmind.recipe.scalars import scalar

_TOKEN = re.compile(r"\$\$|\$\{([^}]*)(\}?)")
_REFERENCE = re.compile(r"(file|credential):(.+)", re.DOTALL)
_BODY = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_SHORTEST = 4
"""Characters of a value that can be known again in a sentence; shorter ones are parts of common words."""

_PART = 8
"""Characters of a secret that no message may hold in a row."""

MOST = 100
"""Variables, files and credentials in one text at the most."""

MAX_LENGTH = 1 << 20
"""Characters that they may put into all texts together: one that is named again and again would fill the memory."""


class _Found(msgspec.Struct):
    """What stands in one text."""

    path: str
    read: bool
    """Whether it is ours to act on."""
    names: list[str] = []
    missing: list[str] = []
    left: bool = False
    count: int = 0
    """Variables, files and credentials so far."""


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
    """What went into a text, or into those below a path, from outside, and how that was written."""
    secrets: dict[str, str] = {}
    """What came from files and credentials, and how that was written."""
    labels: dict[str, str] = {}
    """What was put into ids: they are told wherever something is said of their components."""
    length: int = 0
    """Characters that were put in."""
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

    def lacking(self) -> set[str]:
        """Return the paths at and below which some value could not be resolved."""
        unknown = {*self.missing, *self.faults, *self.unread, *self.left}
        return unknown | {holder for path in unknown for holder in holders(path)}

    def untold(self, path: str, message: str) -> str:
        """Return a message about a path with what came from outside as it was written there.

        Secrets are told nowhere, and not in parts.
        """
        if not self.values:
            return message
        values = {**self.labels, **self.secrets, **self.values.get(path, {})}
        for value in sorted(values, key=len, reverse=True):
            for spelling in (value, repr(value)[1:-1], json.dumps(value)[1:-1]):
                # It may have been written in capitals since.
                if spelling.lower() in message.lower():
                    message = re.sub(re.escape(spelling), lambda _, of=value: values[of], message, flags=re.IGNORECASE)  # type: ignore[misc] # called at once
        message = shortened(message, LONGEST)
        if any(_shares(message, value, values.values()) for value in self.secrets):
            return "is wrong; how is not told, because that has a part of a secret in it"
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
        found.count += 1
        if found.count > MOST:
            self.faults.setdefault(found.path, f"holds more than {MOST} ${{...}}: write a shorter text")
            return ""
        value = self._value(match, found)
        self.length += len(value)
        if self.length > MAX_LENGTH:
            self.faults.setdefault(found.path, "what ${...} puts in is too much: more than 1 MiB in all texts together")
            return ""
        return value

    def _value(self, match: re.Match[str], found: _Found) -> str:
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
            if found.path.endswith(".id"):
                self._note(value, written, found, self.labels)
            elif isinstance(scalar(value), str):
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
        self._note(referred.text, written, found, self.secrets)
        return referred.text

    def _note(self, value: str, written: str, found: _Found, everywhere: dict[str, str] | None = None) -> None:
        if len(value) < _SHORTEST:
            return
        for path in (found.path, *holders(found.path)):
            self.values.setdefault(path, {})[value] = written
        if everywhere is not None:
            everywhere.setdefault(value, written)


class Discretion:
    """Writes messages about a recipe without what came from outside; shows nothing of that itself."""

    def __init__(self, texts: Interpolation, inherited: Interpolation) -> None:
        self._texts = texts
        self._inherited = inherited

    def __call__(self, path: str, message: str) -> str:
        """Return a message about a component as it may be told."""
        texts = self._inherited if path.startswith("limits[") else self._texts
        return shortened(texts.untold(path, message), LONGEST)

    def __repr__(self) -> str:
        return "Discretion()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Discretion)

    def __hash__(self) -> int:
        return hash(Discretion)


def _shares(message: str, secret: str, spellings: Collection[str]) -> bool:
    """Say whether a message has a part of a secret in it, beside the ways in which it is written."""
    for written in spellings:
        message = message.replace(written, "\n")
    message, secret = message.lower(), secret.lower()
    return any(
        message[at : at + _PART] in secret
        for at in range(len(message) - _PART + 1)
        if "\n" not in message[at : at + _PART]
    )


def _fault(match: re.Match[str], body: re.Match[str] | None) -> str:
    if not match[2]:
        return "a ${ is not closed: write } after the name, or $$ for a plain $"
    if "${" in match[1]:
        return "a default cannot hold another ${...}: write the value itself, or one variable"
    if body is None:
        return (
            f"{brief(match[0])} is no variable: write ${{NAME}}, ${{NAME:-default}}, ${{file:PATH}} or "
            "${credential:NAME}, or $$ for a plain $"
        )
    return ""

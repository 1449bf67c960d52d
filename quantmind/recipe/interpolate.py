"""Interpolation: `${NAME}` and `${NAME:-default}` in text values, after parsing and never twice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from quantmind.recipe.problems import join

_TOKEN = re.compile(r"\$\$|\$\{([^}]*)(\}?)")
_BODY = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


class Interpolation(msgspec.Struct):
    """What became of the text values of a document, by path."""

    environ: Mapping[str, str]
    names: dict[str, tuple[str, ...]] = {}
    """The variables whose values are in a text."""
    written: dict[str, str] = {}
    """Texts that a variable's value went into, as they were written."""
    missing: dict[str, tuple[str, ...]] = {}
    """Variables that are not set and have no default."""
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
        return path in self.missing or path in self.faults

    def _text(self, text: str, path: str) -> str:
        names: list[str] = []
        missing: list[str] = []

        def replaced(match: re.Match[str]) -> str:
            if match[0] == "$$":
                return "$"
            body = _BODY.fullmatch(match[1])
            if fault := _fault(match, body):
                self.faults.setdefault(path, fault)
            if fault or body is None:
                return match[0]
            name, default = body.groups()
            value = self.environ.get(name)
            if value or (value is not None and default is None):
                names.append(name)
                return value
            if default is None:
                missing.append(name)
                return match[0]
            return str(default)

        result = _TOKEN.sub(replaced, text)
        if names:
            self.names[path] = tuple(dict.fromkeys(names))
            self.written[path] = text
        if missing:
            self.missing[path] = tuple(dict.fromkeys(missing))
        return result


def _fault(match: re.Match[str], body: re.Match[str] | None) -> str:
    if match[1].startswith(("file:", "credential:")):
        kind = match[1].partition(":")[0]
        return f"${{{kind}:...}} is not supported yet: use an environment variable, ${{NAME}}"
    if not match[2]:
        return "a ${ is not closed: write } after the name, or $$ for a plain $"
    if "${" in match[1]:
        return "a default cannot hold another ${...}"
    if body is None:
        return f"{match[0]} is no variable: write ${{NAME}} or ${{NAME:-default}}, or $$ for a plain $"
    return ""

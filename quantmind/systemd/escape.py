"""Escaping: paths as systemd reads them, which differs from setting to setting."""

from __future__ import annotations

import re
from pathlib import Path

from quantmind.errors import UsageError

_PLAIN = re.compile(r"[A-Za-z0-9/._:@%+=,-]+")


def value(path: Path | str) -> str:
    """Write a path for a setting that takes all of its line, such as WorkingDirectory=.

    Raises:
        UsageError: such a setting cannot hold it.
    """
    text = _checked(path)
    if text != text.strip() or text.endswith("\\"):
        raise UsageError(f"{text!r} begins or ends with a space or backslash, which systemd cannot read: rename it")
    return text.replace("%", "%%")


def word(text: Path | str) -> str:
    """Write one word of a setting that takes several, such as Environment=."""
    escaped = _checked(text).replace("%", "%%")
    if _PLAIN.fullmatch(escaped):
        return escaped
    quoted = escaped.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'


def program(path: Path | str) -> str:
    """Write the program of ExecStart=, where variables are not replaced.

    Raises:
        UsageError: systemd starts none of that name.
    """
    if not set(str(path)).isdisjoint("'\"\\"):
        raise UsageError(f"{path} holds a quote or a backslash, and systemd starts no such program: install elsewhere")
    return word(path)


def bound(path: Path | str) -> str:
    """Write a path of BindReadOnlyPaths=, where a colon separates."""
    text = word(path)
    return f'"{text}"' if ":" in text and not text.startswith('"') else text


def argument(text: Path | str) -> str:
    """Write an argument of ExecStart=, where variables are replaced too."""
    return word(text).replace("$", "$$")


def _checked(text: Path | str) -> str:
    checked = str(text)
    if not checked.isprintable():
        raise UsageError(f"{checked!r} holds a character that a unit cannot: rename it")
    return checked

"""Scalars: what a word of YAML is, by the core schema of YAML 1.2."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Self

_LONGEST_NUMBER = 10_000
"""Characters of a number at the most: longer ones are text."""

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {word: value for value in (True, False) for word in (f"{value}", f"{value}".lower(), f"{value}".upper())}
_INT = re.compile(r"[-+]?[0-9]{1,400}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,6})?")
_SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


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


def scalar(text: str) -> Any:
    """Read a plain scalar by the core schema; integers are decimal."""
    if text in _NULL:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    return _number(text) if len(text) <= _LONGEST_NUMBER else text


def _number(text: str) -> Any:
    """Read a number, or return the text if it is none."""
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        value = float(text)
        return value if Decimal(repr(value)) == Decimal(text) else Written(text)
    return float(text.replace(".", "")) if _SPECIAL.fullmatch(text) else text

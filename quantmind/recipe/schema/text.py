"""What a recipe may write as text in place of a value: a reference such as `${NAME}`, or a quoted figure.

The patterns mean the same to JavaScript, whose expressions JSON Schema takes, and to Python.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

_REFERENCE = r"\$\{([A-Za-z_][A-Za-z0-9_]*(:-([^}$]|\$(?!\{))*)?|(file|credential):[^}]+)\}"
_SIGN_AND_SPACE = r"^\s*[-+]?"
_TRUTHS = "|".join(
    "".join(f"[{letter.upper()}{letter}]" for letter in word)
    for word in ("true", "false", "yes", "no", "on", "off", "t", "f", "y", "n")
)

DEFINITIONS: Mapping[str, Any] = {
    "reference": {
        "$comment": "A text with ${NAME}, ${NAME:-default}, ${file:PATH} or ${credential:NAME} in it.",
        "type": "string",
        "pattern": _REFERENCE,
    },
    "escaped": {
        "$comment": "A text with a reference in it, or with $$, which stands for $.",
        "type": "string",
        "pattern": rf"\$\$|{_REFERENCE}",
    },
    "whole": {
        "$comment": "A whole number in quotes, or a reference.",
        "type": "string",
        "pattern": rf"{_SIGN_AND_SPACE}[0-9][0-9_]*(\.0*)?\s*$|{_REFERENCE}",
    },
    "figure": {
        "$comment": "A number in quotes, or a reference.",
        "type": "string",
        "pattern": rf"{_SIGN_AND_SPACE}[0-9_]*\.?[0-9][0-9_]*\.?[0-9_]*([eE][-+]?[0-9_]+)?\s*$|{_REFERENCE}",
    },
    "truth": {
        "$comment": "true or false in quotes or in other words, 1 or 0, or a reference.",
        "type": ["string", "integer"],
        "minimum": 0,
        "maximum": 1,
        "pattern": rf"^({_TRUTHS}|[01])$|{_REFERENCE}",
    },
}
"""The texts by their names, as definitions of a schema."""

_HOLDS = {
    "reference": {"reference"},
    "escaped": {"reference", "escaped"},
    "whole": {"reference", "whole"},
    "figure": {"reference", "whole", "figure"},
    "truth": {"reference", "truth"},
}
"""Which texts each of them holds."""

_CLASS = re.compile(r"\[\^?(?:(?!--)[^\\\[\]&~]|\\[^A-Za-z0-9])+\]")
_GROUP = re.compile(r"\((?!\?)|\(\?[:=!]")
_ESCAPED = re.compile(r"\\[^A-Za-z0-9]")
_REPEAT = re.compile(r"\{[0-9]+(,[0-9]*)?\}")
_PLAIN = re.compile(r"[^\\\[\]{}().]")


def allowed(schema: dict[str, Any], texts: Collection[str]) -> dict[str, Any]:
    """Return a schema that takes what the given one takes, and these texts too."""
    needed = [name for name in sorted(texts) if not any(name != other and name in _HOLDS[other] for other in texts)]
    if not needed or not schema:
        return schema
    references = [{"$ref": f"#/definitions/{name}"} for name in needed]
    # An editor points at what is wrong in `else`; of the branches of an `anyOf` it would have to guess.
    return {"if": references[0] if len(references) == 1 else {"anyOf": references}, "else": schema}


def pattern(expression: str) -> str:
    r"""Return a pattern of pydantic's as JavaScript and Python read it; nothing where they would read another one.

    What they differ about are classes of letters (`\w`), anchors (`\A`), flags, and what `.` leaves out.
    """
    parts = []
    at = 0
    while at < len(expression):
        if expression[at] == ".":
            parts.append(r"[^\n]")
            at += 1
            continue
        known = (each.match(expression, at) for each in (_CLASS, _GROUP, _ESCAPED, _REPEAT, _PLAIN))
        match = next(filter(None, known), None)
        if match is None and expression[at] != ")":
            return ""
        parts.append(match[0] if match else ")")
        at += len(parts[-1])
    return "".join(parts)

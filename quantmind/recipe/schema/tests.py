"""The JSON Schema of the `tests` of a recipe."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from quantmind.recipe.expectations import LISTS, TOTALS
from quantmind.recipe.given import SERIES, Account
from quantmind.recipe.schema.options import options_schema

_NO_SYMBOL = {"propertyNames": {"pattern": "^[^/]*$"}}
"""Keys with a slash in one of them are symbols."""


def tests_definitions() -> dict[str, Any]:
    """Return what the schema of the section refers to."""
    series = {f"{key}_series": options_schema(model) for key, model in SERIES.items()}
    return {**series, **{f"{key}_wanted": _entries(*expected) for key, expected in LISTS.items()}}


def tests_schema() -> dict[str, Any]:
    """Return the schema of the section."""
    return {
        "description": "What the recipe must do in a market that is given: `quantmind test` runs it.",
        "type": ["array", "null"],
        "items": {
            "type": "object",
            "required": ["name", "given", "expect"],
            "properties": {
                "name": {
                    "description": "What it shows, on one line.",
                    "type": "string",
                    "pattern": r"^[^\u0000-\u001f\u007f]*\S[^\u0000-\u001f\u007f]*$|\$\{",
                    "patternErrorMessage": "must be text on one line",
                },
                "given": _given(),
                "expect": _expect(),
            },
            "additionalProperties": False,
        },
    }


def _given() -> dict[str, Any]:
    account = options_schema(Account)
    return {
        **account,
        "description": "The account, and the market as series of figures: at least one of each symbol.",
        "properties": {**account["properties"], **{key: _series(key) for key in SERIES}},
        "anyOf": [{"required": [key]} for key in sorted(SERIES)],
    }


def _series(key: str) -> dict[str, Any]:
    """Return the schema of a series, or of one for each symbol; null is as if left out."""
    directly = {"$ref": f"#/definitions/{key}_series"}
    return {
        "description": f"{SERIES[key].__doc__} By symbol where there are several.",
        "type": ["object", "null"],
        "if": {"type": "object", **_NO_SYMBOL},
        "then": directly,
        "else": {"additionalProperties": directly},
    }


def _expect() -> dict[str, Any]:
    totals = options_schema(TOTALS)
    return {
        **totals,
        "description": "What must come of it; what is not named is not compared.",
        "properties": {**{key: _list(key) for key in LISTS}, **totals["properties"]},
        "minProperties": 1,
    }


def _list(key: str) -> dict[str, Any]:
    """Return the schema of a list of entries in order, or of all there are: `exactly` and a list."""
    model, plain = LISTS[key]
    entries = {"$ref": f"#/definitions/{key}_wanted"}
    return {
        "description": f"{model.__doc__} Each a mapping, or its {plain} alone, in the order in which they come.",
        "type": ["array", "object"],
        "if": {"type": "object"},
        "then": {"required": ["exactly"], "properties": {"exactly": entries}, "additionalProperties": False},
        "else": entries,
    }


def _entries(model: type[BaseModel], plain: str) -> dict[str, Any]:
    entry = options_schema(model)
    # A plain value is that of one key.
    return {"type": "array", "items": {"if": {"type": "object"}, "then": entry, "else": entry["properties"][plain]}}

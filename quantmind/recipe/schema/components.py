"""The JSON Schema of components as a recipe names them: their names, their options, an id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quantmind.errors import QuantMindError
from quantmind.kinds import Component
from quantmind.plugins import PluginError, Plugins
from quantmind.recipe.faults import SLUG, SLUG_WORDS
from quantmind.recipe.schema.options import options_schema
from quantmind.recipe.schema.text import DEFINITIONS, allowed
from quantmind.recipe.schema.values import offered, or_null
from quantmind.reference.example import example

SLUG_SCHEMA = {"type": "string", "pattern": f"^{SLUG.pattern}$", "patternErrorMessage": SLUG_WORDS}
NOTHING = {"type": ["object", "null"], "maxProperties": 0}

_ID = {
    "description": "A name of its own, where a recipe has the same component twice.",
    **allowed(SLUG_SCHEMA, ["reference"]),
}
_WITH_OPTIONS = {
    **DEFINITIONS["reference"],
    "patternErrorMessage": "is not known, or needs options: write name: {options}",
}
_ONE_NAME = {
    "if": {"required": ["id"]},
    "then": {"minProperties": 2, "maxProperties": 2},
    "else": {"minProperties": 1, "maxProperties": 1},
}


class Components:
    """The components that plugins give, by kind."""

    def __init__(self, plugins: Plugins) -> None:
        self._found: dict[str, dict[str, type[Component[Any]]]] = {}
        for kind, name in sorted({(row.kind, row.name) for row in plugins.all() if row.kind}):
            try:
                component = plugins.find(kind, name)
            except PluginError:
                # Two plugins have it: a recipe cannot name it either.
                continue
            if name != "id":
                self._found.setdefault(kind, {})[name] = component

    def listed(self, kind: str, description: str, least: int = 0) -> dict[str, Any]:
        """Return the schema of a section that lists components."""
        entries = {"type": "array", "items": self.one(kind), **({"minItems": least} if least else {})}
        return {"description": description, **(entries if least else or_null(entries))}

    def one(self, kind: str, description: str = "", others: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the schema of one component; `others` are names that a recipe may write in its place."""
        found = self._found.get(kind, {})
        bare = [name for name, component in found.items() if _needs_none(component)]
        options = {name: _options(component, bare=name in bare) for name, component in found.items()}
        named = [*(others or {}), *bare]
        text = allowed({"enum": named}, ["reference"]) if named else _WITH_OPTIONS
        return {
            **({"description": description} if description else {}),
            **_offered(named, [component for name, component in found.items() if name not in bare]),
            "type": ["object", "string"],
            "properties": {**(others or {}), **options, "id": _ID},
            "additionalProperties": False,
            **({"dependencies": {name: {"maxProperties": 1} for name in others}} if others else {}),
            "if": {"type": "object"},
            "then": _ONE_NAME,
            "else": {"if": {"type": "string"}, "then": text},
        }


def _offered(named: Sequence[str], others: Sequence[type[Component[Any]]]) -> dict[str, Any]:
    """Return what an editor offers: names that can stand alone, and the other components with an example."""
    snippets = offered(named).get("defaultSnippets", [])
    for component in others:
        try:
            options = example(component)
        except QuantMindError:
            # Its author shows none.
            continue
        if "$" not in str(options):
            # An editor would take it for a place to fill in.
            body = {component.name: options}
            snippets.append({"label": f"{component.name}: ...", "description": component.summary(), "body": body})
    return {"defaultSnippets": snippets} if snippets else {}


def _options(component: type[Component[Any]], *, bare: bool) -> dict[str, Any]:
    """Return the schema of a component's options; of one that needs none, null stands for them."""
    schema = options_schema(component.options_model)
    if bare:
        schema = or_null(schema)
    elif schema.get("type") == "object":
        schema["minProperties"] = max(1, len(schema.get("required", ())))
    return {**schema, "description": component.summary()}


def _needs_none(component: type[Component[Any]]) -> bool:
    try:
        component.options_model.model_validate({})
    except Exception:  # noqa: BLE001 - the model of a plugin may raise anything
        return False
    return True

"""The JSON Schema of recipes and of quantmind.yaml, with the options of every installed component.

It is draft-07, which validators and editors know best. It takes whatever lint takes, for some value of the variables in
it, and refuses what JSON Schema can tell: that a strategy's bars can be built, it cannot.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from quantmind.market.instruments import KNOWN
from quantmind.plugins import Plugins
from quantmind.project import ProjectOptions
from quantmind.recipe.entry import LimitEntry
from quantmind.recipe.instruments import Steps
from quantmind.recipe.load import KEYS, REQUIRED, Risk
from quantmind.recipe.schema.components import NOTHING, SLUG_SCHEMA, Components
from quantmind.recipe.schema.options import options_schema
from quantmind.recipe.schema.tests import tests_definitions, tests_schema
from quantmind.recipe.schema.text import DEFINITIONS, allowed
from quantmind.recipe.schema.values import offered, or_null

_SYMBOL = r"[A-Z0-9]+/([A-Z0-9]+):\1$"
_ONE = {"minProperties": 1, "maxProperties": 1}


def recipe_schema(plugins: Plugins) -> dict[str, Any]:
    """Return the schema of recipes."""
    components = Components(plugins)
    inproc = {"inproc": {"description": "None: the recipe runs in one process.", **NOTHING}}
    sections = {
        "name": {"description": "A short name: runs are named after it.", **allowed(SLUG_SCHEMA, ["reference"])},
        "instruments": _instruments(),
        "feeds": components.listed("feed", "Where market data come from.", 1),
        "transport": or_null(
            components.one("transport", "What connects the stages as processes; left out, they are one.", inproc)
        ),
        "strategies": components.listed("strategy", "Who decides.", 1),
        "allocator": components.one("allocator", "How much each strategy has to say."),
        "risk": _risk(components),
        "entry": _entry(),
        "executor": components.one("executor", "Who fills the orders."),
        "sinks": components.listed("sink", "Where to see or keep what happens."),
        "tests": tests_schema(),
    }
    definitions = {**DEFINITIONS, "steps": options_schema(Steps), **tests_definitions()}
    return _whole("A recipe of QuantMind.", {key: sections[key] for key in KEYS}, list(REQUIRED), definitions)


def project_schema(plugins: Plugins) -> dict[str, Any]:
    """Return the schema of quantmind.yaml."""
    made = options_schema(ProjectOptions, interpolated=False)
    limits = Components(plugins).listed("limit", ProjectOptions.model_fields["limits"].description or "")
    sections = {key: or_null(below) for key, below in made["properties"].items()}
    return or_null(
        _whole("What recipes in this folder and below it inherit.", {**sections, "limits": limits}, [], DEFINITIONS)
    )


def as_text(schema: Mapping[str, Any]) -> str:
    """Write a schema; the same one always as the same text."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _whole(
    description: str, sections: dict[str, Any], required: list[str], definitions: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "description": description,
        "type": "object",
        **({"required": required} if required else {}),
        "properties": sections,
        "additionalProperties": False,
        "definitions": dict(definitions),
    }


def _instruments() -> dict[str, Any]:
    steps = {"$ref": "#/definitions/steps"}
    known = "|".join(f"^{re.escape(symbol)}$" for symbol in KNOWN)
    by_symbol = {
        # Steps may be left out where they are known.
        "properties": {symbol: {"if": {"type": "null"}, "else": steps} for symbol in KNOWN},
        "patternProperties": {rf"^(?!{known}){_SYMBOL}": steps},
        "additionalProperties": False,
    }
    entry = {
        **offered(list(KNOWN)),
        "type": ["object", "string"],
        **by_symbol,
        "if": {"type": "object"},
        "then": _ONE,
        "else": {"if": {"type": "string"}, "then": allowed({"enum": list(KNOWN)}, ["reference"])},
    }
    return {
        "description": "What is traded: symbols as BASE/QUOTE:SETTLE; those that are not known with their steps.",
        "if": {"type": "object"},
        "then": {**by_symbol, "minProperties": 1},
        "else": {"type": "array", "minItems": 1, "uniqueItems": True, "items": entry},
    }


def _risk(components: Components) -> dict[str, Any]:
    made = options_schema(Risk)
    for name, (kind, least) in {
        "sizing": ("sizing", 1),
        "protection": ("protection", 0),
        "limits": ("limit", 0),
    }.items():
        made["properties"][name] = components.listed(kind, made["properties"][name]["description"], least)
    for name in made["properties"].keys() - set(made["required"]):
        made["properties"][name] = or_null(made["properties"][name])
    return {**made, "description": "How much is held, when it is left, and what may never be exceeded."}


def _entry() -> dict[str, Any]:
    ways = {
        "market": {"description": "At market.", **NOTHING},
        "limit": or_null(options_schema(LimitEntry)),
    }
    return {
        "description": "How increases are ordered: `market`, or `limit` with options.",
        **offered(list(ways)),
        "type": ["object", "string", "null"],
        "properties": ways,
        "additionalProperties": False,
        "if": {"type": "object"},
        "then": _ONE,
        "else": {"if": {"type": "string"}, "then": allowed({"enum": list(ways)}, ["reference"])},
    }

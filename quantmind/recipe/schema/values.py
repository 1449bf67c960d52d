"""Values as a recipe may write them: pydantic's JSON Schema in draft-07, with references and quoted figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quantmind.recipe.schema.text import allowed, pattern
from quantmind.recipe.written import flow

_TOLD = ("description", "default", "examples")
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_SCALAR = ("type", "enum", "const", "pattern", "patternErrorMessage", "minLength", "maxLength", *_BOUNDS)
"""`patternErrorMessage` is read by the YAML language server, and by no other."""
_LISTED = ("minItems", "maxItems")
_MAPPED = ("required", "minProperties", "maxProperties")
_TEXTS = {"integer": "whole", "number": "figure", "boolean": "truth"}
_PARSED = ("path", "password", "binary", "file-path", "directory-path")
"""Formats of texts that are taken as they are; others are forms of what pydantic reads in several ways."""


class Values:
    """Rewrites schemas whose `$ref`s are among the given definitions."""

    def __init__(self, definitions: Mapping[str, Any], *, interpolated: bool) -> None:
        self._definitions = definitions
        self._interpolated = interpolated

    def schema(self, given: Any, within: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return the schema of what a recipe may write where `given` is asked for."""
        if not isinstance(given, dict):
            return {} if given is True else {"not": {}}
        told = _told(given)
        if "$ref" in given:
            name = given["$ref"].rpartition("/")[2]
            # A model that holds itself is followed once.
            below = {} if name in within else self.schema(self._definitions.get(name, {}), (*within, name))
            return {**below, **told}
        branches = given.get("anyOf") or given.get("oneOf")
        if branches:
            return {**told, **_choices(branches), **self._union(self._flat(branches), within), **told}
        return {**told, **_choices([given]), **self._single(given, within)}

    def _flat(self, branches: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        flat: list[dict[str, Any]] = []
        for branch in branches:
            inner = branch.get("anyOf") or branch.get("oneOf")
            flat += self._flat(inner) if inner else [branch]
        return flat

    def _union(self, branches: Sequence[dict[str, Any]], within: tuple[str, ...]) -> dict[str, Any]:
        """Tell mappings, lists and the rest apart first, so that each is held against its own branches alone."""
        nullable = any(branch.get("type") == "null" for branch in branches)
        groups: dict[str, list[dict[str, Any]]] = {"object": [], "array": [], "": []}
        for branch in branches:
            if branch.get("type") == "null":
                continue
            kind = self._kind(branch, within)
            if kind is None:
                return {}
            groups[kind].append(branch)
        made = {kind: self._group(kind, members, within) for kind, members in groups.items() if members}
        if not made:
            return {"type": "null"}
        *others, last = made
        schema = or_null(made[last]) if nullable else made[last]
        for kind in reversed(others):
            schema = {"if": {"type": kind}, "then": made[kind], "else": schema}
        return schema

    def _kind(self, branch: dict[str, Any], within: tuple[str, ...]) -> str | None:
        """Return `object`, `array` or nothing for scalars; None where a branch may be all of them."""
        if "$ref" in branch:
            name = branch["$ref"].rpartition("/")[2]
            return None if name in within else self._kind(self._definitions.get(name, {}), (*within, name))
        if (kind := branch.get("type")) in ("object", "array"):
            return str(kind)
        scalar = self._single(branch, within)
        return "" if scalar and not {"object", "array"} & set(_types(branch)) else None

    def _group(self, kind: str, branches: Sequence[dict[str, Any]], within: tuple[str, ...]) -> dict[str, Any]:
        if len(branches) == 1:
            return self.schema(branches[0], within)
        if kind:
            return {"type": kind, "anyOf": [self.schema(branch, within) for branch in branches]}
        bare = [_bare(branch) for branch in branches]
        if all(branch.keys() == {"type"} for branch in bare):
            return {"type": list(dict.fromkeys(kind for branch in bare for kind in _types(branch)))}
        texts = {text for branch in bare for text in _texts(branch)} if self._interpolated else ()
        return allowed({"anyOf": bare}, texts)

    def _single(self, given: dict[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
        kind = given.get("type")
        if kind == "object" or "properties" in given:
            return self._mapping(given, within)
        if kind == "array":
            return self._list(given, within)
        if given.get("format", "path") not in _PARSED:
            return {}
        bare = _bare(given)
        return allowed(bare, _texts(bare) if self._interpolated else ())

    def _mapping(self, given: dict[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
        made: dict[str, Any] = {"type": "object", **{key: given[key] for key in _MAPPED if key in given}}
        if "properties" in given:
            made["properties"] = {name: self.schema(below, within) for name, below in given["properties"].items()}
        if "patternProperties" in given:
            several = given["patternProperties"].items()
            made["patternProperties"] = {pattern(key): self.schema(below, within) for key, below in several}
            made["patternProperties"].pop("", None)
        names = given.get("propertyNames", {})
        if names.get("type", "string") == "string" and (bare := _bare(names)):
            # Keys are never interpolated; those of other types are read from text.
            made["propertyNames"] = bare
        if (more := given.get("additionalProperties", True)) is not True:
            made["additionalProperties"] = more if more is False else self.schema(more, within)
        return made

    def _list(self, given: dict[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
        made: dict[str, Any] = {"type": "array", **{key: given[key] for key in _LISTED if key in given}}
        first = given.get("prefixItems")
        if first is None:
            return {**made, "items": self.schema(given["items"], within)} if given.get("items") else made
        made["items"] = [self.schema(below, within) for below in first]
        if "items" in given:
            made["additionalItems"] = given["items"] and self.schema(given["items"], within)
        return made


def _told(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an editor shows of a value: the default in words too, which few of them show otherwise."""
    told = {key: given[key] for key in _TOLD if given.get(key) not in (None, "")}
    if "default" in told:
        # It shows how the value is written.
        told.pop("examples", None)
        if told["default"] not in ([], {}, "") and "description" in told:
            told["description"] += f" Default: {flow(told['default'])}."
    return told


def offered(values: Sequence[Any]) -> dict[str, Any]:
    """Return the values that an editor offers: it looks for them beside an `if`, but not below it."""
    return {"defaultSnippets": [{"label": flow(value), "body": value} for value in values]} if values else {}


def _choices(branches: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what an editor offers where one of a few values is asked for."""
    values: list[Any] = []
    for branch in branches:
        values += [True, False] if branch.get("type") == "boolean" else branch.get("enum", ())
        values += [branch["const"]] if "const" in branch else []
    return offered(values)


def _types(schema: Mapping[str, Any]) -> list[str]:
    kinds = schema.get("type", [])
    return list(kinds) if isinstance(kinds, list) else [kinds]


def _bare(given: dict[str, Any]) -> dict[str, Any]:
    """Return what is asked of a scalar, without what is told of it."""
    made = {key: given[key] for key in _SCALAR if key in given}
    if "const" in made:
        made["enum"] = [made.pop("const")]
    if "enum" in made:
        made.pop("type", None)
    if "pattern" in made and not (expression := pattern(str(made.pop("pattern")))):
        return made
    return {**made, "pattern": expression} if "pattern" in given else made


def _texts(bare: Mapping[str, Any]) -> set[str]:
    """Return the texts that may stand for a scalar."""
    kinds = _types(bare)
    if not bare or (bare.keys() == {"type"} and "string" in kinds):
        return set()
    if "enum" in bare:
        return {"escaped" if any("$" in str(value) for value in bare["enum"]) else "reference"}
    if "string" in kinds:
        return {"reference"} if len(kinds) > 1 else {"escaped"}
    return {_TEXTS[kind] for kind in kinds if kind in _TEXTS}


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that takes null, too."""
    if "anyOf" in schema:
        return {"if": {"type": "null"}, "else": schema}
    if "else" in schema:
        schema = {**schema, "else": or_null(schema["else"])}
    if "type" in schema:
        return {**schema, "type": list(dict.fromkeys([*_types(schema), "null"]))}
    if "enum" in schema and None not in schema["enum"]:
        return {**schema, "enum": [*schema["enum"], None]}
    return schema

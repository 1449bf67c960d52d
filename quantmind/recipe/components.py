"""The components of a recipe: a name, options, perhaps an id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from pydantic import BaseModel, SecretBytes, SecretStr

from quantmind.plugins import PluginError, Plugins, ShutOutError
from quantmind.recipe.faults import SLUG, SLUG_WORDS, shown, validate
from quantmind.recipe.findings import Findings
from quantmind.recipe.model import Spec
from quantmind.recipe.problems import join

MASK = "**********"


class Section(msgspec.Struct, frozen=True):
    """The specs of one section, and whether all that is written there could be read."""

    specs: tuple[Spec, ...]
    sound: bool


def read_list(raw: Any, kind: str, path: str, plugins: Plugins, findings: Findings, *, least: int = 0) -> Section:
    """Read a list of components of one kind."""
    if not isinstance(raw, list):
        told = shown(findings.written(path, raw))
        findings.error(path, f"must be a list: write - before each entry, was {told}")
        return Section((), sound=False)
    if len(raw) < least:
        findings.error(path, f"must name at least one component of kind {kind}: write one below it, after a -")
    specs = [read_component(entry, kind, join(path, i), plugins, findings) for i, entry in enumerate(raw)]
    sound = len(raw) >= least and None not in specs
    return Section(tuple(spec for spec in specs if spec is not None), sound)


def read_component(raw: Any, kind: str, path: str, plugins: Plugins, findings: Findings) -> Spec | None:
    """Read one component: `name`, or `{name: options}` with an optional `id`."""
    entry = {raw: None} if isinstance(raw, str) else raw
    names = [key for key in entry if key != "id"] if isinstance(entry, dict) else []
    if len(names) != 1:
        found = shown(", ".join(names)) if names else shown(findings.written(path, raw))
        if isinstance(entry, dict) and entry.keys() == {"id"}:
            found = "an id alone"
        hint = "; did you mean id?" if any(key.lower() == "id" for key in names) else ""
        told = f"must be one component, name or name: {{options}} (and an id: beside it), was {found}{hint}"
        findings.error(path, told)
        return None
    (name,) = names
    below = join(path, name)
    own_id = entry.get("id", name)
    if "id" in entry and (not isinstance(own_id, str) or SLUG.fullmatch(own_id) is None):
        at = join(path, "id")
        findings.error(at, f"{SLUG_WORDS}, was {shown(findings.written(at, own_id))}")
        own_id = ""
    try:
        component = plugins.find(kind, name)
    except ShutOutError as error:
        # It is so of each of them: it is told once, where it can be mended.
        findings.shut_out = str(error)
        return None
    except PluginError as error:
        if isinstance(raw, str):
            findings.error(path, str(error).replace(name, str(findings.written(path, name))))
        else:
            findings.error(below, str(error), key=True)
        return None
    given = {} if entry[name] is None else entry[name]
    options = validate(component.options_model, given, below, findings)
    return Spec(component, options, own_id, below) if options is not None and own_id else None


def secrets(value: Any, path: str = "") -> Iterator[tuple[str, SecretStr | SecretBytes]]:
    """Yield the secrets in options, each with its path; of a set, whose members have no place, with that of the set."""
    if isinstance(value, SecretStr | SecretBytes):
        yield path, value
        return
    if isinstance(value, BaseModel):
        members = [(join(path, name), getattr(value, name)) for name in type(value).model_fields]
    elif isinstance(value, dict):
        members = [(join(path, str(key)), member) for key, member in value.items()]
    elif isinstance(value, list | tuple):
        members = [(join(path, index), member) for index, member in enumerate(value)]
    elif isinstance(value, set | frozenset):
        members = [(path, member) for member in value]
    else:
        members = []
    for below, member in members:
        yield from secrets(member, below)


def masked(data: Any, hidden: set[str], path: str = "") -> Any:
    """Return plain data with what stands at the hidden paths masked."""
    if path in hidden:
        return MASK
    if isinstance(data, dict):
        return {key: masked(value, hidden, join(path, key)) for key, value in data.items()}
    if isinstance(data, list):
        return [masked(value, hidden, join(path, index)) for index, value in enumerate(data)]
    return data


def leaves(data: Any, path: str = "") -> dict[str, Any]:
    """Return every plain value by its path."""
    if isinstance(data, dict):
        members = [(join(path, key), value) for key, value in data.items()]
    elif isinstance(data, list):
        members = [(join(path, index), value) for index, value in enumerate(data)]
    else:
        return {path: data}
    return {at: value for below, member in members for at, value in leaves(member, below).items()}

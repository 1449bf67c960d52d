"""Show: a recipe with every default filled in, and the origin of each value."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from quantmind.kinds.options import format_duration
from quantmind.market.instruments import Instrument
from quantmind.recipe.entry import Entry
from quantmind.recipe.model import Origins, Recipe, Spec
from quantmind.recipe.problems import join
from quantmind.recipe.written import plain, scalar, timed


class Leaf(msgspec.Struct, frozen=True):
    """One value and where it comes from."""

    value: Any
    origin: str


def tree(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe as mappings and lists, in the order of a recipe, with a Leaf for each value."""
    view = _View(recipe.origins)
    band = "risk.no_trade_band"
    own = [spec for spec in recipe.limits if spec.path.startswith("risk.")]
    inherited = [spec for spec in recipe.limits if spec not in own]
    tests = {"tests": [view.written(test.written, test.path) for test in recipe.tests]} if recipe.tests else {}
    return {
        "name": view.leaf("name", recipe.name),
        "instruments": view.instruments(recipe),
        "feeds": view.listed(recipe.feeds),
        "transport": view.component(recipe.transport) if recipe.transport else Leaf("inproc", view.origin("transport")),
        "strategies": view.listed(recipe.strategies),
        "allocator": view.component(recipe.allocator),
        "risk": {
            "sizing": view.listed(recipe.sizing),
            "protection": view.listed(recipe.protection),
            "limits": view.listed([*inherited, *own]),
            "no_trade_band": view.leaf(band, recipe.no_trade_band),
            "max_age": view.leaf("risk.max_age", format_duration(recipe.max_age)),
        },
        "entry": view.entry(recipe.entry),
        "executor": view.component(recipe.executor),
        "sinks": view.listed(recipe.sinks),
        **tests,
    }


def as_yaml(recipe: Recipe) -> str:
    """Write the resolved recipe as YAML, the origin of each value in a comment."""
    return "".join(f"{line}\n" for line in _lines(tree(recipe)))


def as_json(recipe: Recipe) -> dict[str, Any]:
    """Return the resolved recipe as plain data, and the origin of each value by path."""
    whole = tree(recipe)
    return {"recipe": _values(whole), "origins": _origins(whole)}


class _View:
    """Looks values and their origins up."""

    def __init__(self, origins: Origins) -> None:
        self._origins = origins

    def origin(self, path: str) -> str:
        if names := self._origins.environment.get(path):
            referred = any(" " in name for name in names)
            return ", ".join(names) if referred else f"environment {', '.join(names)}"
        mark = self._origins.marks.get(path)
        if mark is not None:
            return f"{mark.file}:{mark.line}"
        return "given" if path in self._origins.values else "default"

    def leaf(self, path: str, value: Any) -> Leaf:
        """Show a value as it was written, if it was."""
        return Leaf(self._origins.values.get(path, plain(value)), self.origin(path))

    def written(self, data: Any, path: str) -> Any:
        """Show plain data."""
        if isinstance(data, dict) and data:
            return {key: self.written(member, join(path, key)) for key, member in data.items()}
        if isinstance(data, list) and any(isinstance(member, dict) for member in data):
            return [self.written(member, join(path, index)) for index, member in enumerate(data)]
        return Leaf(data, self.origin(path))

    def entry(self, entry: Entry) -> dict[str, Any] | Leaf:
        if entry.limit is None:
            return Leaf("market", self.origin("entry"))
        return {"limit": self.model(entry.limit, "entry.limit")}

    def instruments(self, recipe: Recipe) -> dict[str, Any]:
        shown = {}
        for index, instrument in enumerate(recipe.instruments):
            listed = join("instruments", index)
            places = [join(listed, instrument.symbol), join("instruments", instrument.symbol), listed]
            place = next((path for path in places if self.origin(path) != "default"), listed)
            steps: dict[str, Any] = {}
            for name in ("tick", "step", "min_notional", "max_quantity"):
                path = join(place, name)
                steps[name] = self.leaf(path, getattr(instrument, name))
            steps["maintenance"] = self.tiers(join(place, "maintenance"), instrument)
            shown[instrument.symbol] = steps
        return shown

    def tiers(self, path: str, instrument: Instrument) -> list[dict[str, Leaf]]:
        return [
            {name: self.leaf(join(join(path, index), name), getattr(tier, name)) for name in ("floor", "rate")}
            for index, tier in enumerate(instrument.tiers)
        ]

    def listed(self, specs: Sequence[Spec]) -> list[Any] | Leaf:
        return [self.component(spec) for spec in specs] or Leaf([], "default")

    def component(self, spec: Spec) -> dict[str, Any]:
        name = spec.component.name
        entry = spec.path.removesuffix(f".{name}")
        where = self.origin(spec.path)
        options = self.model(spec.options, spec.path)
        shown: dict[str, Any] = {name: options or Leaf({}, where if where != "default" else self.origin(entry))}
        if spec.id != name:
            shown["id"] = self.leaf(join(entry, "id"), spec.id)
        return shown

    def model(self, options: BaseModel, path: str) -> dict[str, Any]:
        return {
            name: self.value(getattr(options, name), join(path, name), field)
            for name, field in type(options).model_fields.items()
        }

    def value(self, value: Any, path: str, field: FieldInfo | None = None) -> Any:
        if path in self._origins.values:
            return self.leaf(path, value)
        if isinstance(value, BaseModel):
            return self.model(value, path) or self.leaf(path, {})
        if isinstance(value, dict) and value:
            return {str(key): self.value(member, join(path, str(key))) for key, member in value.items()}
        if isinstance(value, list | tuple) and value:
            return [self.value(member, join(path, index)) for index, member in enumerate(value)]
        return self.leaf(path, timed(value, field.annotation, field.metadata) if field else value)


def _lines(node: Any) -> list[str]:
    if isinstance(node, Leaf):
        return [f"{scalar(node.value)}  # {node.origin}"]
    lines = []
    if isinstance(node, list):
        for member in node:
            first, *rest = _lines(member)
            lines += [f"- {first}", *(f"  {line}" for line in rest)]
        return lines
    for key, member in node.items():
        below = _lines(member)
        if isinstance(member, Leaf):
            lines.append(f"{scalar(key)}: {below[0]}")
        else:
            lines += [f"{scalar(key)}:", *(f"  {line}" for line in below)]
    return lines


def _values(node: Any) -> Any:
    if isinstance(node, Leaf):
        return str(node.value) if isinstance(node.value, Decimal) else node.value
    if isinstance(node, list):
        return [_values(member) for member in node]
    return {key: _values(member) for key, member in node.items()}


def _origins(node: Any, path: str = "") -> dict[str, str]:
    if isinstance(node, Leaf):
        return {path: node.origin}
    members = enumerate(node) if isinstance(node, list) else node.items()
    return {at: origin for part, member in members for at, origin in _origins(member, join(path, part)).items()}

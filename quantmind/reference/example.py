"""Options of an example: what the fields of a component give as such, and what a required one needs besides."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, create_model
from pydantic.fields import FieldInfo

from quantmind.errors import QuantMindError
from quantmind.kinds import Component, Options
from quantmind.recipe.written import plain
from quantmind.reference.candidates import candidates
from quantmind.reference.option import key

_TRIES = 1_000
"""Values that are tried of one option at the most."""


def example(component: type[Component[Any]]) -> dict[str, Any]:
    """Return options of an example, as plain data: those with `examples`, and made-up ones where one is required.

    Raises:
        QuantMindError: a required option has none, and none could be made up of its type; names it.
    """
    return _of_model(component.options_model, f"{component.kind} {component.name}", "", ())


def _of_model(model: type[BaseModel], owner: str, path: str, above: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    made = {}
    for name, field in model.model_fields.items():
        at = key(name, field)
        if field.examples:
            made[at] = _data(field.examples[0])
        elif field.is_required():
            made[at] = _made(field, owner, f"{path}{at}", (*above, model))
    return made


def _made(field: FieldInfo, owner: str, path: str, above: tuple[type[BaseModel], ...]) -> Any:
    """Return the first value that the option takes, of those that its type suggests."""
    for written, _ in _taken(field, owner, path, above):
        return written
    raise QuantMindError(f"{owner}: the required option `{path}` has no example: write Field(..., examples=[VALUE])")


def values(field: FieldInfo) -> Iterator[Any]:
    """Yield values that an option takes, as its component gets them: of those that its type suggests, in any order."""
    for _, value in _taken(field, "", "", ()):
        yield value


def _taken(field: FieldInfo, owner: str, path: str, above: tuple[type[BaseModel], ...]) -> Iterator[tuple[Any, Any]]:
    """Yield values that an option takes, as they are written and as they are read."""

    def of_model(model: type[BaseModel]) -> Iterator[dict[str, Any]]:
        if model not in above:
            yield _of_model(model, owner, f"{path}.", (*above, model))

    try:
        trial = create_model("Trial", __base__=Options, value=(field.annotation or Any, field))
    except Exception:  # noqa: BLE001 - the type of a stranger's option: what no model can hold has no value
        return
    for written in itertools.islice(candidates(field.annotation, field.metadata, of_model), _TRIES):
        # A validator of a plugin may raise anything.
        with suppress(Exception):
            read: Any = trial.model_validate({key("value", field): written})
            yield written, read.value


def _data(value: Any) -> Any:
    """Return an example as YAML would hold it."""
    if isinstance(value, BaseModel):
        return {name: _data(getattr(value, name)) for name in value.model_fields_set}
    if isinstance(value, Mapping):
        return {str(plain(name)): _data(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_data(member) for member in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return plain(value)

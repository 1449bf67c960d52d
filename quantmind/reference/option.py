"""Options of a component as rows: the name, what may be written, the default, and what it means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec
from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo

from quantmind.recipe.components import MASK
from quantmind.recipe.written import plain, scalar, timed
from quantmind.reference.words import LISTS, MAPPINGS, bare, words

_EXACT = 2**53
WORKED_OUT = "worked out"
"""In place of a default that goes by other options, or cannot be had now."""


class Option(msgspec.Struct, frozen=True):
    """One option."""

    name: str
    """One of a model inside of an option is called `limit.offset_ticks`, in each member of a list `tiers[].fee`."""
    type: str
    bounds: str
    default: str
    """As a recipe writes it; empty where it is required, or where leaving it out means that it is not there."""
    required: bool
    secret: bool
    description: str

    @property
    def need(self) -> str:
        """Whether it must be written, in a word; empty where a default stands for it."""
        return "required" if self.required else "" if self.default else "optional"


def options(model: type[BaseModel]) -> tuple[Option, ...]:
    """Return a row for each option of a model, those of models inside of it below their own."""
    # The same option in two branches of a union is one.
    return tuple(dict.fromkeys(_rows(model, "", ())))


def key(name: str, field: FieldInfo) -> str:
    """Return the key that a recipe writes for a field."""
    alias = field.validation_alias if isinstance(field.validation_alias, str) else field.alias
    return alias or name


def models(annotation: Any, suffix: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield the models that a type holds, each with how a path reads on to them: ``, `[]` or `.NAME`."""
    annotation, _ = bare(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and origin is None and issubclass(annotation, BaseModel):
        yield suffix, annotation
    elif origin in LISTS:
        for member in arguments:
            yield from models(member, f"{suffix}[]")
    elif origin in MAPPINGS:
        yield from models(arguments[1], f"{suffix}.NAME")
    else:
        for member in arguments:
            yield from models(member, suffix)


def _rows(model: type[BaseModel], path: str, above: tuple[type[BaseModel], ...]) -> Iterator[Option]:
    for name, field in model.model_fields.items():
        said = words(field.annotation, field.metadata)
        at = f"{path}{key(name, field)}"
        default = "" if field.is_required() else _default(field)
        text = " ".join((field.description or "").split())
        yield Option(at, said.type, said.bounds, default, field.is_required(), said.secret, text)
        for suffix, below in models(field.annotation):
            # A model may hold itself.
            if below not in (*above, model):
                yield from _rows(below, f"{at}{suffix}.", (*above, model))


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        if field.default_factory_takes_validated_data:
            return WORKED_OUT
        try:
            made = field.default_factory()  # type: ignore[call-arg] # it takes nothing
        except Exception:  # noqa: BLE001 - a plugin may raise anything
            return WORKED_OUT
        return _written(made, field)
    return _written(field.default, field)


def _written(value: Any, field: FieldInfo) -> str:
    """Write a default; that of a model is written by its own rows, and one that is nothing not at all."""
    if value is None or isinstance(value, BaseModel):
        return ""
    if isinstance(value, SecretStr | SecretBytes):
        return MASK
    data = _data(timed(value, field.annotation, field.metadata))
    return "" if data in ("", [], {}) else scalar(data)


def _data(value: Any) -> Any:
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        members = {name: getattr(value, name) for name in fields}
        return {
            key(name, field): _data(timed(members[name], field.annotation, field.metadata))
            for name, field in fields.items()
            if members[name] is not None
        }
    if isinstance(value, dict):
        return {str(plain(name)): _data(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_data(member) for member in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    return plain(value)

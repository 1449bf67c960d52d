"""The types of options: which may stand at a place, and whether a secret is among them."""

from __future__ import annotations

import enum
import functools
import types
import typing
from typing import Any

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo


def field_is_secret(field: FieldInfo) -> bool:
    """Say whether an option is a secret, or has one in it."""
    annotation: Any = field.annotation
    return _is_secret(annotation)


@functools.cache
def _is_secret(annotation: Any) -> bool:
    return _holds_secret(annotation, ())


def _holds_secret(annotation: Any, within: tuple[Any, ...]) -> bool:
    if annotation in (SecretStr, SecretBytes):
        return True
    if annotation in within:
        # A model may hold itself.
        return False
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        below = (*within, annotation)
        return any(_holds_secret(field.annotation, below) for field in annotation.model_fields.values())
    arguments = (argument for argument in typing.get_args(annotation) if not isinstance(argument, enum.Enum))
    return any(_holds_secret(argument, within) for argument in arguments)


def models_at(model: type[BaseModel], place: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """Return the models that may stand at a place; pydantic's places also name branches of unions."""
    reached: list[Any] = [model]
    for part in place:
        reached = [below for kind in reached for below in _below(kind, part)] or reached
    return [kind for kind in reached if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _below(kind: Any, part: int | str) -> list[Any]:
    """Return the types that a member of a type may have."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(str(part))
        return _branches(field.annotation) if field is not None else []
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(part, int) and origin in {list, tuple, set, frozenset}:
        return [branch for argument in arguments for branch in _branches(argument)]
    return _branches(arguments[-1]) if origin is dict and len(arguments) == 2 else []


def _branches(kind: Any) -> list[Any]:
    """Return the types of a union, without what is said of them."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return _branches(typing.get_args(kind)[0])
    if origin in {typing.Union, types.UnionType}:
        return [branch for argument in typing.get_args(kind) for branch in _branches(argument)]
    return [kind]

"""The types and bounds of options in plain words: `duration`, `number`, `above 0, at most 1`."""

from __future__ import annotations

import collections.abc
import datetime as dt
import enum
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path, PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo

from quantmind.kinds.options import format_duration
from quantmind.recipe.written import flow, is_duration, is_moment, plain

LISTS = (list, tuple, set, frozenset, collections.abc.Sequence, collections.abc.Set, collections.abc.Iterable)
MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_NAMES: dict[Any, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    Decimal: "number",
    str: "text",
    bytes: "text",
    Path: "path",
    PurePath: "path",
    SecretStr: "secret text",
    SecretBytes: "secret text",
    dt.datetime: "time",
    dt.date: "date",
    dt.timedelta: "duration",
    NoneType: "nothing",
    Any: "anything",
    object: "anything",
}
_UNCOUNTED = frozenset({"true or false", "nothing", "anything"})
_NUMBERS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most", "multiple_of": "a multiple of"}
_LENGTHS = {"min_length": "at least", "max_length": "at most"}


class Words(msgspec.Struct, frozen=True):
    """What a recipe may write in a place."""

    type: str
    bounds: str = ""
    secret: bool = False
    several: str = ""
    """The type in the plural; empty where it has none."""

    @property
    def plural(self) -> str:
        """The type, of several."""
        return self.several or (self.type if self.type in _UNCOUNTED else f"{self.type}s")

    def __str__(self) -> str:
        """Write type and bounds: `whole number, at least 2`."""
        return ", ".join(filter(None, (self.type, self.bounds)))


def words(annotation: Any, metadata: Iterable[Any] = ()) -> Words:
    """Describe a type, with what its metadata demand."""
    said = flattened(metadata)
    annotation, inner = bare(annotation)
    said = [*inner, *said]
    arguments = get_args(annotation)
    whole = get_origin(annotation) or annotation
    if whole in {Union, UnionType}:
        found = _union([member for member in arguments if member is not NoneType] or [NoneType], said)
    elif whole is Literal or _is(annotation, enum.Enum):
        found = _choice(chosen(annotation))
    elif whole in LISTS:
        found = _list(arguments, said)
    elif whole in MAPPINGS:
        found = _mapping(arguments, said)
    else:
        found = _plain(annotation, said)
    return found


def bare(annotation: Any) -> tuple[Any, list[Any]]:
    """Return a type without what is said of it, and that."""
    said: list[Any] = []
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            said = [*flattened(more), *said]
        elif hasattr(annotation, "__value__"):
            # `type X = ...`, from Python 3.12 on.
            annotation = annotation.__value__
        elif hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
        elif isinstance(annotation, TypeVar):
            annotation = annotation.__bound__ or Any
        else:
            return annotation, said


def flattened(metadata: Iterable[Any]) -> list[Any]:
    """Return metadata with those of the fields among them."""
    return [each for item in metadata for each in (flattened(item.metadata) if isinstance(item, FieldInfo) else [item])]


def chosen(annotation: Any) -> list[Any]:
    """Return the values of a Literal or an Enum, as a recipe writes them."""
    return [plain(value) for value in (get_args(annotation) or annotation)]


def _plain(annotation: Any, said: list[Any]) -> Words:
    if _is(annotation, BaseModel):
        return Words("mapping")
    if annotation is int and is_duration(said):
        return Words("duration", _bounds(said, duration=True))
    name = "time" if annotation is int and is_moment(said) else _NAMES.get(annotation)
    # What is no type of ours is called as its author calls it.
    name = name or str(getattr(annotation, "__name__", annotation)).lower()
    return Words(name, _bounds(said), annotation in {SecretStr, SecretBytes})


def _choice(values: list[Any]) -> Words:
    text = ", ".join(map(flow, values))
    return Words(text, several=text) if len(values) == 1 else Words(f"one of {text}", several=f"any of {text}")


def _union(members: list[Any], said: list[Any]) -> Words:
    kinds = [words(member, said) for member in members]
    if len(kinds) == 1:
        return kinds[0]
    types = dict.fromkeys(kind.type for kind in kinds)
    bounds = "; ".join(dict.fromkeys(kind.bounds for kind in kinds if kind.bounds))
    return Words(" or ".join(types), bounds, any(kind.secret for kind in kinds), " or ".join(k.plural for k in kinds))


def _list(arguments: tuple[Any, ...], said: list[Any]) -> Words:
    members = [words(member) for member in arguments if member is not Ellipsis] or [words(Any)]
    names = list(dict.fromkeys(member.plural for member in members))
    name = f"list, {names[0]}" if names[0].startswith("any of ") else f"list of {' and '.join(names)}"
    return _holding(name, "lists" + name.removeprefix("list"), said, members[0])


def _mapping(arguments: tuple[Any, ...], said: list[Any]) -> Words:
    key, value = arguments or (str, Any)
    choices, member = words(key), words(value)
    keys = choices.several.removeprefix("any of ") if choices.several.startswith("any of ") else "names"
    name = f"mapping of {keys} to {member.plural}"
    return _holding(name, "mappings" + name.removeprefix("mapping"), said, member)


def _holding(name: str, several: str, said: list[Any], member: Words) -> Words:
    """Describe what holds members, with the bounds of each."""
    each = f"each {member.bounds}" if member.bounds else ""
    return Words(name, ", ".join(filter(None, (_bounds(said, "entry", "entries"), each))), member.secret, several)


def _bounds(said: list[Any], one: str = "character", several: str = "characters", *, duration: bool = False) -> str:
    parts = [
        f"{word} {format_duration(limit) if duration and limit else _number(limit)}"
        for name, word in _NUMBERS.items()
        for limit in _demands(said, name)
    ]
    parts += [
        f"{word} {limit} {one if limit == 1 else several}"
        for name, word in _LENGTHS.items()
        for limit in _demands(said, name)
        if limit
    ]
    parts += [f"matching `{getattr(pattern, 'pattern', pattern)}`" for pattern in _demands(said, "pattern")]
    return ", ".join(dict.fromkeys(parts))


def _demands(said: list[Any], name: str) -> list[Any]:
    """Return what the metadata demand by a name."""
    return [value for value in (getattr(item, name, None) for item in said) if value is not None]


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _is(annotation: Any, kind: type[Any]) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, kind)

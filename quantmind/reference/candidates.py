"""Values that a type may take, the likeliest first: what an example is made of where its author gave none."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr

from quantmind.kinds.options import format_duration
from quantmind.recipe.written import is_duration, is_moment
from quantmind.reference.words import LISTS, MAPPINGS, bare, chosen, flattened

OfModel = Callable[[type[BaseModel]], Iterator[dict[str, Any]]]
"""Yields what a model inside of the options may be."""

_SECRET = "${credential:example}"  # noqa: S105 - where a recipe takes it from
_TEXTS = ("example", "a", "1", "BTC/USDT:USDT", "http://127.0.0.1:8080", "tcp://127.0.0.1:5555", "2024-01-01", _SECRET)
"""One of them may be of the form that an option wants."""
_NUMBERS = (1, 2, 10, 100, 0.5, 0.1, 0.01, 0, -1)
_DURATIONS = ("1m", "1s", "1h", "1d", "100ms")
_MOST = 100
"""Values of a member of a list or a mapping at the most."""


def candidates(annotation: Any, metadata: Iterable[Any], of_model: OfModel) -> Iterator[Any]:
    """Yield values of a type; whether one is within its bounds is for the caller to try."""
    annotation, inner = bare(annotation)
    said = [*inner, *flattened(metadata)]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        for member in sorted(arguments, key=lambda each: each is NoneType):
            yield from candidates(member, said, of_model)
    elif annotation is NoneType:
        yield None
    elif origin is Literal or _is(annotation, enum.Enum):
        yield from chosen(annotation)
    elif (origin or annotation) in LISTS:
        yield from _lists(arguments, said, of_model)
    elif (origin or annotation) in MAPPINGS:
        yield from _mappings(arguments or (str, Any), of_model)
    elif _is(annotation, BaseModel):
        yield from of_model(annotation)
    else:
        yield from _plain(annotation, said)


def _plain(annotation: Any, said: list[Any]) -> Iterator[Any]:
    if annotation is bool:
        yield from (True, False)
    elif annotation is int and is_duration(said):
        yield from (*_DURATIONS, *(format_duration(int(limit)) for limit in _limits(said)))
    elif annotation is int and is_moment(said):
        yield "2024-01-01"
    elif annotation in {int, float, Decimal}:
        yield from _numbers(said)
    elif annotation in {SecretStr, SecretBytes}:
        yield from (_SECRET, *_TEXTS)
    else:
        yield from _TEXTS
        yield from ("a" * int(limit) for limit in _limits(said, "min_length", "max_length"))
        yield from _NUMBERS


def _lists(arguments: tuple[Any, ...], said: list[Any], of_model: OfModel) -> Iterator[list[Any]]:
    fixed = [member for member in arguments if member is not Ellipsis] or [str]
    if len(fixed) > 1:
        yield [next(candidates(member, (), of_model), None) for member in fixed]
        return
    least = max([1, *_limits(said, "min_length")])
    values = list(itertools.islice(candidates(fixed[0], (), of_model), _MOST))
    for at in range(len(values)):
        # A set wants different ones.
        yield list(itertools.islice(itertools.cycle(values[at:]), int(least)))
    yield []


def _mappings(arguments: tuple[Any, ...], of_model: OfModel) -> Iterator[dict[Any, Any]]:
    names = list(itertools.islice(candidates(arguments[0], (), of_model), _MOST))
    values = list(itertools.islice(candidates(arguments[1], (), of_model), _MOST))
    for value in values:
        yield {names[0]: value}
    # Where the names are a choice, each of them may be wanted.
    for value in values:
        yield dict.fromkeys(names, value)
    yield {}


def _numbers(said: list[Any]) -> Iterator[Any]:
    yield from _NUMBERS
    limits = _limits(said, "gt", "ge", "lt", "le", "multiple_of")
    if limits:
        yield (min(limits) + max(limits)) / 2
    for limit in limits:
        yield from (limit, limit + 1, limit - 1, limit * 2, limit / 2)


def _limits(said: list[Any], *names: str) -> list[int | float]:
    """Return bounds as plain numbers."""
    found = [getattr(item, name, None) for item in said for name in names or ("gt", "ge", "lt", "le")]
    return [
        float(limit) if isinstance(limit, Decimal) else limit
        for limit in found
        if isinstance(limit, int | float | Decimal)
    ]


def _is(annotation: Any, kind: type[Any]) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, kind)

"""Values as a recipe writes them: times with their unit, text quoted where it must be, secrets masked."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import SecretBytes, SecretStr

from quantmind.kinds import Duration, Interval
from quantmind.kinds.moment import Moment, format_moment
from quantmind.kinds.options import format_duration
from quantmind.recipe.components import MASK
from quantmind.recipe.scalars import scalar as parsed

_DURATIONS = (get_args(Interval)[1], get_args(Duration)[1])
_MOMENT = get_args(Moment)[1]
_PLAIN = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_./+-]*(:[A-Za-z0-9_./+-]+)*")


def is_duration(metadata: Iterable[Any]) -> bool:
    """Say whether the metadata of a type make a whole number an Interval or a Duration."""
    return any(item in _DURATIONS for item in metadata)


def is_moment(metadata: Iterable[Any]) -> bool:
    """Say whether the metadata of a type make a whole number a Moment."""
    return any(item == _MOMENT for item in metadata)


def timed(value: Any, annotation: Any, metadata: Iterable[Any] = ()) -> Any:
    """Return a time (ns) as a recipe has it, `1m` or `2024-01-31T12:00:00Z`; every other value as it is."""
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    said = [*metadata, *_metadata(annotation)]
    if is_duration(said):
        return format_duration(value) if value else "0s"
    return format_moment(value) if is_moment(said) else value


def plain(value: Any) -> Any:
    """Return a value as YAML and JSON know it."""
    if value is None or (isinstance(value, bool | int | float | str | Decimal) and not isinstance(value, enum.Enum)):
        return value
    if isinstance(value, SecretStr | SecretBytes):
        return MASK
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, list | tuple):
        return [plain(member) for member in value]
    return value if value == {} else str(value)


def scalar(value: Any) -> str:
    """Write a value so that a recipe reads the same: `$` doubled, text that looks like a number quoted."""
    return _flow(value, doubled=True)


def flow(value: Any) -> str:
    """Write plain data on one line, as they stand in a recipe: `${NAME}` in them is what a recipe would replace."""
    return _flow(value, doubled=False)


def _flow(value: Any, *, doubled: bool) -> str:
    if isinstance(value, str):
        text = value.replace("$", "$$") if doubled else value
        bare = _PLAIN.fullmatch(text) and isinstance(parsed(text), str)
        return text if bare else f'"{"".join(map(_escaped, text))}"'
    if isinstance(value, list):
        return f"[{', '.join(_flow(member, doubled=doubled) for member in value)}]"
    if isinstance(value, Mapping):
        members = (f"{_flow(str(key), doubled=doubled)}: {_flow(each, doubled=doubled)}" for key, each in value.items())
        return f"{{{', '.join(members)}}}"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value) if isinstance(value, float) else json.dumps(value)


def _escaped(character: str) -> str:
    """Write a character of quoted text; YAML would fold some line ends that JSON does not escape."""
    if ord(character) < 0x80:
        return json.dumps(character)[1:-1]
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _metadata(annotation: Any) -> Iterator[Any]:
    """Yield what is said of a type, and of each type of a union."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *own = get_args(annotation)
        yield from own
        yield from _metadata(inner)
    elif origin in {Union, UnionType}:
        for member in get_args(annotation):
            yield from _metadata(member)

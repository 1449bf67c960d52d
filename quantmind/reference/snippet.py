"""The example of a component, as a user would write it: in the section of a recipe, or as a command."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from quantmind.kinds import Archive, Component
from quantmind.recipe.written import flow

PLACES: Mapping[str, tuple[tuple[str, ...], bool]] = {
    "feed": (("feeds",), True),
    "transport": (("transport",), False),
    "strategy": (("strategies",), True),
    "allocator": (("allocator",), False),
    "sizing": (("risk", "sizing"), True),
    "protection": (("risk", "protection"), True),
    "limit": (("risk", "limits"), True),
    "executor": (("executor",), False),
    "sink": (("sinks",), True),
}
"""Where a recipe has the components of a kind, and whether several may stand there; archives stand in none."""

_WIDTH = 100


class Snippet(msgspec.Struct, frozen=True):
    """An example, and the language it is written in."""

    language: Literal["yaml", "sh"]
    text: str


def snippet(component: type[Component[Any]], options: Mapping[str, Any]) -> Snippet:
    """Write an example of a component with these options."""
    if issubclass(component, Archive):
        return Snippet("sh", _command(component, options))
    return Snippet("yaml", "".join(f"{line}\n" for line in _lines(component, options)))


def section(component: type[Component[Any]], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a recipe has of a component with these options, as plain data."""
    places, several = PLACES[component.kind]
    entry: Any = {component.name: dict(options)} if options else component.name
    data: Any = [entry] if several else entry
    *outer, last = places
    whole = {last: data}
    for place in reversed(outer):
        whole = {place: whole}
    return whole


def reads_recordings(component: type[Archive[Any]]) -> bool:
    """Say whether an archive finds the user's files by a look at them; the others are named."""
    return any("reading" in vars(each) for each in component.__mro__ if each is not Archive)


def _lines(component: type[Component[Any]], options: Mapping[str, Any]) -> Iterator[str]:
    places, several = PLACES[component.kind]
    *outer, last = places
    depth = 0
    for place in outer:
        yield f"{'  ' * depth}{place}:"
        depth += 1
    indent = "  " * depth
    if not options:
        yield f"{indent}{last}:" if several else f"{indent}{last}: {component.name}"
        if several:
            yield f"{indent}  - {component.name}"
        return
    yield f"{indent}{last}:"
    first, *rest = _block(component.name, options, len(indent) + 2)
    yield f"{indent}  {'- ' if several else ''}{first}"
    yield from (f"{indent}  {'  ' if several else ''}{line}" for line in rest)


def _block(name: str, value: Any, column: int) -> Iterator[str]:
    """Write a key and its value: on one line, if it fits there, else each member on its own."""
    line = f"{flow(name)}: {flow(value)}"
    if not isinstance(value, Mapping) or column + len(line) <= _WIDTH:
        yield line
        return
    yield f"{flow(name)}:"
    for key, member in value.items():
        yield from (f"  {below}" for below in _block(key, member, column + 2))


def _command(component: type[Archive[Any]], options: Mapping[str, Any]) -> str:
    """Write the command that reads from an archive."""
    if reads_recordings(component):
        file = str(next(iter(options.values()), "FILE"))
        return f"quantmind data convert {shlex.quote(file)} --symbol BTC/USDT:USDT\n"
    settings = [f"--set {shlex.quote(f'{key}={flow(value)}')}" for key, value in options.items()]
    return " ".join(["quantmind data download", component.name, "BTC/USDT:USDT --start 2024-01-01", *settings]) + "\n"

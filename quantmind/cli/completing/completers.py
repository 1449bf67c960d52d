"""Completers: what the arguments of verbs may be. They import little, load no plugin, and never raise."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

RECIPE = "recipe"
"""The type of an item that stands for every YAML file, which the shell finds itself."""
KINDS = ("feed", "transport", "strategy", "allocator", "sizing", "protection", "limit", "executor", "sink", "archive")

_MOST_RUNS = 50
"""Of so many runs the last ones are offered."""
_BASES = {"SizingRule": "sizing"}
_CLASS = re.compile(r"^class \w+\((\w+)\[[^\n]*\):\n(?:.*\n)*?    name(?:: \w+)? = \"(\w+)\"", re.MULTILINE)
"""A component as it is written: derived from its kind directly, with its name."""

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]


def _completer(offer: Callable[[click.Context, str], Iterable[tuple[str, str]]]) -> Completer:
    """Make a completer of what offers values and what they are; whatever goes wrong, nothing is offered."""

    @functools.wraps(offer)
    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        given = ctx.params.get(param.name or "")
        taken = set(map(str, given)) if isinstance(given, tuple | list) else set()
        try:
            return [
                CompletionItem(value, help=text or None)
                for value, text in offer(ctx, incomplete)
                if value.startswith(incomplete) and value not in taken
            ]
        except Exception:  # noqa: BLE001 - a line that is being written is no place for errors
            return []

    return complete


def recipes(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Offer YAML files, and the folders on the way to them."""
    return [CompletionItem(incomplete, RECIPE)]


def folders(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Offer folders."""
    return [CompletionItem(incomplete, "dir")]


@_completer
def runs(_: click.Context, __: str) -> Iterable[tuple[str, str]]:
    """Offer runs, the last one first."""
    return ((name, "run") for name in _runs())


@_completer
def accounts(_: click.Context, __: str) -> Iterable[tuple[str, str]]:
    """Offer accounts, then runs."""
    return [*((name, "account") for name in _names(_state() / "accounts")), *((name, "run") for name in _runs())]


@_completer
def components(ctx: click.Context, _: str) -> Iterable[tuple[str, str]]:
    """Offer the names of components, after their kind or without it."""
    what: tuple[str, ...] = ctx.params.get("what") or ()
    if not what:
        return [*((kind, "kind") for kind in KINDS), *_called()]
    return _called(what[0]) if what[0] in KINDS and len(what) == 1 else ()


@_completer
def names(ctx: click.Context, _: str) -> Iterable[tuple[str, str]]:
    """Offer the names of components, of the kind that --kind says."""
    return _called(ctx.params.get("kind"))


@_completer
def archives(_: click.Context, __: str) -> Iterable[tuple[str, str]]:
    """Offer the names of archives."""
    return _called("archive")


@_completer
def executors(_: click.Context, __: str) -> Iterable[tuple[str, str]]:
    """Offer the names of executors."""
    return _called("executor")


@_completer
def symbols(ctx: click.Context, _: str) -> Iterable[tuple[str, str]]:
    """Offer the symbols of the recipe that is named, else those whose steps are known."""
    # What stands before an option without its value yet is in no parameter; `shells` gives the words themselves.
    for word in ctx.obj or ():
        if word.endswith((".yaml", ".yml")):
            return [(symbol, "") for symbol in _instruments(Path(word))]
    from quantmind.market.instruments import KNOWN

    return [(symbol, "") for symbol in KNOWN]


def commands(
    group: click.Group, listed: Mapping[str, str], ctx: click.Context, incomplete: str
) -> list[CompletionItem[str]]:
    """Offer the commands of a group, none of which is imported, and its options."""
    names = [CompletionItem(name, help=text) for name, text in listed.items() if name.startswith(incomplete)]
    return [*names, *click.Command.shell_complete(group, ctx, incomplete)]


def _state() -> Path:
    """Find the state folder as `Project.find` does, without the models that this imports."""
    if chosen := os.environ.get("QUANTMIND_STATE"):
        return Path(chosen)
    here = Path.cwd()
    project = next((file for place in (here, *here.parents) if (file := place / "quantmind.yaml").is_file()), None)
    state = _read(project).get("state") if project is not None else None
    if project is not None and isinstance(state, str) and state:
        return project.parent / Path(state).expanduser()
    if directory := os.environ.get("STATE_DIRECTORY", "").partition(":")[0]:
        return Path(directory)
    home = Path(os.environ.get("XDG_STATE_HOME", ""))
    return (home if home.is_absolute() else Path.home() / ".local" / "state") / "quantmind"


def _runs() -> list[str]:
    return _names(_state() / "runs")[: -_MOST_RUNS - 1 : -1]


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []


def _read(file: Path) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data = yaml.load(file.read_bytes()[: 1 << 20], Loader=loader)  # noqa: S506 - both are safe, one is fast
    return data if isinstance(data, dict) else {}


def _instruments(recipe: Path) -> list[str]:
    entries = _read(recipe).get("instruments", [])
    return [str(next(iter(entry)) if isinstance(entry, dict) else entry) for entry in entries]


def _called(kind: str | None = None) -> list[tuple[str, str]]:
    """Return the names of all components, or of one kind, each with its kinds."""
    found = _components().items()
    return [(name, ", ".join(sorted(known))) for name, known in found if kind is None or not known or kind in known]


def _components() -> dict[str, set[str]]:
    """Return the name of every component, from metadata, and its kinds as far as its source says them.

    Nothing is imported. A component whose class is not derived from its kind directly has no kinds here.
    """
    from importlib.metadata import entry_points

    points = sorted(entry_points(group="quantmind"), key=lambda point: point.name)
    known: dict[str, set[str]] = {point.name: set() for point in points}
    for package in {point.value.partition(":")[0].partition(".")[0].strip() for point in points}:
        for text in _sources(package):
            for base, name in _CLASS.findall(text):
                kind = _BASES.get(base, base.lower())
                if name in known and kind in KINDS:
                    known[name].add(kind)
    return known


def _sources(package: str) -> Iterable[str]:
    """Yield the text of a top-level module, or of each module of a package."""
    from importlib.util import find_spec

    spec = find_spec(package)
    places = [Path(place) for place in spec.submodule_search_locations or ()] if spec is not None else []
    files = [file for place in places for file in sorted(place.glob("*.py"))]
    if spec is not None and not places and spec.origin:
        files = [Path(spec.origin)]
    for file in files:
        if file.suffix == ".py":
            yield file.read_text(errors="replace")

"""Commands of plugins: listed from their metadata, imported when they are called."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quantmind.entries import COMMANDS, GROUP, OWN

if TYPE_CHECKING:
    from quantmind.cli.calling.session import Session
    from quantmind.plugins import Found, Plugins


@functools.cache
def commands() -> Mapping[str, tuple[EntryPoint, ...]]:
    """Return who gives each command; imports nothing of theirs."""
    found: dict[str, list[EntryPoint]] = {}
    for point in sorted(entry_points(group=COMMANDS), key=lambda point: (point.name, point.value)):
        found.setdefault(point.name, []).append(point)
    return {name: tuple(points) for name, points in found.items()}


def summaries(taken: Sequence[str]) -> dict[str, str]:
    """Return each command that is no verb of QuantMind itself, with what it does; imports nothing of theirs."""
    return {name: summary(points[0]) for name, points in commands().items() if name not in taken}


def summary(point: EntryPoint) -> str:
    """Return the first line of its help as its source has it, else that of its distribution, else whose it is."""
    meta = point.dist.metadata if point.dist is not None else None
    told = meta["Summary"] if meta is not None and meta["Name"] != OWN else ""
    return _first_line(point) or ("" if told == "UNKNOWN" else told) or f"Commands of {owner(point)}."


def _first_line(point: EntryPoint) -> str:
    """Return the first line of the docstring of a function; empty where it is not found in the file of its module."""
    # The finder of a top-level name imports nothing; that of a module inside of it would import the package.
    package, *inner = point.module.split(".")
    try:
        spec = find_spec(package)
        if spec is None or not spec.origin:
            return ""
        file = Path(spec.origin).parent.joinpath(*inner).with_suffix(".py") if inner else Path(spec.origin)
        text = file.read_text("utf-8")
    except (ImportError, OSError, ValueError):
        return ""
    said = re.search(rf'^def {re.escape(point.attr)}\([^)]*\)[^\n]*:\n +"""(.+?)(?:"""|\n)', text, re.MULTILINE)
    return said[1].strip() if said is not None else ""


def packages() -> Mapping[str, str]:
    """Return who gives each package of others that brings components or commands; imports nothing of theirs."""
    points = [*entry_points(group=GROUP), *entry_points(group=COMMANDS)]
    others = [point for point in points if point.dist is None or point.dist.metadata["Name"] != OWN]
    return {point.value.partition(":")[0].partition(".")[0].strip(): owner(point) for point in others}


def owner(point: EntryPoint) -> str:
    """Return the package of an entry point, and its distribution where that is called otherwise."""
    module = point.value.partition(":")[0].strip()
    distribution = point.dist.metadata["Name"] if point.dist is not None else ""
    package = module.partition(".")[0]
    return package if distribution in {"", package, OWN} else f"{package} ({distribution})"


def listed(plugins: Plugins, taken: Sequence[str]) -> list[Found]:
    """Return a row for each command, with why it cannot be called where that is known without importing it."""
    from quantmind.plugins import Found

    rows = []
    for name, points in commands().items():
        for point in points:
            others = [owner(other) for other in points if other is not point]
            if name in taken:
                fault = "it is a verb of quantmind already"
            else:
                fault = plugins.refusal(point) or (f"also given by {' and by '.join(others)}" if others else "")
            meta = point.dist.metadata if point.dist is not None else None
            origin = (meta["Name"], meta["Version"]) if meta is not None else ("", "")
            module = point.value.partition(":")[0].strip()
            given = "" if fault else summary(point)
            rows.append(Found("command", name, given, *origin, module, fault))
    return rows


def load(name: str, session: Session) -> click.Command:
    """Import a command, if its plugin may be loaded.

    Raises:
        PluginError: it may not, it cannot be imported, it is no command, or two plugins give it.
    """
    import os

    from quantmind.plugins import PluginError
    from quantmind.project import Project

    points = commands()[name]
    if len(points) > 1:
        raise PluginError(f"the command {name} is given by {' and by '.join(map(owner, points))}: uninstall one")
    (point,) = points
    reason = session.plugins(Project.find(Path.cwd(), os.environ)).refusal(point)
    if reason:
        raise PluginError(f"the command {name} of {owner(point)} {reason}")
    try:
        command = point.load()
    except (Exception, SystemExit) as error:
        text = " ".join(str(error).split())
        raise PluginError(f"the command {name} of {owner(point)} failed: {type(error).__name__}: {text}") from error
    if not isinstance(command, click.Command):
        raise PluginError(f"the command {name} of {owner(point)} is no click command, but {type(command).__name__}")
    return command

"""Commands of plugins: listed from their metadata, imported when they are called."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
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
    """Return each command that is no verb of QuantMind itself, with whose it is."""
    return {name: f"Commands of {owner(points[0])}." for name, points in commands().items() if name not in taken}


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
            given = "" if fault else f"Commands of {owner(point)}."
            rows.append(Found("command", name, given, *origin, module, fault))
    return rows


def load(name: str, session: Session) -> click.Command:
    """Import a command, if its plugin may be loaded.

    Raises:
        PluginError: it may not, it cannot be imported, it is no command, or two plugins give it.
    """
    import os
    from pathlib import Path

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

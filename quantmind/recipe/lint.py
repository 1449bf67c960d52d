"""Lint: everything that can be said of a recipe without running it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.load import RULES, Reading, read
from quantmind.recipe.problems import Problem, in_order
from quantmind.recipe.wiring import survey


def lint(
    source: Path | dict[str, Any], plugins: Plugins, project: Project, environ: Mapping[str, str]
) -> tuple[Problem, ...]:
    """Return every problem of a recipe, in the order of the file; opens nothing that it refers to."""
    reading = read(source, plugins, project, environ, unset="warning")
    return in_order([*reading.problems, *_wiring(reading)])


def _wiring(reading: Reading) -> list[Problem]:
    """Check the wiring of what could be read; without all feeds it would find faults that are none."""
    if reading.instruments is None or not reading.sound("feeds"):
        return []
    feeds, strategies = reading.sections["feeds"].specs, reading.sections["strategies"].specs
    allocator = reading.one("allocator") if reading.sound("strategies") else None
    executor = reading.one("executor")
    rules = [spec for section in RULES for spec in reading.sections[section].specs]
    wiring, faults = survey(reading.instruments, feeds, strategies, allocator, rules, executor)
    mark = reading.mark
    problems = [Problem(mark(fault.path), fault.path, fault.message) for fault in faults]
    complete = allocator is not None and executor is not None and all(map(reading.sound, RULES))
    if complete and not faults:
        problems += [
            Problem(mark(spec.path), spec.path, "nothing is wanted from it: leave it out", "warning")
            for spec, wanted in zip(feeds, wiring.wanted, strict=True)
            if not wanted
        ]
    return problems

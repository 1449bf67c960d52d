"""Lint: everything that can be said of a recipe without running it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.faults import listed, nearest
from quantmind.recipe.load import read
from quantmind.recipe.problems import ENOUGH, LONGEST, SHOWN, Problem, brief, in_order, join, shortened
from quantmind.recipe.reading import Reading
from quantmind.recipe.sections import RULES


def lint(
    source: Path | dict[str, Any], plugins: Plugins, project: Project, environ: Mapping[str, str]
) -> tuple[Problem, ...]:
    """Return every problem of a recipe, in the order of the file; opens nothing that it refers to.

    Of very many only the first are returned, and one that says how many more there are.
    """
    reading = read(source, plugins, project, environ, unset="warning", made=False, tested=True)
    return in_order([*reading.problems, *_wiring(reading), *_allowed(plugins, project)])


def _wiring(reading: Reading) -> list[Problem]:
    """Check the wiring of what could be read; without all feeds it would find faults that are none."""
    if reading.instruments is None or not reading.sound("feeds"):
        return []
    feeds = reading.sections["feeds"].specs
    plan = reading.survey(feeds, reading.one("executor"))
    lacking = reading.lacking()
    if any(fault.path in lacking and fault.path.startswith("feeds[") for fault in plan.faults):
        # What it offers depends on a variable that is not set, or on what lint does not open.
        return []
    problems = [reading.problem(fault.path, fault.message) for fault in plan.faults if fault.path not in lacking]
    problems += [
        reading.problem(spec.path, "needs nothing of the market, so it is never asked: leave it out", "warning")
        for spec in plan.idle
    ]
    complete = all(map(reading.sound, ("strategies", "allocator", *RULES, "executor")))
    if complete and not plan.faults:
        unwanted = (spec for spec, wanted in zip(feeds, plan.wanted, strict=True) if not wanted)
        problems += [
            reading.problem(spec.path, "nothing is wanted from it: leave it out", "warning")
            for spec in itertools.islice(unwanted, ENOUGH)
        ]
    return problems


def _allowed(plugins: Plugins, project: Project) -> list[Problem]:
    """Warn of what is allowed, but not installed: it may be misspelt."""
    if not project.allow:
        return []
    unknown = plugins.unknown(project.allow)
    installed = plugins.installed() if unknown else []
    problems: list[Problem] = []
    for index, name in enumerate(project.allow):
        if name in unknown and len(problems) < ENOUGH:
            close = nearest(name, installed) if len(problems) < SHOWN else ""
            others = f": install it, or leave it out; installed: {listed(installed)}"
            path = join("plugins.allow", index)
            told = f"no plugin is called {brief(name)}{f'; did you mean {close}?' if close else others}"
            problems.append(Problem(project.document.mark(path), path, shortened(told, LONGEST), "warning"))
    return problems

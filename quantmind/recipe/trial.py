"""The trial of a recipe's tests before any is run: whether what they give is enough for its components."""

from __future__ import annotations

import functools
from typing import Any

from quantmind.errors import RecipeError
from quantmind.kinds import Executor
from quantmind.plugins import Plugins
from quantmind.recipe import stand_ins
from quantmind.recipe.findings import Findings
from quantmind.recipe.given import Given
from quantmind.recipe.interpolate import Discretion
from quantmind.recipe.problems import ENOUGH, Problem, join
from quantmind.recipe.reading import Reading


class Trial:
    """Wires what could be read of a recipe with what each test gives, and notes what keeps it from being run."""

    def __init__(self, reading: Reading, plugins: Plugins, findings: Findings) -> None:
        self._reading = reading
        self._plugins = plugins
        self._findings = findings
        self._discreet = Discretion(reading.texts, reading.inherited)
        self._lacking = reading.lacking()
        strategies, allocator = reading.sections["strategies"].specs, reading.sections["allocator"].specs
        self._needed = stand_ins.needed_by((*strategies, *allocator, *reading.rules()))
        self._told: set[Problem] = set()

    @functools.cached_property
    def _executor(self) -> type[Executor[Any]] | None:
        """The executor of every test; None after noting, once, why there is none."""
        own = self._reading.one("executor")
        try:
            return None if own is None else stand_ins.simulated(own.component, self._plugins)
        except RecipeError as error:
            self._findings.error("tests", str(error), key=True)
            return None

    def check(self, given: Given, path: str) -> None:
        """Note why a test cannot be run with what is given at a path.

        A channel that is missing is told of what is given; what would be wrong in every market, at its own place.
        """
        executor = None
        if self._executor is not None:
            executor = stand_ins.executor(self._executor, given.account, join(path, "executor"), self._findings)
        plan = self._reading.survey([stand_ins.feed(given, self._needed, path)], executor)
        for fault in plan.faults:
            if fault.path in self._lacking:
                continue
            if fault.lacks:
                self._findings.error(path, f"{fault.path} {self._discreet(fault.path, fault.message)}")
            elif len(self._told) < ENOUGH:
                problem = self._reading.problem(fault.path, fault.message)
                if problem not in self._told:
                    self._told.add(problem)
                    self._findings.problems.append(problem)

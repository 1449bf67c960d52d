"""The reading of a recipe: as much of it as could be read, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from quantmind.market.instruments import Instrument
from quantmind.recipe.components import Section
from quantmind.recipe.document import Document
from quantmind.recipe.interpolate import Discretion, Interpolation
from quantmind.recipe.model import Recipe, Spec
from quantmind.recipe.problems import Mark, Problem, Severity, join
from quantmind.recipe.sections import RULES
from quantmind.recipe.wiring import Plan, survey

if TYPE_CHECKING:
    from quantmind.recipe.tests import RecipeTest


class Reading(msgspec.Struct, kw_only=True):
    """What could be read of a recipe, and every problem."""

    document: Document
    project: Document
    """The quantmind.yaml that it inherits limits from."""
    texts: Interpolation
    inherited: Interpolation
    """The texts of quantmind.yaml."""
    problems: list[Problem] = []
    sections: dict[str, Section] = {}
    """Each section of components by its path; those of quantmind.yaml as `limits`."""
    name: str | None = None
    instruments: tuple[Instrument, ...] | None = None
    tests: tuple[RecipeTest, ...] = ()
    recipe: Recipe | None = None
    """The recipe, where nothing keeps it from being run."""

    def mark(self, path: str) -> Mark | None:
        """Return the place of a component in the recipe, or in the quantmind.yaml it is inherited from."""
        document = self.project if path.startswith("limits[") else self.document
        return document.mark(path, key=True)

    def problem(self, path: str, message: str, severity: Severity = "error") -> Problem:
        """Make a problem of a component; what came from outside is not told."""
        message = Discretion(self.texts, self.inherited)(path, message)
        option, _, rest = message.partition(": ")
        if rest and (below := join(path, option)) in self.document.marks:
            # It begins with the option that is meant.
            path, message = below, rest
        return Problem(self.mark(path), path, message, severity)

    def rules(self) -> list[Spec]:
        """Return the risk rules, in the order of `RULES`."""
        return [spec for section in RULES if section in self.sections for spec in self.sections[section].specs]

    def survey(self, feeds: Sequence[Spec], executor: Spec | None) -> Plan:
        """Wire what could be read of the instruments and the other components with these."""
        strategies, allocator = self.sections["strategies"], self.one("allocator")
        return survey(
            self.instruments or (),
            feeds,
            strategies.specs,
            allocator if strategies.sound else None,
            self.rules(),
            executor,
        )

    def lacking(self) -> set[str]:
        """Return the paths of components of which some text could not be resolved."""
        return self.texts.lacking() | self.inherited.lacking()

    def sound(self, section: str) -> bool:
        """Tell whether all of a section could be read."""
        return section in self.sections and self.sections[section].sound

    def one(self, section: str) -> Spec | None:
        """Return the component of a section that holds one."""
        return next(iter(self.sections[section].specs), None) if section in self.sections else None

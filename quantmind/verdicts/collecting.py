"""Collects the tests of recipes: of files, and of all recipes below a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from quantmind.pipeline.recipe_test import REPLACED, Prepared, prepare
from quantmind.project import FILE, Project
from quantmind.recipe.document import MAX_BYTES, shown_path
from quantmind.recipe.load import load
from quantmind.recipe.problems import Mark, Problem, RecipeProblems, holders
from quantmind.recipe.tests import RecipeTest

if TYPE_CHECKING:
    from quantmind.plugins import Plugins

_SUFFIXES = {".yaml", ".yml"}
_TESTED = (re.compile(rb"^tests\s*:", re.MULTILINE), re.compile(rb"^strategies\s*:", re.MULTILINE))
"""What the text of a recipe with tests has, whatever is wrong with it; other YAML files of a folder have not."""


class Item(msgspec.Struct, frozen=True):
    """A test that can be run, and where it is written."""

    prepared: Prepared
    file: str
    marks: Mapping[str, Mark]

    @property
    def test(self) -> RecipeTest:
        """The test."""
        return self.prepared.test

    @property
    def line(self) -> int:
        """The line in which the test begins."""
        return self.mark("").line

    def mark(self, path: str) -> Mark:
        """Return the place of a part of what it expects, or of the nearest that holds it."""
        place = f"{self.test.path}.expect.{path}" if path else self.test.path
        known = (self.marks[at] for at in (place, *holders(place)) if at and at in self.marks)
        return next(known, Mark(self.file))


def files(paths: Iterable[Path]) -> list[Path]:
    """Return the recipes that are meant: files as they are, and of folders those with tests below them."""
    found = (file for path in paths for file in (_below(path) if path.is_dir() else (path,)))
    return list(dict.fromkeys(found))


def collect(recipes: Sequence[Path], plugins: Callable[[Project], Plugins], name: str = "") -> list[Item]:
    """Load every recipe before the first test runs, and return the tests with `name` in their name.

    Raises:
        RecipeProblems: some cannot be run; every reason of every recipe.
    """
    problems: list[Problem] = []
    items: list[Item] = []
    for file in recipes:
        try:
            project = Project.find(file.parent, os.environ)
            known = plugins(project)
            recipe = load(file, known, project, os.environ, REPLACED, tested=True)
            marks = recipe.origins.marks
            chosen = (test for test in recipe.tests if name.lower() in test.name.lower())
            items += [Item(prepare(recipe, test, known), shown_path(file), marks) for test in chosen]
        except RecipeProblems as error:
            problems += error.problems
    if problems:
        raise RecipeProblems(problems)
    return items


def _below(folder: Path) -> list[Path]:
    """Find the recipes with tests below a folder; what is hidden is not looked into."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place) / name
            if path.suffix in _SUFFIXES and not name.startswith(".") and name != FILE and _tested(path):
                found.append(path)
    return found


def _tested(path: Path) -> bool:
    if path.exists() and not path.is_file():
        # Nobody may ever write into a pipe.
        return False
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_BYTES)
    except OSError:
        # It may be a recipe with tests: loading it tells why it cannot be read, and nobody takes it for tested.
        return True
    return all(pattern.search(text) for pattern in _TESTED)

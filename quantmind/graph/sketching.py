"""Reads a recipe as far as its graph needs it: no file, no credential, and variables need not be set."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.interpolate import Interpolation
from quantmind.recipe.load import read
from quantmind.recipe.model import Recipe
from quantmind.recipe.problems import Problem, RecipeProblems, join
from quantmind.recipe.reading import Reading


class Sketch(msgspec.Struct, frozen=True):
    """A recipe to be drawn, and what was left out of it."""

    recipe: Recipe
    warnings: tuple[Problem, ...]


def sketch(file: Path, plugins: Plugins, project: Project, environ: Mapping[str, str]) -> Sketch:
    """Read a recipe; options that hang on what is not known here are as if left out.

    Raises:
        RecipeProblems: it cannot be drawn; every reason.
    """
    reading = read(file, plugins, project, environ, unset="warning")
    faults = [problem for problem in reading.problems if problem.severity == "error"]
    if faults:
        raise RecipeProblems(faults)
    recipe = reading.recipe or _without_unknown(reading, plugins, project, environ)
    if recipe is None:
        raise RecipeProblems(msgspec.structs.replace(problem, severity="error") for problem in reading.problems)
    return Sketch(recipe, tuple(reading.problems))


def _without_unknown(reading: Reading, plugins: Plugins, project: Project, environ: Mapping[str, str]) -> Recipe | None:
    interpolation = Interpolation(environ)
    data = reading.document.data
    interpolation.resolve(data)
    known = _less(data, "", interpolation.left | interpolation.missing.keys())
    return read(known, plugins, project, environ, unset="warning").recipe


def _less(data: Any, path: str, unknown: Collection[str]) -> Any:
    """Return the data without the options that are not known."""
    if isinstance(data, dict):
        below = {key: (join(path, key), value) for key, value in data.items()}
        return {key: _less(value, at, unknown) for key, (at, value) in below.items() if at not in unknown}
    if isinstance(data, list):
        return [_less(value, join(path, index), unknown) for index, value in enumerate(data)]
    return data

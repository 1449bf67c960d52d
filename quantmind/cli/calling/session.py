"""Session: what the options of `quantmind` itself mean for every verb."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from quantmind.errors import UsageError

if TYPE_CHECKING:
    from quantmind.plugins import Plugins
    from quantmind.project import Project
    from quantmind.recipe.model import Recipe


@dataclass(frozen=True)
class Session:
    """One call of the command: tracebacks or not, third-party plugins or not."""

    debug: bool = False
    only_own: bool = False

    def plugins(self, project: Project) -> Plugins:
        """Return the plugins that a project allows."""
        from quantmind.plugins import Plugins

        return Plugins(project.allow, only_own=self.only_own)

    def load(self, recipe: Path | None, run: str | None = None, stage: str | None = None) -> tuple[Recipe, Project]:
        """Load a recipe, or the one that a run was made with, and its project; for one stage, as far as it reads it.

        Raises:
            UsageError: neither is named, or there is no such run.
            RecipeError: the recipe cannot be run.
        """
        from quantmind.project import Project
        from quantmind.recipe.load import load

        if recipe is None:
            if run is None:
                raise UsageError("no recipe is named: write the path of one, such as recipes/quickstart.yaml")
            from quantmind.pipeline.folder import RunFolder

            state = Project.find(Path.cwd(), os.environ).state
            recipe = Path(RunFolder.find(state, run).description()["recipe"])
        project = Project.find(recipe.parent, os.environ)
        return load(recipe, self.plugins(project), project, os.environ, stage=stage), project

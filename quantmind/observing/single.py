"""A pipeline in one process: found by its recipe, and asked over its control socket."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from quantmind.control.answers import Request
from quantmind.control.client import call
from quantmind.control.home import Home
from quantmind.control.status import Status
from quantmind.errors import QuantMindError
from quantmind.pipeline.folder import RunFolder
from quantmind.recipe.model import Recipe

_RECENT = 50
"""How many of the last runs are looked at."""


def home_of(state: Path, recipe: Recipe) -> Home:
    """Find where the recipe's account is traded now.

    Raises:
        QuantMindError: nowhere.
    """
    name = re.compile(rf"\d{{8}}-\d{{6}}-{re.escape(recipe.name)}(-\d+)?")
    runs = sorted(path for path in (state / "runs").glob("*/") if name.fullmatch(path.name))
    for path in reversed(runs[-_RECENT:]):
        if (path / "run.json").is_file():
            home = Home.find(state, RunFolder(path).name)
            # An account is listened on by whoever trades it last, and not by the runs before.
            if home.listens and (status := status_of(home)) is not None and status.run == path.name:
                return home
    raise QuantMindError(f"{recipe.name}: nothing runs: start it with `quantmind run {recipe.file}`")


def status_of(home: Home) -> Status | None:
    """Ask how an account stands that is traded now; None where it no longer is."""
    answer = call(home, Request("status"))
    return None if answer is None else msgspec.convert(answer["status"], Status)

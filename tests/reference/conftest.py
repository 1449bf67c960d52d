from pathlib import Path

import pytest

from quantmind.kinds import KINDS
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.lint import lint

OWN = Plugins(only_own=True, environ={})
COMPLETE = {
    "name": "complete",
    "instruments": ["BTC/USDT:USDT"],
    "feeds": ["synthetic"],
    "strategies": ["momentum", "mean_reversion"],
    "allocator": "equal_weight",
    "risk": {
        "sizing": [{"fixed_quantity": {"quantity": 0.1}}],
        "protection": [{"fixed_stop": {"part": 0.02}}],
        "limits": [{"max_leverage": {"limit": 3}}],
    },
    "executor": "paper",
}


def pytest_generate_tests(metafunc):
    """Give a test that asks for a `component` every component of QuantMind's own plugins."""
    if "component" in metafunc.fixturenames:
        rows = [row for row in OWN.all() if row.kind in KINDS]
        params = [pytest.param(OWN.find(row.kind, row.name), id=f"{row.kind}-{row.name}") for row in rows]
        metafunc.parametrize("component", params)


def put(part):
    """Return a recipe that is complete but for a part, and has that."""
    risk = {**COMPLETE["risk"], **part.get("risk", {})}
    return {**COMPLETE, **part, "risk": risk}


@pytest.fixture(scope="session")
def faults():
    """Return the errors of a recipe that has a part, and is complete besides."""

    def found(part):
        problems = lint(put(part), OWN, Project(Path("state")), {})
        return [str(problem) for problem in problems if problem.severity == "error"]

    return found

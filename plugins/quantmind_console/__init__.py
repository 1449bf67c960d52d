"""What happens, as lines a trader reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from quantmind.hookspecs import hookimpl
from quantmind.kinds import Component
from quantmind_console.console import Console


@hookimpl
def register_components() -> Iterable[type[Component[Any]]]:
    """Return the components of this plugin."""
    return [Console]

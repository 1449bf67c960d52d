"""A strategy that expects prices to come back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from quantmind.hookspecs import hookimpl
from quantmind.kinds import Component
from quantmind_mean_reversion.mean_reversion import MeanReversion


@hookimpl
def register_components() -> Iterable[type[Component[Any]]]:
    """Return the components of this plugin."""
    return [MeanReversion]

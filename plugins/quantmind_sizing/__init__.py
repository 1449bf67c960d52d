"""Sizing rules: how much to hold at a Target of 1."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from quantmind.hookspecs import hookimpl
from quantmind.kinds import Component
from quantmind_sizing.fixed_quantity import FixedQuantity


@hookimpl
def register_components() -> Iterable[type[Component[Any]]]:
    """Return the components of this plugin."""
    return [FixedQuantity]

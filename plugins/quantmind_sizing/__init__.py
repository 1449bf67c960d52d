"""Sizing rules: how much to hold at a Target of 1."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from quantmind.hookspecs import hookimpl
from quantmind.kinds import Component
from quantmind_sizing.fixed_fraction import FixedFraction
from quantmind_sizing.fixed_quantity import FixedQuantity
from quantmind_sizing.kelly import Kelly
from quantmind_sizing.volatility_target import VolatilityTarget


@hookimpl
def register_components() -> Iterable[type[Component[Any]]]:
    """Return the components of this plugin."""
    return [FixedQuantity, FixedFraction, Kelly, VolatilityTarget]

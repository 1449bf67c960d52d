"""Allocators: signals in force become shares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from quantmind.hookspecs import hookimpl
from quantmind.kinds import Component
from quantmind_allocators.equal_weight import EqualWeight
from quantmind_allocators.fixed_weight import FixedWeight


@hookimpl
def register_components() -> Iterable[type[Component[Any]]]:
    """Return the components of this plugin."""
    return [EqualWeight, FixedWeight]

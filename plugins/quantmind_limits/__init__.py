"""Limits: what may not be increased any further."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from quantmind.hookspecs import hookimpl
from quantmind.kinds import Component
from quantmind_limits.max_leverage import MaxLeverage
from quantmind_limits.max_order_notional import MaxOrderNotional
from quantmind_limits.max_position import MaxPosition


@hookimpl
def register_components() -> Iterable[type[Component[Any]]]:
    """Return the components of this plugin."""
    return [MaxPosition, MaxLeverage, MaxOrderNotional]

"""Protection rules: when to leave a position that went wrong, or right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from quantmind.hookspecs import hookimpl
from quantmind.kinds import Component
from quantmind_stops.atr_stop import AtrStop
from quantmind_stops.fixed_stop import FixedStop
from quantmind_stops.take_profit import TakeProfit
from quantmind_stops.time_stop import TimeStop


@hookimpl
def register_components() -> Iterable[type[Component[Any]]]:
    """Return the components of this plugin."""
    return [FixedStop, AtrStop, TakeProfit, TimeStop]

"""The hooks of QuantMind: called when things are looked up, never per event."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pluggy

from quantmind.kinds import Component

hookspec = pluggy.HookspecMarker("quantmind")
"""Marks what QuantMind calls."""
hookimpl = pluggy.HookimplMarker("quantmind")
"""Marks a plugin's answer: `@hookimpl` before the function of the hook's name."""


class Hooks:
    """What a plugin module may implement."""

    @hookspec
    def register_components(self) -> Iterable[type[Component[Any]]]:  # type: ignore[empty-body]
        """Return the component classes of this plugin, in any order; called once, when it is loaded."""

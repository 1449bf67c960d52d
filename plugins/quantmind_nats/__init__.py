"""Frames between the stages of a pipeline by NATS, on one machine or on many."""

from __future__ import annotations

from typing import Any

from quantmind.hookspecs import hookimpl
from quantmind.kinds import Component
from quantmind_nats.transport import NATS


@hookimpl
def register_components() -> list[type[Component[Any]]]:
    """Return the components of this plugin."""
    return [NATS]

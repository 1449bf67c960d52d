"""What a pipeline shows in a Redis: quotes, ticks, rates, positions and the metrics of its stages."""

from __future__ import annotations

from typing import Any

from quantmind.hookspecs import hookimpl
from quantmind.kinds import Component
from quantmind_redis.sink import Redis


@hookimpl
def register_components() -> list[type[Component[Any]]]:
    """Return the components of this plugin."""
    return [Redis]

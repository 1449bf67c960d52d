"""Trading without a venue: a made-up market, and orders filled by simulation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from quantmind.hookspecs import hookimpl
from quantmind.kinds import Component
from quantmind_paper.executor import Paper
from quantmind_paper.synthetic import Synthetic


@hookimpl
def register_components() -> Iterable[type[Component[Any]]]:
    """Return the components of this plugin."""
    return [Synthetic, Paper]

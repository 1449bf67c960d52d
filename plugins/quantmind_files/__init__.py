"""Files: market data replayed from them, events written to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from quantmind.hookspecs import hookimpl
from quantmind.kinds import Component
from quantmind_files.jsonl import JsonLines
from quantmind_files.replay import Replay
from quantmind_files.sqlite import Sqlite


@hookimpl
def register_components() -> Iterable[type[Component[Any]]]:
    """Return the components of this plugin."""
    return [Replay, JsonLines, Sqlite]

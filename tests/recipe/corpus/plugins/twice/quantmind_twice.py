"""A third party's plugin with a component that QuantMind has too."""

from __future__ import annotations

from quantmind.hookspecs import hookimpl
from quantmind.kinds import NoOptions, Sink


class Console(Sink[NoOptions]):
    """Prints nothing."""

    name = "console"


@hookimpl
def register_components():
    return [Console]

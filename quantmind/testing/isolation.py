"""Isolation: the plugins of a test, and none that happen to be installed."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from quantmind.kinds import Component
from quantmind.plugins import Plugins


def isolated_plugins(*given: type[Component[Any]] | ModuleType) -> Plugins:
    """Return plugins that know nothing but what is given: component classes, and modules with `register_components`.

    A module is registered as an entry point that names it would be, so a misspelt hook is found.

        import breakout_plugin
        plugins = isolated_plugins(breakout_plugin)
        assert plugins.find("strategy", "breakout") is breakout_plugin.Breakout

    Raises:
        PluginError: a class is no component, or a module registers none.
    """
    classes = [each for each in given if not isinstance(each, ModuleType)]
    plugins = Plugins(extra=classes, installed=False)
    for module in given:
        if isinstance(module, ModuleType):
            plugins.register(module)
    return plugins

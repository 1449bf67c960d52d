from __future__ import annotations

import pytest

from quantmind.plugins import PluginError
from quantmind.testing import ListFeed, MemorySink, isolated_plugins

PLUGIN = """
from quantmind.hookspecs import hookimpl
from quantmind.testing import ListFeed

@hookimpl
def {hook}():
    return {components}
"""


def test_nothing_is_known_but_what_is_given(module):
    plugin = module("a_plugin", PLUGIN.format(hook="register_components", components="[ListFeed]"))
    plugins = isolated_plugins(MemorySink, plugin)
    assert [(row.kind, row.name) for row in plugins.all()] == [("feed", "list"), ("sink", "memory")]
    assert plugins.find("feed", "list") is ListFeed
    assert plugins.find("sink", "memory") is MemorySink
    with pytest.raises(PluginError, match=r"no executor is called paper; installed: none"):
        plugins.find("executor", "paper")
    with pytest.raises(PluginError, match=r"no sink is called memo; did you mean memory\? installed: memory"):
        plugins.find("sink", "memo")


def test_two_do_not_know_each_other():
    isolated_plugins(ListFeed)
    assert isolated_plugins().all() == []


@pytest.mark.parametrize(
    ("name", "hook", "components", "said"),
    [
        ("misspelt", "register_component", "[ListFeed]", "unknown hook 'register_component'"),
        ("empty", "register_components", "None", "no register_components with @hookimpl, or that returns nothing"),
        ("odd", "register_components", "[dict]", "<class 'dict'> is no component class"),
    ],
)
def test_a_module_that_registers_wrongly_is_refused(module, name, hook, components, said):
    with pytest.raises(PluginError, match=said):
        isolated_plugins(module(name, PLUGIN.format(hook=hook, components=components)))


def test_what_is_no_component_is_refused():
    with pytest.raises(PluginError, match="is no component class"):
        isolated_plugins(dict)

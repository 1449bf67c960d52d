"""Third-party packages are folders with a `dist-info` and a module, as pip would leave them."""

import itertools
import sys
import textwrap

import pytest

from quantmind.kinds import NoOptions, Sink, SizingRule
from quantmind.plugins import PluginError, Plugins, ShutOutError

SINK = """
    from quantmind.hookspecs import hookimpl
    from quantmind.kinds import NoOptions, Sink

    class {cls}(Sink[NoOptions]):
        '''{summary}'''

        name = "{name}"

    @hookimpl
    def register_components():
        return [{cls}]
"""


class Site:
    """A folder on sys.path."""

    def __init__(self, folder):
        self.folder = folder
        self.modules = []

    def package(self, distribution, module, code, entries=None, version="1.0"):
        """Install a distribution with one module, imported only as `module`."""
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        lines = "\n".join(f"{name} = {value}" for name, value in (entries or {module: module}).items())
        (info / "entry_points.txt").write_text(f"[quantmind]\n{lines}\n")
        (self.folder / f"{module}.py").write_text(textwrap.dedent(code))
        self.modules.append(module)

    def sink(self, distribution, module, name, entries=None):
        code = SINK.format(cls=name.title().replace("_", ""), name=name, summary=f"Is {name}.")
        self.package(distribution, module, code, entries or {name: module})


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    site = Site(tmp_path)
    yield site
    for module in site.modules:
        sys.modules.pop(module, None)


class Given(Sink[NoOptions]):
    """Given by a test."""

    name = "given"


def only(*names, **more):
    return Plugins(names, environ={}, **more)


def test_a_package_gives_its_component(site):
    site.sink("stranger-sink", "stranger_sink", "stranger")
    plugins = only("stranger-sink")
    assert plugins.find("sink", "stranger").name == "stranger"
    (found,) = (row for row in plugins.all() if row.name == "stranger")
    assert (found.kind, found.summary, found.distribution, found.version, found.module, found.fault) == (
        "sink",
        "Is stranger.",
        "stranger-sink",
        "1.0",
        "stranger_sink",
        "",
    )


@pytest.mark.parametrize("allowed", ["stranger-sink", "Stranger_Sink", "stranger.sink", "stranger_module"])
def test_the_allow_list_names_distributions_or_modules(site, allowed):
    site.sink("stranger-sink", "stranger_module", "stranger")
    assert only(allowed).find("sink", "stranger")


def test_nothing_of_a_plugin_that_is_not_allowed_is_imported(site):
    site.package("bad", "bad_module", "raise SystemExit('imported')", {"evil": "bad_module"})
    plugins = only("other")
    with pytest.raises(PluginError, match=r"bad 1\.0 \(bad_module\) that has it is not on the allow-list"):
        plugins.find("sink", "evil")
    assert "bad_module" not in sys.modules
    assert [row.fault for row in plugins.all() if row.distribution == "bad"] == ["is not on the allow-list"]
    assert "bad_module" not in sys.modules


def test_the_environment_restricts_as_well(site):
    site.sink("one", "one_module", "first")
    site.sink("two", "two_module", "second")
    plugins = Plugins(["one", "two"], environ={"QUANTMIND_PLUGINS": " one , three"})
    assert plugins.find("sink", "first")
    with pytest.raises(PluginError, match="is not named by QUANTMIND_PLUGINS"):
        plugins.find("sink", "second")
    assert Plugins(["two"], environ={"QUANTMIND_PLUGINS": ""}).find("sink", "second")


def test_only_our_own_plugins_are_left_by_no_plugins(site):
    site.sink("one", "one_module", "first")
    plugins = Plugins(only_own=True, environ={})
    with pytest.raises(PluginError, match=r"one 1\.0 .* is left out by --no-plugins"):
        plugins.find("sink", "first")
    assert {row.distribution for row in plugins.all() if row.kind} == {"quantmind"}
    assert "one_module" not in sys.modules


def test_only_the_plugin_with_the_wanted_name_is_loaded(site):
    site.sink("one", "one_module", "first")
    site.sink("two", "two_module", "second")
    only("one", "two").find("sink", "first")
    assert "one_module" in sys.modules
    assert "two_module" not in sys.modules


def test_a_component_may_hide_behind_an_entry_point_of_another_name(site):
    site.sink("one", "one_module", "first", {"anything": "one_module"})
    assert only("one").find("sink", "first")


def test_a_module_of_several_entry_points_is_loaded_once(site):
    site.sink("one", "one_module", "first", {"first": "one_module", "second": "one_module"})
    (site.folder / "one_module.py").write_text(
        (site.folder / "one_module.py").read_text() + "\nimport builtins\nbuiltins.loads = builtins.loads + 1\n"
    )
    import builtins

    builtins.loads = 0
    try:
        plugins = only("one")
        assert len([row for row in plugins.all() if row.kind]) == 1
        assert plugins.find("sink", "first")
        assert builtins.loads == 1
    finally:
        del builtins.loads


def test_two_components_of_one_name_are_an_error_that_names_both(site):
    site.sink("one", "one_module", "same")
    site.sink("two", "two_module", "same")
    plugins = only("one", "two")
    with pytest.raises(PluginError, match=r"registered by one 1\.0 \(one_module\) and by two 1\.0 \(two_module\)"):
        plugins.find("sink", "same")
    assert {row.fault for row in plugins.all() if row.kind} == {
        "also registered by two 1.0 (two_module)",
        "also registered by one 1.0 (one_module)",
    }
    assert only("two").find("sink", "same").__module__ == "two_module"


def test_the_order_of_discovery_and_of_questions_changes_nothing(site, monkeypatch):
    import importlib.metadata

    site.sink("one", "one_module", "same")
    site.sink("two", "two_module", "other", {"unlike": "two_module"})
    site.sink("three", "three_module", "same", {"hidden": "three_module"})
    points = list(importlib.metadata.entry_points(group="quantmind"))
    ours = [point for point in points if point.dist.name in ("one", "two", "three")]
    answers = set()
    for order in itertools.permutations(ours):
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda order=order, **_: order)
        for first in ("same", "other", None):
            plugins = only("one", "two", "three")
            if first:
                plugins.find("sink", first)
            same = plugins.find("sink", "same").__module__
            answers.add((same, plugins.find("sink", "other").__module__, tuple(plugins.all())))
    assert len(answers) == 1
    assert next(iter(answers))[:2] == ("one_module", "two_module")


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("def (", "SyntaxError: "),
        ("raise SystemExit(3)", "SystemExit: 3 (broken_module.py:1)"),
        ("import json\n\njson.loads('{')", "(broken_module.py:3)"),
        ("x = 1", "it has no register_components with @hookimpl"),
        (
            "from quantmind.hookspecs import hookimpl\n@hookimpl\ndef register_component():\n    return []",
            "PluginValidationError: unknown hook 'register_component'; known: register_components",
        ),
        (
            "from quantmind.hookspecs import hookimpl\n@hookimpl\ndef register_components(x):\n    return []",
            "PluginValidationError: ",
        ),
        (
            "from quantmind.hookspecs import hookimpl\n@hookimpl\ndef register_components():\n    return [5]",
            "5 is no component class",
        ),
        (
            SINK.format(cls="A", name="", summary="Is."),
            "must have a name of small letters, digits and _, was ''",
        ),
        (SINK.format(cls="A", name="A b", summary="Is."), "was 'A b'"),
        (SINK.format(cls="A", name="a", summary=""), "has no docstring: its first line is the summary"),
        (SINK.format(cls="A", name="a", summary="Is.").replace("[NoOptions]", ""), "has no options model"),
        (
            "from pydantic import BaseModel\n"
            + textwrap.dedent(SINK.format(cls="A", name="a", summary="Is.")).replace("[NoOptions]", "[BaseModel]"),
            "has options BaseModel, which are not derived from quantmind.kinds.Options",
        ),
        (
            textwrap.dedent(SINK.format(cls="A", name="a", summary="Is.")).replace("[A]", "A"),
            "its register_components must return a list of component classes",
        ),
        (
            textwrap.dedent(SINK.format(cls="A", name="a", summary="Is.")).replace("[A]", "[A(NoOptions(), None)]"),
            "A is registered as an object: register the class itself",
        ),
        (
            SINK.format(cls="A", name="a", summary="Is.").replace("Sink[", "Component[").replace("Sink", "Component"),
            "is of no known kind: derive it from one of Feed, Transport",
        ),
    ],
)
def test_a_fault_of_a_plugin_is_kept_and_named_where_its_component_is_missed(site, code, fault):
    site.package("broken", "broken_module", code, {"wanted": "broken_module"})
    site.sink("sound", "sound_module", "sound")
    plugins = only("broken", "sound")
    assert plugins.find("sink", "sound")
    with pytest.raises(
        PluginError, match=r"likely because the plugin broken 1\.0 \(broken_module\) failed: "
    ) as refusal:
        plugins.find("sink", "wanted")
    assert fault in str(refusal.value)
    (row,) = (row for row in plugins.all() if row.distribution == "broken")
    assert fault in row.fault
    assert (row.kind, row.name) == ("", "wanted")
    assert plugins.find("sink", "sound")


@pytest.mark.parametrize("name", ["quantmind", "quantmind_paper", "Quantmind.Venue", "quantmind-zeromq"])
def test_names_of_plugins_are_known(name):
    plugins = Plugins(allow=[name], environ={})
    assert plugins.unknown([name, "quantmnid"]) == {"quantmnid"}
    assert {"quantmind", "quantmind_paper", "quantmind_venue"} <= set(plugins.installed())


def test_a_missing_name_is_answered_with_the_nearest_and_all(site):
    site.sink("one", "one_module", "console_like")
    with pytest.raises(PluginError) as refusal:
        only("one", extra=[Given]).find("sink", "consol_like")
    assert str(refusal.value).startswith("no sink is called consol_like; did you mean console_like? ")
    assert str(refusal.value).endswith("installed: console_like, given")


def test_an_entry_point_that_is_called_otherwise_than_its_component_is_told(site):
    site.sink("stranger", "stranger_module", "pair", {"bad": "stranger_module"})
    plugins = only("stranger")
    assert plugins.find("sink", "pair").name == "pair"
    with pytest.raises(PluginError) as refusal:
        plugins.find("sink", "bad")
    said = "no sink is called bad; the entry point bad of stranger registers pair: name them the same; "
    assert str(refusal.value).startswith(said)


def test_of_a_name_that_nobody_has_it_is_asked_whether_its_package_is_installed():
    with pytest.raises(PluginError) as refusal:
        Plugins(environ={}).find("allocator", "zzz")
    assert str(refusal.value).startswith("no allocator is called zzz; installed: ")
    assert str(refusal.value).endswith("; is its package installed here? see `quantmind plugins list`")
    with pytest.raises(PluginError, match=r"installed: given$"):
        Plugins(extra=[Given], installed=False, environ={}).find("sink", "zzz")


def test_that_all_of_our_own_is_shut_out_is_told_as_such(site):
    site.sink("desk", "desk_module", "desk")
    with pytest.raises(ShutOutError, match=r"^quantmind itself is not on the allow-list: add it$"):
        only("desk").find("sink", "console")
    assert only("desk", "quantmind").find("sink", "console")
    with pytest.raises(PluginError, match=r"\(quantmind_console\) that has it is not on the allow-list"):
        only("desk", "quantmind_paper").find("sink", "console")
    with pytest.raises(PluginError, match="no sink is called consol; not looked into: quantmind is not on the allow"):
        only("desk").find("sink", "consol")


def test_a_name_of_another_kind_is_told():
    with pytest.raises(PluginError, match="no sizing is called given: it is a component of kind sink"):
        only(extra=[Given]).find("sizing", "given")


def test_one_name_may_stand_for_two_kinds():
    class Both(SizingRule[NoOptions]):
        """Shares its name with a sink."""

        name = "given"

    plugins = only(extra=[Given, Both])
    assert plugins.find("sizing", "given") is Both
    assert plugins.find("sink", "given") is Given


def test_a_class_that_is_given_must_be_sound_as_well():
    class Nameless(Sink[NoOptions]):
        """Has no name."""

    with pytest.raises(PluginError, match="Nameless must have a name"):
        only(extra=[Nameless])


def test_a_class_that_is_given_does_not_hide_an_installed_one(site):
    site.sink("one", "one_module", "given")
    with pytest.raises(PluginError, match=r"sink given is registered by .* and by one 1\.0 \(one_module\)"):
        only("one", extra=[Given]).find("sink", "given")


def test_every_component_of_ours_can_be_had():
    faults = [row for row in Plugins(only_own=True, environ={}).all() if row.fault]
    assert faults == []

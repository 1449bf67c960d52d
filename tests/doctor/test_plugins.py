import importlib
import sys
from pathlib import Path

import pytest

from quantmind.doctor.plugins import plugins
from quantmind.plugins import Plugins
from quantmind.project import Project

SINK = """
from quantmind.hookspecs import hookimpl
from quantmind.kinds import NoOptions, Sink

class Stranger(Sink[NoOptions]):
    "Comes from elsewhere."

    name = "{name}"

@hookimpl
def register_components():
    return [Stranger]
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Install a third party's plugin."""
    monkeypatch.syspath_prepend(str(tmp_path))
    modules = []

    def install(name, text, commands=""):
        info = tmp_path / f"{name}-2.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.0\n")
        (info / "entry_points.txt").write_text(f"[quantmind]\n{name} = {name}_module\n{commands}")
        (tmp_path / f"{name}_module.py").write_text(text)
        modules.append(f"{name}_module")
        importlib.invalidate_caches()

    yield install
    for module in modules:
        sys.modules.pop(module, None)


def found(allow=None):
    known = Plugins(allow, environ={})
    return [(each.state, each.told) for each in plugins(known, Project(Path(), Path("quantmind.yaml"), allow=allow))]


def test_those_of_this_installation_are_sound():
    ((state, told),) = found()
    assert (state, "components and" in told, "quantmind 0." in told) == ("ok", True, True)


def test_one_that_cannot_be_imported_is_told_with_what_to_do(site):
    site("broken", "import nothing_there")
    fault = "ModuleNotFoundError: No module named 'nothing_there' (broken_module.py:1)"
    advice = "mend it if it is yours, else pip install --upgrade broken, or pip uninstall broken"
    assert found()[1:] == [("failed", f"broken of broken 2.0 (broken_module): {fault}: {advice}")]


def test_a_name_that_two_give_is_told_of_both(site):
    site("one", SINK.replace("{name}", "same"))
    site("two", SINK.replace("{name}", "same"))
    told = [told for state, told in found()[1:] if state == "failed"]
    assert [text.partition(" is ")[0] for text in told] == [
        "sink same of one 2.0 (one_module)",
        "sink same of two 2.0 (two_module)",
    ]
    assert all(text.endswith("uninstall one, or allow only one in quantmind.yaml") for text in told)


def test_one_that_is_not_allowed_is_not_loaded_and_no_fault(site):
    site("other", "raise SystemExit('loaded')")
    told = found(("quantmind",))
    assert {state for state, _ in told} == {"ok"}
    assert ("ok", "other of other 2.0 (other_module) is not on the allow-list") in told
    assert told[-1] == ("ok", "quantmind (quantmind.yaml)")

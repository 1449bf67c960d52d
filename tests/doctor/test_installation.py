import platform
from importlib.metadata import PackageNotFoundError, version

import pytest

from quantmind.doctor import installation as module
from quantmind.doctor.installation import installation


def found(subject):
    return [finding for finding in installation() if finding.subject == subject]


class Metadata(dict):
    def get_all(self, name):
        return self.get(name)


class Own:
    """The metadata of a QuantMind that asks for other things."""

    version = "9.9"

    def __init__(self, *requires, python=">=3.11", extras=()):
        self.requires = list(requires) or None
        self.metadata = Metadata({"Requires-Python": python, "Provides-Extra": list(extras)})


@pytest.fixture
def asking(monkeypatch):
    def ask(*requires, **more):
        monkeypatch.setattr(module, "distribution", lambda _: Own(*requires, **more))
        return list(installation())

    return ask


def test_this_installation_is_sound():
    assert {finding.state for finding in installation()} == {"ok"}
    (python,) = found("python")
    assert python.words.startswith(platform.python_version())
    (dependencies,) = found("dependencies")
    assert f"click {version('click')}" in dependencies.words
    assert "pytest" not in dependencies.words
    assert found("extra dev")


def test_a_python_that_does_not_fit(asking):
    (python,) = (finding for finding in asking(python=">=4") if finding.subject == "python")
    assert (python.state, "does not fit >=4" in python.words) == ("failed", True)


def test_what_lacks_and_what_is_too_old_is_named_with_what_to_do(asking):
    told = [each.told for each in asking("nowhere-to-be-found>=1", "click>=999", "pluggy") if each.state == "failed"]
    assert told == [
        "nowhere-to-be-found is not installed: pip install 'nowhere-to-be-found>=1'",
        f"click {version('click')} does not fit >=999: pip install 'click>=999'",
    ]


def test_what_another_platform_needs_is_not_missed(asking):
    assert all(each.state == "ok" for each in asking("nowhere-to-be-found; sys_platform == 'win32'"))


@pytest.mark.parametrize(
    ("requires", "state", "told"),
    [
        (["nowhere-to-be-found"], "ok", "not installed (pip install 'quantmind[more]')"),
        (["click", "nowhere-to-be-found"], "ok", "installed but for nowhere-to-be-found (pip install"),
        (["click", "no-a", "no-b"], "ok", "installed but for no-a, no-b (pip install"),
        (["click", *(f"no-{n}" for n in range(12))], "ok", "1 of its 13 packages are here (pip install"),
        (["click"], "ok", "installed"),
        (["click>=999"], "warning", f"click {version('click')} fit not what it asks for"),
    ],
)
def test_extras_are_told(asking, requires, state, told):
    lines = [f"{name}; extra == 'more'" for name in requires]
    (extra,) = (each for each in asking(*lines, extras=["more"]) if each.subject == "extra more")
    assert (extra.state, extra.told.startswith(told)) == (state, True)


def test_without_metadata_it_is_not_installed(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(module, "distribution", missing)
    (finding,) = installation()
    assert (finding.state, finding.advice) == ("failed", "pip install quantmind")

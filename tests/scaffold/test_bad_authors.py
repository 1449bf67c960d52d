"""A generated component of each kind, spoilt as an author might: the checks say which promise is broken, in words."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from quantmind.scaffold.name import Name
from quantmind.scaffold.package import package
from quantmind.testing import check_component

SPOILT = {
    "strategy": (
        "                direction = 1.0\n",
        "                direction = 2.0\n",
        "signals its own symbols, with directions in [-1, 1] and confidences in [0, 1]",
        "a direction is in [-1, 1], was 2.0",
    ),
    "feed": (
        "options.start + age",
        "options.start - age",
        "gives a replay in order of time, the shorter bar first",
        "it goes back in time",
    ),
    "allocator": (
        "part = (1.0 if up or down else self.options.unsure) / len(strategies)",
        "part = 1.0",
        "gives shares that are finite and in [-1, 1], of its symbols and strategies only",
        "are in [-1, 1] in all",
    ),
    "sizing": (
        "max(sizing.equity, Decimal(0))",
        "sizing.equity",
        "gives a budget that is finite and not below 0, whatever the account",
        "",
    ),
    "protection": (
        "return Levels(stop=held.average_price - side * distance)",
        "return Levels(stop=held.average_price - distance)",
        "puts stops on the losing side",
        "is not on the losing side of",
    ),
    "limit": (
        "        return Refused(self.name,",
        "        from quantmind.kinds import Shrunk\n        return Shrunk(increase.quantity * 2, self.name,",
        "never enlarges an order, itself or through the gate",
        "it enlarges",
    ),
    "executor": (
        'f"{name}-1"',
        '"1"',
        "answers with what can be true of its orders, and fills none by the event it was decided on",
        "the id of an execution is its own",
    ),
    "sink": (
        "        self._file.flush()\n",
        "        self._file.flush()\n        batch.clear()\n",
        "takes every event that it wants, alone and together",
        "it changed the batch that it was given",
    ),
    "command": (
        'help="Win over loss."',
        'help=""',
        "describes every option",
        "command --reward-risk has no help=",
    ),
}


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """Import a module from its text."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names = []

    def load(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        importlib.invalidate_caches()
        names.append(name)
        return importlib.import_module(name)

    yield load
    for name in names:
        del sys.modules[name]


@pytest.mark.slow
@pytest.mark.parametrize("kind", SPOILT)
def test_what_an_author_did_wrong_is_told_in_words(kind, imported):
    good, bad, words, fault = SPOILT[kind]
    name = Name.read(f"spoilt-{kind}")
    text = package(name, kind)[Path(f"{name.module}.py")].decode()
    assert text.count(good) == 1
    module = imported(name.module, text.replace(good, bad))
    (component,) = [module.command] if kind == "command" else module.register_components()
    broken = {promise.words: promise.fault for promise in check_component(component) if promise.fault}
    assert words in broken
    assert fault in broken[words]
    assert all(told.isprintable() for told in broken.values())

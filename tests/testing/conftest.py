from __future__ import annotations

import re
import sys
import textwrap

import pytest


@pytest.fixture
def broken():
    """Return a call that expects a check to fail with a sentence, which has these words in this order."""

    def expect(check, *words):
        with pytest.raises(AssertionError) as raised:
            check()
        said = str(raised.value)
        assert re.search(".*".join(map(re.escape, words)), said, re.DOTALL), said
        assert "\n" not in said
        return said

    return expect


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return what makes an importable module of a text, as other processes can import it too."""
    made = []

    def make(name, text):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        monkeypatch.syspath_prepend(str(tmp_path))
        made.append(name)
        return __import__(name)

    yield make
    for name in made:
        sys.modules.pop(name, None)

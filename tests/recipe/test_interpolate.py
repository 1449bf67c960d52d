import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.recipe.interpolate import Interpolation


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${A}", "one"),
        ("x${A}y${B}z", "xoneytwoz"),
        ("$${A}", "${A}"),
        ("$$$$", "$$"),
        ("$${A}${A}", "${A}one"),
        ("costs $5", "costs $5"),
        ("${NO:-redis://h:1/0}", "redis://h:1/0"),
        ("${EMPTY:-full}", "full"),
        ("${EMPTY}", ""),
        ("${NO:-}", ""),
        ("${A:-other}", "one"),
    ],
)
def test_variables_are_put_in(text, value):
    interpolation = Interpolation({"A": "one", "B": "two", "EMPTY": ""})
    assert interpolation.resolve({"k": [text]}) == {"k": [value]}
    assert not interpolation.missing
    assert not interpolation.faults


def test_a_value_is_never_expanded_again():
    assert Interpolation({"A": "${B} $$", "B": "no"}).resolve(["${A}"]) == ["${B} $$"]


def test_keys_and_other_values_stay():
    assert Interpolation({"A": "x"}).resolve({"${A}": 5, "b": None}) == {"${A}": 5, "b": None}


def test_all_missing_variables_are_known_by_their_path():
    interpolation = Interpolation({})
    interpolation.resolve({"a": ["${X} ${Y}"], "b": "${X}"})
    assert interpolation.missing == {"a[0]": ("X", "Y"), "b": ("X",)}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("${file:}", "${file:} is no variable"),
        ("${credential:}", "${credential:} is no variable"),
        ("${A", "is not closed"),
        ("${A:-${B}}", "a default cannot hold another"),
        ("${1A}", "${1A} is no variable"),
        ("${A-b}", "${A-b} is no variable"),
        ("${}", "${} is no variable"),
    ],
)
def test_what_is_not_understood_is_told(text, told):
    interpolation = Interpolation({"A": "one", "B": "two"})
    interpolation.resolve({"k": text})
    assert told in interpolation.faults["k"]


@given(st.text(), st.text())
def test_escaped_text_and_values_come_out_as_they_are(text, value):
    written = text.replace("$", "$$") + "${A}"
    assert Interpolation({"A": value}).resolve([written]) == [text + value]

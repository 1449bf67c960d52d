import enum
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from quantmind.kinds import Duration, Interval, Options
from quantmind.kinds.moment import Moment
from quantmind.recipe.document import parse
from quantmind.recipe.interpolate import Interpolation
from quantmind.recipe.written import flow, plain, scalar, timed

TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        *(
            "true",
            "null",
            "1.5",
            "0x10",
            "1e3",
            "~",
            "- a",
            "a: b",
            "#",
            "${HOME}",
            "$",
            "BTC/USDT:USDT",
            "2024-01-01",
            ".inf",
        )
    ]
)
KEY = TEXT.filter(lambda key: key.strip() and key.isprintable())
DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEY, inner, max_size=4),
    max_leaves=8,
)


class Way(enum.Enum):
    UP = "up"


class Model(Options):
    some: Duration | None = None


@given(DATA)
def test_what_is_written_on_one_line_is_read_the_same(data):
    read = parse(f"a: {flow(data)}".encode(), "x.yaml")
    assert read.problems == ()
    assert read.data == {"a": data}


@given(TEXT)
def test_a_text_that_is_shown_means_itself_and_no_variable(text):
    read = parse(f"a: {scalar(text)}".encode(), "x.yaml")
    interpolation = Interpolation({})
    assert interpolation.resolve(read.data) == {"a": text}


@pytest.mark.parametrize(
    ("value", "annotation", "written"),
    [
        (60_000_000_000, Interval, "1m"),
        (0, Duration, "0s"),
        (250_000_000, Duration | None, "250ms"),
        (1_000_000_000, Duration | Model, "1s"),
        (1_704_067_200_000_000_000, Moment | None, "2024-01-01T00:00:00Z"),
        (60_000_000_000, int, 60_000_000_000),
        (True, Duration, True),
        (None, Duration | None, None),
        ("1m", Duration, "1m"),
    ],
)
def test_times_have_their_unit(value, annotation, written):
    assert timed(value, annotation) == written


def test_what_a_field_has_been_stripped_of_is_known_from_its_metadata():
    field = Model.model_fields["some"]
    assert timed(1_000_000_000, field.annotation, field.metadata) == "1s"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (SecretStr("hunter2"), "**********"),
        (Way.UP, "up"),
        (frozenset({"b", "a"}), ["a", "b"]),
        ((1, Path("a/b")), [1, "a/b"]),
        ({}, {}),
        (Decimal("0.10"), Decimal("0.10")),
    ],
)
def test_values_are_plain(value, expected):
    assert plain(value) == expected


def test_a_decimal_has_no_exponent():
    assert scalar(Decimal("1E-7")) == "0.0000001"

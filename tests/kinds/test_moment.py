from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.kinds.moment import format_moment, parse_moment

NEW_YEAR = 1_704_067_200_000_000_000


@pytest.mark.parametrize(
    "value",
    [
        "2024-01-01",
        "2024-01-01T00:00:00",
        "2024-01-01T00:00:00Z",
        "2024-01-01 01:00:00+01:00",
        date(2024, 1, 1),
        datetime(2024, 1, 1),  # noqa: DTZ001 - what YAML makes of a time without a zone
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        NEW_YEAR,
    ],
)
def test_what_a_recipe_writes_is_a_time_in_ns(value):
    assert parse_moment(value) == NEW_YEAR


@pytest.mark.parametrize("value", ["yesterday", "", 1.5, True, None, []])
def test_anything_else_is_refused(value):
    with pytest.raises(ValueError, match="must be a date or a time such as"):
        parse_moment(value)


@pytest.mark.parametrize("value", ["9999-12-31", "0001-01-01", 1 << 63, -(1 << 64)])
def test_what_cannot_be_recorded_in_ns_is_refused(value):
    with pytest.raises(ValueError, match="must be between the years 1678 and 2262"):
        parse_moment(value)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (NEW_YEAR, "2024-01-01T00:00:00Z"),
        (NEW_YEAR + 250_000_000, "2024-01-01T00:00:00.25Z"),
        (NEW_YEAR + 1, "2024-01-01T00:00:00.000000001Z"),
    ],
)
def test_a_moment_is_written_in_utc(ns, text):
    assert format_moment(ns) == text


@given(st.integers(0, 4_000_000_000_000_000))
def test_what_is_written_is_read_again(microseconds):
    assert parse_moment(format_moment(microseconds * 1_000)) == microseconds * 1_000

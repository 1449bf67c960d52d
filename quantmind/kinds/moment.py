"""Moments: a point in time as recipes write it, and as people read it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000_000_000
_MOST = (1 << 63) - 1


def parse_moment(value: object) -> int:
    """Read an ISO date or date and time (UTC unless it says otherwise) as ns; an int is taken as ns.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return _bounded(value)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, datetime):
        raise ValueError("must be a date or a time such as 2024-01-31 or 2024-01-31T12:00:00Z")  # noqa: TRY004 - pydantic reports a ValueError
    since = (value if value.tzinfo else value.replace(tzinfo=UTC)) - _EPOCH
    return _bounded(since.days * _DAY + since.seconds * 1_000_000_000 + since.microseconds * 1_000)


def _bounded(ns: int) -> int:
    if abs(ns) > _MOST:
        raise ValueError("must be between the years 1678 and 2262: no others have nanoseconds that can be recorded")
    return ns


def format_moment(ns: int) -> str:
    """Write ns as an ISO time in UTC, with as many decimals as it needs: `2024-01-31T12:00:00Z`."""
    seconds, rest = divmod(ns, 1_000_000_000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:09d}".rstrip("0") + "Z" if rest else f"{text}Z"


Moment = Annotated[
    int,
    BeforeValidator(parse_moment),
    WithJsonSchema(
        {
            "type": ["string", "integer"],
            "pattern": "^[0-9]{4}-?((0[1-9]|1[0-2])-?(0[1-9]|[12][0-9]|3[01])|W[0-5][0-9])",
            "patternErrorMessage": "must be a date or a time such as 2024-01-31 or 2024-01-31T12:00:00Z",
            "examples": ["2024-01-31T12:00:00Z"],
        }
    ),
]
"""A point in time, in ns; written `2024-01-31` or `2024-01-31T12:00:00Z`."""

"""Options of components: closed, frozen, every field described; and the field types recipes share."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo, WithJsonSchema

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
}
_LONGEST = (1 << 63) - 1
_DIGITS = 30
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|ms|s|m|h|d|w)")


class Options(BaseModel):
    """Base of every options model: unknown keys are refused and values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, arbitrary_types_allowed=True)


class NoOptions(Options):
    """For a component that has nothing to set."""


def parse_duration(value: object) -> int:
    """Read `250ms`, `5s`, `1m`, `4h` or `1d` as nanoseconds; an int is taken as nanoseconds.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a duration such as 250ms, 5s, 1m or 4h")
    ns = Decimal(match[1][:_DIGITS]) * _UNITS[match[2]]
    if ns > _LONGEST or len(match[1]) > _DIGITS:
        raise ValueError("must be at most 292 years, in at most 30 digits")
    if ns != int(ns):
        raise ValueError("must be a whole number of nanoseconds")
    return int(ns)


def format_duration(ns: int) -> str:
    """Write a span in ns as a number of the largest unit that is whole: 60_000_000_000 is `1m`."""
    for unit in ("w", "d", "h", "m", "s", "ms", "us"):
        if ns and ns % _UNITS[unit] == 0:
            return f"{ns // _UNITS[unit]}{unit}"
    return f"{ns}ns"


WRITTEN = {"written": True}
"""The context in which options are validated that somebody wrote: there a span has its unit."""


def _positive(value: object, info: ValidationInfo) -> int:
    ns = _span(value, info)
    if ns <= 0:
        raise ValueError("must be longer than nothing")
    return ns


def _not_negative(value: object, info: ValidationInfo) -> int:
    ns = _span(value, info)
    if ns < 0:
        raise ValueError("must not be negative")
    return ns


def _span(value: object, info: ValidationInfo) -> int:
    ns = parse_duration(value)
    # Whoever writes 10 means seconds, or minutes; taken for nanoseconds it would trade on nonsense.
    if ns > 0 and isinstance(value, int) and (info.context or {}).get("written"):
        raise ValueError(f"must have a unit, such as {value}s, {value}m or {value}ms")
    return ns


_FORM: dict[str, Any] = {
    "type": "string",
    "pattern": f"^{_DURATION.pattern}$",
    "patternErrorMessage": "must be a duration such as 250ms, 5s, 1m or 4h",
    "examples": ["1m"],
}
_LONGER_THAN_NOTHING = {"pattern": f"^(?=[0-9.]*[1-9]){_DURATION.pattern}$"}
_OR_NOTHING = {"type": ["string", "integer"], "minimum": 0, "maximum": 0}

Interval = Annotated[int, BeforeValidator(_positive), WithJsonSchema({**_FORM, **_LONGER_THAN_NOTHING})]
"""The length of a bar, in whole ns; a recipe writes `1m`, `5m`, `1h`. Longer than nothing."""

Duration = Annotated[int, BeforeValidator(_not_negative), WithJsonSchema({**_FORM, **_OR_NOTHING})]
"""A span of time, in whole ns; a recipe writes `250ms`, `5s`, or 0."""

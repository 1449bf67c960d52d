"""Ranges: what a figure may be, in words that can be told to whoever wrote it."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Range(msgspec.Struct, frozen=True):
    """The permitted values of a figure; an open end is not itself permitted."""

    low: Decimal
    """The least figure, in the figure's own unit."""
    high: Decimal | None = None
    """The greatest figure; None where there is none."""
    open_low: bool = False
    """Whether `low` itself is left out."""
    open_high: bool = False
    """Whether `high` itself is left out."""

    def __contains__(self, value: Decimal) -> bool:
        """Say whether a value is permitted; no number that is not finite is."""
        if not value.is_finite() or value < self.low or (self.open_low and value == self.low):
            return False
        return self.high is None or value < self.high or (value == self.high and not self.open_high)

    def __str__(self) -> str:
        """Write it as `between 0 and 1`, `above 0 and at most 1`."""
        if self.high is None:
            return f"{'above' if self.open_low else 'at least'} {self.low:f}"
        if not self.open_low and not self.open_high:
            return f"between {self.low:f} and {self.high:f}"
        low, high = ("above" if self.open_low else "at least"), ("below" if self.open_high else "at most")
        return f"{low} {self.low:f} and {high} {self.high:f}"

    def check(self, name: str, value: Decimal) -> Decimal:
        """Return the value.

        Raises:
            ValueError: it is not permitted.
        """
        if value not in self:
            raise ValueError(f"{name}: must be {self}, was {value}")
        return value


_ZERO, _ONE = Decimal(0), Decimal(1)

RATE = Range(_ZERO, _ONE)
"""A probability, ends included."""

PART = Range(_ZERO, _ONE, open_low=True)
"""A part of something, not none of it."""

INSIDE = Range(_ZERO, _ONE, open_low=True, open_high=True)
"""A part that is neither nothing nor all."""

POSITIVE = Range(_ZERO, open_low=True)
"""More than nothing."""

NOT_NEGATIVE = Range(_ZERO)
"""Nothing or more."""

"""Numbers that follow on each other, as runs: what is there of a sequence, what lacks, what came twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec


class Run(msgspec.Struct, frozen=True, order=True, array_like=True):
    """Numbers from `first` to `last` without a hole, and the times (ns) of these two."""

    first: int
    last: int
    begins: int
    ends: int


class Gap(msgspec.Struct, frozen=True, order=True, array_like=True):
    """Numbers that lack, between the times of the last before them and the first after."""

    first: int
    last: int
    begins: int
    ends: int

    @property
    def count(self) -> int:
        """How many numbers lack."""
        return self.last - self.first + 1


def union(runs: Iterable[Run]) -> tuple[list[Run], int]:
    """Return runs that do not touch, in order, and how many numbers were in several."""
    merged: list[Run] = []
    twice = 0
    for run in sorted(runs):
        if not merged or run.first > merged[-1].last + 1:
            merged.append(run)
            continue
        before = merged[-1]
        twice += max(0, min(before.last, run.last) - run.first + 1)
        if run.last > before.last:
            merged[-1] = Run(before.first, run.last, before.begins, run.ends)
    return merged, twice


def gaps(merged: Sequence[Run]) -> list[Gap]:
    """Return what lies between runs that do not touch."""
    return [Gap(before.last + 1, after.first - 1, before.ends, after.begins) for before, after in pairwise(merged)]


def there(merged: Sequence[Run]) -> int:
    """Return how many numbers are in runs that do not touch."""
    count = 0
    for run in merged:
        count += run.last - run.first + 1
    return count


def missing(holes: Iterable[Gap]) -> int:
    """Return how many numbers lack."""
    count = 0
    for gap in holes:
        count += gap.count
    return count

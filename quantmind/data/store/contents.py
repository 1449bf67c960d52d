"""What a store has of each channel, over all its days."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from quantmind.data.store.layout import Stream, channel_name
from quantmind.data.store.runs import gaps, missing, there
from quantmind.data.store.store import Store
from quantmind.data.store.survey import Survey
from quantmind.kinds.moment import format_moment


class Contents(msgspec.Struct, frozen=True):
    """One channel of a store: times are ns UTC, of bars those of their open."""

    stream: Stream
    days: int
    absent_days: int
    """The days between the first and the last one that have nothing."""
    rows: int
    first: int
    last: int
    bytes: int
    completeness: float | None
    """The part that is there of what there is known to have been; None where the venue's numbers do not tell."""
    missing: int
    gaps: int
    duplicates: int

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        names = {"venue": self.stream.venue, "channel": channel_name(self.stream.channel), "symbol": self.stream.symbol}
        plain.pop("stream")
        return {**names, **plain, "from": format_moment(self.first), "to": format_moment(self.last)}


def contents(store: Store) -> Iterator[Contents]:
    """Yield what a store has, a channel after the other; one without events is left out.

    Raises:
        QuantMindError: a part cannot be read.
    """
    for stream in store.streams():
        days = store.days(stream)
        surveys: list[Survey] = []
        size = filled = 0
        for day in days:
            manifest = store.manifest(stream, day)
            surveys += manifest.parts.values()
            size += manifest.bytes
            filled += manifest.rows > 0
        whole = Survey.joined(surveys)
        if not whole.rows:
            continue
        holes = gaps(whole.runs or [])
        lacks, has = missing(holes), there(whole.runs or [])
        yield Contents(
            stream,
            filled,
            days[-1] - days[0] + 1 - len(days),
            whole.rows,
            whole.first,
            whole.last,
            size,
            None if whole.runs is None else has / (has + lacks),
            lacks,
            len(holes),
            whole.duplicates,
        )

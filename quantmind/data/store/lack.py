"""What a store lacks of a span of a channel: what was never fetched, and what is not there although it was."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from quantmind.data.store.layout import DAY, Stream, midnight
from quantmind.data.store.manifest import Span, joined
from quantmind.data.store.store import Store
from quantmind.kinds.moment import format_moment


class Lack(msgspec.Struct, frozen=True):
    """What lacks, as people read it."""

    spans: list[str]
    """The spans that were not fetched as a whole."""
    count: int = 0
    """How many bars or numbered trades lack in what was fetched."""
    gaps: list[str] = []
    """Where they lack."""
    fails: bool = False
    """Whether what was asked for is not there: a venue may leave out numbers of trades, but no bar."""

    @classmethod
    def of(cls, store: Store, stream: Stream, start: int, end: int) -> Lack:
        """Look what lacks of [start, end).

        Raises:
            QuantMindError: a part of the store cannot be read.
        """
        fetched = complete(store, stream, start, end)
        spans = lacking(fetched, start, end)
        if stream.channel.kind != "bar":
            found = [store.manifest(stream, day) for day in store.days(stream) if _within(day, start, end)]
            holes = [gap for manifest in found for gap in manifest.gaps]
            count = 0
            for manifest in found:
                count += manifest.missing
            return cls(written(spans), count, written((gap.begins, gap.ends) for gap in holes), bool(spans))
        interval = stream.channel.interval
        bars = joined(
            (run.begins, run.ends + interval)
            for day in store.days(stream)
            if _within(day, start, end)
            for survey in store.manifest(stream, day).parts.values()
            for run in survey.runs or ()
        )
        holes_ = [hole for begins, ends in fetched for hole in lacking(_cut(bars, begins, ends), begins, ends)]
        count = 0
        for begins, ends in holes_:
            count += (ends - begins) // interval
        return cls(written(spans), count, written(holes_), bool(spans or count))


def complete(store: Store, stream: Stream, start: int, end: int) -> list[Span]:
    """Return the spans within [start, end) that a store has as a whole: they were fetched so, or no bar lacks.

    Raises:
        QuantMindError: a part of it cannot be read.
    """
    spans: list[Span] = []
    for day in store.days(stream):
        if _within(day, start, end):
            manifest = store.manifest(stream, day)
            spans += manifest.covered
            if stream.channel.kind == "bar":
                for survey in manifest.parts.values():
                    spans += [(run.begins, run.ends + stream.channel.interval) for run in survey.runs or ()]
    return joined(_cut(spans, start, end))


def lacking(there: Iterable[Span], start: int, end: int) -> list[Span]:
    """Return what of [start, end) is in none of some spans that do not touch, in order."""
    found: list[Span] = []
    for begins, ends in there:
        if begins > start:
            found.append((start, begins))
        start = ends
    if start < end:
        found.append((start, end))
    return found


def written(spans: Iterable[Span]) -> list[str]:
    """Write spans as people read them: whole days as days."""
    return [
        f"{midnight(begins // DAY)} to {midnight(ends // DAY - 1)}"
        if begins % DAY == ends % DAY == 0 and ends - begins > DAY
        else midnight(begins // DAY)
        if begins % DAY == ends % DAY == 0
        else f"{format_moment(begins)} to {format_moment(ends)}"
        for begins, ends in spans
    ]


def _within(day: int, start: int, end: int) -> bool:
    return start < (day + 1) * DAY and day * DAY < end


def _cut(spans: Iterable[Span], start: int, end: int) -> list[Span]:
    return [(max(a, start), min(b, end)) for a, b in spans if max(a, start) < min(b, end)]

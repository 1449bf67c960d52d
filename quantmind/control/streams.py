"""The streams of live market data and their venues: what came, and how much of it is known to be there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec

from quantmind.events import Figure
from quantmind.metrics import (
    CLOCK_OFFSET,
    RATE_USED,
    RECONNECTS,
    REGISTRY,
    STREAM_AGE,
    STREAM_BACKFILLED,
    STREAM_COMPLETENESS,
    STREAM_DUPLICATES,
    STREAM_EVENTS,
    STREAM_GAPS,
    STREAM_LAG,
    STREAM_MISSING,
    STREAM_PROVEN,
    Metric,
)

Figures = Mapping[str, Mapping[tuple[str, ...], float]]
"""The value of each metric, by name and by its labels."""

_METRICS = (
    STREAM_EVENTS,
    STREAM_GAPS,
    STREAM_BACKFILLED,
    STREAM_MISSING,
    STREAM_DUPLICATES,
    STREAM_COMPLETENESS,
    STREAM_PROVEN,
    STREAM_LAG,
    STREAM_AGE,
)


class StreamRow(msgspec.Struct, frozen=True, kw_only=True):
    """A channel of a symbol, as its feed counts it; None is what the feed does not publish.

    `gaps` are breaks in the venue's numbers, `backfilled` the events that were fetched again, `missing` those that are
    missing for good. `completeness` is the part that came, `lag` and `age` are seconds. `proven` says whether every
    change is known to have come; where the venue gives nothing to tell it by, it is None.
    """

    symbol: str
    channel: str
    events: int | None
    gaps: int | None
    backfilled: int | None
    missing: int | None
    duplicates: int | None
    completeness: float | None
    proven: bool | None
    lag: float | None
    age: float | None


class VenueRow(msgspec.Struct, frozen=True, kw_only=True):
    """The connection to a venue; None is what its feed does not publish.

    `clock_offset` is how far the venue's clock is ahead of ours, in seconds, `rate_used` the part of its request limit
    that is used up.
    """

    venue: str
    reconnects: int | None
    clock_offset: float | None
    rate_used: float | None


def by_name(figures: Iterable[Figure]) -> Figures:
    """Return the figures of metrics that the registry knows, with as many labels as it says, that are numbers."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for figure in figures:
        metric = REGISTRY.get(figure.name)
        if metric is not None and len(metric.labels) == len(figure.labels) and math.isfinite(figure.value):
            found.setdefault(figure.name, {})[figure.labels] = figure.value
    return found


def streams(figures: Figures) -> tuple[StreamRow, ...]:
    """Return a row for each stream that something is published of, by symbol and channel."""
    known = {labels for metric in _METRICS for labels in figures.get(metric.name, ())}
    return tuple(_row(figures, labels) for labels in sorted(known, key=lambda labels: (labels[1], labels[0])))


def venues(figures: Figures) -> tuple[VenueRow, ...]:
    """Return a row for each venue that something is published of, by name."""
    reconnects, offsets, used = (figures.get(metric.name, {}) for metric in (RECONNECTS, CLOCK_OFFSET, RATE_USED))
    return tuple(
        VenueRow(
            venue=labels[0],
            reconnects=int(reconnects[labels]) if labels in reconnects else None,
            clock_offset=offsets.get(labels),
            rate_used=used.get(labels),
        )
        for labels in sorted({*reconnects, *offsets, *used})
    )


def _row(figures: Figures, labels: tuple[str, ...]) -> StreamRow:
    def value(metric: Metric) -> float | None:
        return figures.get(metric.name, {}).get(labels)

    def count(metric: Metric) -> int | None:
        found = value(metric)
        return None if found is None else int(found)

    channel, symbol = labels
    return StreamRow(
        symbol=symbol,
        channel=channel,
        events=count(STREAM_EVENTS),
        gaps=count(STREAM_GAPS),
        backfilled=count(STREAM_BACKFILLED),
        missing=count(STREAM_MISSING),
        duplicates=count(STREAM_DUPLICATES),
        completeness=value(STREAM_COMPLETENESS),
        proven={0: False, 1: True}.get(count(STREAM_PROVEN)),  # type: ignore[arg-type] # None is not there
        lag=value(STREAM_LAG),
        age=value(STREAM_AGE),
    )

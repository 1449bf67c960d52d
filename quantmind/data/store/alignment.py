"""Several sorted sources read side by side, each a table at a time: what they have up to one moment, then on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

AT = "at"
"""The column, of ns, that sources are sorted by."""


class Source:
    """Tables sorted by `AT`, one after the other; nothing in them is before `first`."""

    def __init__(self, tables: Iterator[pl.DataFrame], first: int) -> None:
        self.first = first
        self._tables = tables
        self._rows: pl.DataFrame | None = None
        self._ended = False

    @property
    def known(self) -> int | None:
        """The time before which all of it is at hand; None where that is all there is."""
        return None if self._ended or self._rows is None else int(self._rows[AT][-1])

    @property
    def finished(self) -> bool:
        """Whether nothing is left."""
        return self._ended and self._rows is None

    def more(self) -> None:
        """Read another table."""
        import polars as pl

        for table in self._tables:
            if not table.is_empty():
                self._rows = table if self._rows is None else pl.concat([self._rows, table], rechunk=False)
                return
        self._ended = True

    def take(self, horizon: int | None) -> pl.DataFrame | None:
        """Return what is before a time, or all that is at hand; None where that is nothing."""
        rows = self._rows
        if rows is None:
            return None
        count = len(rows) if horizon is None else int(rows[AT].search_sorted(horizon))
        self._rows = rows.slice(count) if count < len(rows) else None
        return rows.head(count) if count else None


def aligned(sources: Sequence[Source]) -> Iterator[list[tuple[int, pl.DataFrame]]]:
    """Yield what the sources have, a span of time after the other, each table with the number of its source.

    Rows of one time are never parted. A source is opened when its time has come, and holds the table it is at.
    """
    waiting = sorted(range(len(sources)), key=lambda n: (sources[n].first, n), reverse=True)
    reading: list[int] = []
    while waiting or reading:
        horizon = _horizon(sources, reading)
        while waiting and (horizon is None or sources[waiting[-1]].first <= horizon):
            reading.append(waiting.pop())
            sources[reading[-1]].more()
            horizon = _horizon(sources, reading)
        reading.sort()
        taken = [(n, rows) for n in reading if (rows := sources[n].take(horizon)) is not None]
        if taken:
            yield taken
        for number in reading:
            if horizon is not None and sources[number].known == horizon:
                sources[number].more()
        reading = [n for n in reading if not sources[n].finished]


def _horizon(sources: Sequence[Source], reading: Sequence[int]) -> int | None:
    return min((known for n in reading if (known := sources[n].known) is not None), default=None)

"""Sources: where the venue's market comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from quantmind_venue.market.board import Board

Happening = tuple[int, Callable[[], None]]
"""When something happens in the market (venue's ns), and what brings it about."""


class Source(Protocol):
    """A market: a recording, bars, or one that is made up."""

    base: str
    """The shortest interval of which it has candles from before its start."""

    def spellings(self) -> Sequence[str]:
        """Return the contracts it has, as the venue spells them; none where it takes any.

        Raises:
            QuantMindError: its data cannot be read.
        """

    def begins(self) -> int | None:
        """Return the time (ns) at which it must begin, None where any will do."""

    def prepare(self, board: Board, now: int) -> None:
        """Put what was before the start, `now` (ns), on the board."""

    def play(self, board: Board, start: int) -> Iterator[Happening]:
        """Yield what happens from `start` (ns) on, in order of time."""

"""Archives: where recorded market data is fetched from, once and for all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Self

from quantmind.events import Market
from quantmind.kinds.channel import Channel
from quantmind.kinds.component import Component, O


class Archive(Component[O]):
    """A source of market events of the past: a venue's history, its public files, or a recording of its messages."""

    kind = "archive"

    @property
    def venue(self) -> str:
        """The name that what is fetched is filed under, such as `binanceusdm`."""
        raise NotImplementedError

    @classmethod
    def reading(cls, path: Path) -> Self | None:  # noqa: ARG003 - most read no files of the user's
        """Return an archive that reads this recording; None if it is of another format (a look at it is enough)."""
        return None

    def channels(self, symbol: str) -> frozenset[Channel] | None:
        """Return the channels it has of a symbol, None where it can only be tried."""
        raise NotImplementedError

    def fetch(self, symbol: str, channel: Channel, start: int, end: int) -> AsyncIterator[Sequence[Market]]:
        """Yield the events of [start, end) (ns UTC; for bars the time they open), in order, in batches.

        Raises:
            QuantMindError: it does not have them, or they cannot be had, or are damaged.
        """
        raise NotImplementedError

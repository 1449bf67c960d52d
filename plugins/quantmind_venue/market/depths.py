"""The depth streams of one contract that gather changes for a while, or show the best levels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from quantmind_venue.listing import Listed
from quantmind_venue.market.pit import Pit
from quantmind_venue.streaming import streams
from quantmind_venue.streaming.hub import Hub

Changes = Sequence[tuple[str, str]]
Last = tuple[int, int, int, Changes, Changes]
"""First and last number of a change, the last number before it, and its bids and asks."""

_SPEEDS = {100: "@100ms", 250: "", 500: "@500ms"}
_RPI = 500
"""The one speed (ms) at which the book with retail orders is sent; here it is the book."""

_COUNTS = (5, 10, 20)


_encode = msgspec.json.Encoder().encode


class _Window:
    """The changes since the last message of one stream."""

    def __init__(self, change: Last) -> None:
        self.first, self.last, self.previous = change[:3]
        self.bids: dict[str, str] = dict(change[3])
        self.asks: dict[str, str] = dict(change[4])

    def add(self, change: Last) -> None:
        self.last = change[1]
        self.bids.update(change[3])
        self.asks.update(change[4])

    def told(self, contract: Listed, ms: int) -> dict[str, object]:
        bids, asks = list(self.bids.items()), list(self.asks.items())
        return streams.depth_update(contract, self.first, self.last, self.previous, bids, asks, ms)


class Depths:
    """Sends the changes of a book every 100, 250 and 500 ms, and its best levels as often.

    The numbers of a message's changes follow those of the message before; a stream that somebody begins to listen to
    begins with the last change, so that a snapshot taken then is within it.
    """

    def __init__(self, pit: Pit, hub: Hub) -> None:
        self._pit = pit
        self._hub = hub
        self._diff = {
            (speed, kind): f"{pit.low}@{kind}{suffix}"
            for speed, suffix in _SPEEDS.items()
            for kind in ("depth", "rpiDepth")
            if kind == "depth" or speed == _RPI
        }
        self._partial = {
            speed: [(count, f"{pit.low}@depth{count}{suffix}") for count in _COUNTS]
            for speed, suffix in _SPEEDS.items()
        }
        self._windows: dict[str, _Window | None] = {}
        self._shown: dict[str, int] = {}
        self._last: Last | None = None
        self._hidden: set[str] = set()

    def hide(self) -> None:
        """Let the next message of each stream of changes vanish."""
        self._hidden.update(self._windows)

    def add(self, change: Last) -> None:
        """Take a change that the book has taken."""
        self._last = change
        for stream, window in self._windows.items():
            if window is None:
                self._windows[stream] = _Window(change)
            else:
                window.add(change)

    def flush(self, speed: int, contract: Listed, ms: int) -> None:
        """Send what is due at this speed."""
        wanted = self._hub.wanted
        for (each, _), stream in self._diff.items():
            if each != speed or stream not in self._windows:
                continue
            if stream not in wanted:
                del self._windows[stream]
                continue
            window = self._windows[stream]
            if window is not None:
                self._windows[stream] = None
                message = window.told(contract, ms)
                if stream in self._hidden:
                    self._hidden.discard(stream)
                    self._hub.missed(stream, _encode(message))
                else:
                    self._hub.publish(stream, message)
        for count, partial in self._partial[speed]:
            if partial in wanted and self._last is not None and self._shown.get(partial) != self._pit.book.last:
                self._shown[partial] = self._pit.book.last
                self._hub.publish(partial, self._best(contract, count, ms))

    def listen(self, stream: str) -> None:
        """Begin to gather for a stream that somebody listens to."""
        if stream not in self._windows and stream in self._diff.values():
            self._windows[stream] = None if self._last is None else _Window(self._last)

    def _best(self, contract: Listed, count: int, ms: int) -> dict[str, object]:
        assert self._last is not None  # noqa: S101 - the caller saw it
        first, last, previous = self._last[:3]
        bids, asks = written(contract, self._pit.book.bids(count)), written(contract, self._pit.book.asks(count))
        return streams.depth_update(contract, first, last, previous, bids, asks, ms)


def written(contract: Listed, levels: Sequence[tuple[float, float]]) -> list[tuple[str, str]]:
    """Write levels of a book as the venue does."""
    price: Callable[[float], str] = contract.price_text
    return [(price(at), contract.quantity_text(size)) for at, size in levels]

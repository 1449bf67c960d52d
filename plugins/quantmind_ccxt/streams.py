"""The streams of a venue: what is wanted of it, over which lines it comes, and what keeps it from coming."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Mapping
from typing import Any

from quantmind.events.market import ChannelKind
from quantmind_ccxt.line import Line
from quantmind_ccxt.options import CcxtOptions
from quantmind_ccxt.outlet import Outlet
from quantmind_ccxt.stream import STEADY, Stream


class Streams:
    """What the streams of every venue have in common; a venue's own say how they are read."""

    def __init__(
        self, exchange: Any, options: CcxtOptions, streams: dict[tuple[str, str], Stream], outlet: Outlet
    ) -> None:
        self._exchange = exchange
        self._options = options
        self._streams = streams
        self._outlet = outlet
        self.lines: list[Line] = []

    def _stream(self, channel: ChannelKind, symbol: str) -> Stream:
        stream = self._streams[channel, symbol] = Stream(channel, symbol)
        return stream

    def tasks(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Yield what runs as long as the feed does."""
        for line in self.lines:
            yield line.run()

    async def close(self) -> None:
        """Stop what was begun on the way."""

    def seen(self, client: Any, message: Any) -> bool:  # noqa: ARG002 - ccxt reads what nobody else does
        """Look at a message; True keeps it from ccxt."""
        return False

    def follow(self, last: Mapping[str, int]) -> None:
        """Go on after the trades of these ids, by symbol, which were told of before the streams began."""

    def ailments(self, stale: float) -> dict[str, str]:
        """Return why nothing must be entered now, by symbol; `stale` is how long (s) a steady stream may be silent."""
        found: dict[str, str] = {}
        for line in self.lines:
            for stream in line.streams:
                if line.trouble:
                    found[stream.symbol] = f"its {stream.channel}s do not come: {line.trouble}"
                elif stream.channel in STEADY and stream.age > stale:
                    found[stream.symbol] = f"no {stream.channel} has come for {stream.age:.0f} s"
        return found

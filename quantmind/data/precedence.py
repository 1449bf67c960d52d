"""The order of market events: by time, and what comes first of one moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from quantmind.events import Bar, FundingRate, Market

_LAST = 1 << 63

Key = tuple[int, int, int]


class Precedence:
    """Sorts market events by (ts, kind, order of the symbols in the recipe).

    Of one moment come mark prices, quotes, trades and books first, then bars, the shorter interval first, and
    funding rates last: a bar that closes at a settlement describes the time before it, and the position that is
    held when all is known of that time pays.
    """

    def __init__(self, symbols: Sequence[str]) -> None:
        self._index = {symbol: index for index, symbol in enumerate(symbols)}

    def key(self, event: Market) -> Key:
        """Return what an event is sorted by."""
        rank = event.interval if isinstance(event, Bar) else _LAST * isinstance(event, FundingRate)
        return (event.ts, rank, self._index.get(event.symbol, 0))

    def merged(
        self, first: Iterator[Sequence[Market]], second: Iterator[Sequence[Market]]
    ) -> Iterator[Sequence[Market]]:
        """Merge two streams of sorted batches into one, a batch of the first at a time.

        A batch between whose events none of the second comes is passed on as it is.
        """
        key = self.key
        waiting: list[Market] = []
        for batch in first:
            if not batch:
                continue
            until = key(batch[-1])
            while not waiting or key(waiting[-1]) < until:
                more = next(second, None)
                if more is None:
                    break
                waiting.extend(more)
            count = next((n for n, event in enumerate(waiting) if key(event) >= until), len(waiting))
            if count:
                # Both runs are sorted, which the sort makes use of.
                yield sorted([*waiting[:count], *batch], key=key)
                del waiting[:count]
            else:
                yield batch
        if waiting:
            yield waiting
        yield from second

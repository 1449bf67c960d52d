"""The vigil over live feeds: whether the market speaks, and what the feeds say ails them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from quantmind.blame import told
from quantmind.errors import ComponentError, QuantMindError
from quantmind.events import Figure
from quantmind.kinds.feed import Feed
from quantmind.pipeline.ailments import Ailments, named, of_symbol
from quantmind.recipe.wiring import Wiring


class Vigil:
    """Says why nothing must be entered, as far as live market data are concerned, and has it logged.

    A market that is silent for longer than `max_age` (ns) is a reason, where there are bars alone from the next one on.
    """

    def __init__(
        self, feeds: Sequence[Feed[Any]], wiring: Wiring, max_age: int, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._feeds = tuple(feeds)
        self._now = now
        self._quiet = (max_age + _between(wiring)) / 1e9
        self._heard_at = now()
        self._ailments = Ailments(now)
        self._found: tuple[tuple[str, str], ...] = ()

    def heard(self) -> None:
        """Take note that market events have come."""
        self._heard_at = self._now()

    def reasons(self) -> tuple[str, ...]:
        """Look at the feeds, and return what concerns all symbols; none when all is well."""
        silence = self._now() - self._heard_at
        silent = (("", f"no market event has come for {silence:.0f} s"),) if silence > self._quiet else ()
        self._found = (*silent, *self._asked_for_ailments())
        self._ailments.note((symbol, named("feed", reason)) for symbol, reason in self._found)
        return tuple(reason for symbol, reason in self._found if not symbol)

    def symbols(self) -> tuple[tuple[str, str], ...]:
        """Return (symbol, reason) of each symbol that ailed alone at the last look."""
        return tuple((symbol, reason) for symbol, reason in self._found if symbol)

    def ailing(self) -> tuple[str, ...]:
        """Return all of it as lines for a person, each with its component and symbol."""
        return tuple(of_symbol(named("feed", reason), symbol) for symbol, reason in self._found)

    def figures(self) -> Iterable[Figure]:
        """Return the metrics of the feeds."""
        for feed in self._feeds:
            yield from _asked(feed, feed.figures)

    def _asked_for_ailments(self) -> Iterable[tuple[str, str]]:
        for feed in self._feeds:
            found = _asked(feed, lambda feed=feed: feed.ailments().items())  # type: ignore[misc] # bound at once
            yield from ((symbol, f"feed {feed.name}: {reason}") for symbol, reason in found)


def _asked(feed: Feed[Any], question: Callable[[], Iterable[Any]]) -> tuple[Any, ...]:
    try:
        return tuple(question())
    except QuantMindError:
        raise
    except Exception as error:
        raise ComponentError(f"feed {feed.name} failed: {told(error)}") from error


def _between(wiring: Wiring) -> int:
    """Return how long, in ns, a market that is well may say nothing: where there are bars alone, until the next one."""
    channels = frozenset().union(*wiring.channels.values())
    if any(channel.kind not in {"bar", "funding"} for channel in channels):
        return 0
    return min((channel.interval for channel in channels if channel.kind == "bar"), default=0)

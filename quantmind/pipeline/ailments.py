"""Ailments: what keeps positions from being entered, as it is told, and logged when it begins and when it is over."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec

_log = logging.getLogger(__name__)

BRIEF = 0.9
"""Seconds that an ailment lasts before it is told: every feed is without its connection for a moment at its start."""

SETTLED = 10.0
"""Seconds for which an ailment must be away before it is told to be over."""

LONGEST = 600.0
"""Seconds for which one must be away at the most, however often it came and went, and after which it is forgotten."""

_MOST_SYMBOLS = 5


class _Course(msgspec.Struct):
    """The course of one ailment: when it began and was last seen, how long it must be away, and whether it is told."""

    reason: str
    began: float
    seen: float
    patience: float = SETTLED
    told: bool = False


class Ailments:
    """Logs a warning when an ailment begins and one when it is over, and nothing in between.

    Two reasons that differ in figures alone are one ailment. One that comes and goes is over when it has been away for
    10 s, and each time that it comes back nevertheless it must be away for twice as long, up to ten minutes.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._known: dict[tuple[str, str], _Course] = {}

    def note(self, found: Iterable[tuple[str, str]]) -> None:
        """Take note of what ails now: of each the symbol, empty where it is all of them, and the reason."""
        now = self._now()
        for symbol, reason in found:
            course = self._known.setdefault((symbol, _kind(reason)), _Course(reason, now, now))
            if now - course.seen >= course.patience:
                # It is back, after it was over.
                course.began, course.patience = now, min(2 * course.patience, LONGEST)
            course.reason, course.seen = reason, now
        begun, over = [], []
        for key, course in list(self._known.items()):
            away = now - course.seen
            if not course.told and not away and now - course.began >= BRIEF:
                course.told = True
                begun.append(key)
            elif course.told and away >= course.patience:
                course.told = False
                over.append(key)
            elif away > LONGEST:
                del self._known[key]
        for symbols, course in self._together(begun):
            _log.warning("ailing: %s; nothing is entered", _of(course.reason, symbols))
        for symbols, course in self._together(over):
            lasted = course.seen - course.began
            _log.warning("no longer ailing: %s; it was so for %.0f s", _of(course.reason, symbols), lasted)

    def _together(self, keys: Iterable[tuple[str, str]]) -> Iterable[tuple[Sequence[str], _Course]]:
        """Return the symbols that have the same ailment, with its course."""
        symbols: dict[str, list[str]] = {}
        for symbol, kind in keys:
            symbols.setdefault(kind, []).append(symbol)
        return [(having, self._known[having[0], kind]) for kind, having in symbols.items()]


def named(stage: str, reason: str) -> str:
    """Return a reason that names a component or a stage, as those of a component do by themselves."""
    return reason if reason.startswith((f"{stage} ", f"{stage}:")) else f"{stage}: {reason}"


def of_symbol(reason: str, symbol: str) -> str:
    """Return a reason with the symbol that it concerns alone."""
    return f"{reason} ({symbol})" if symbol else reason


def _of(reason: str, symbols: Sequence[str]) -> str:
    more = len(symbols) - _MOST_SYMBOLS
    return of_symbol(reason, ", ".join(symbols[:_MOST_SYMBOLS]) + (f" and {more} more" if more > 0 else ""))


def _kind(reason: str) -> str:
    """Return a reason without its figures."""
    return " ".join(word for word in reason.split() if not any(map(str.isdigit, word)))

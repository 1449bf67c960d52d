"""The line of market events in a live stage: history first, bounded, and closed up after a gap."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from quantmind.events import Bar, FundingRate, History, Incident, IncidentKind, Market, Numbered
from quantmind.kinds import Channel
from quantmind.pipeline.live.inspection import Inspection
from quantmind.pipeline.live.memory import Key, key, keys, kinds

BOUND = 10_000
"""Market events that wait at the most; beyond it the oldest are dropped, but no bars and no funding."""

MOST_AT_ONCE = 200
"""Market events handled in one turn of the event loop, and facts in one frame."""

LONGEST_TURN = 0.05
"""Seconds after which what waits is left to the next turn: a stage must stay able to hear and to speak."""

_KEPT = (Bar, FundingRate)


class Line:
    """Market events that were received and not handled yet.

    A stage that warms up waits for its history, after a gap and a restart of the feed as well: of what it is told
    then, it takes what is newer than what it has.
    """

    def __init__(
        self,
        history: Mapping[tuple[str, Channel], int],
        inspection: Inspection,
        tell: Callable[[IncidentKind, int, str], None],
    ) -> None:
        self.epoch = 0
        """Which start of the feed numbers the events; 0 before one was heard."""
        self.seq = 0
        """The last event that was handed out, as the feed numbers it."""
        self.newest = 0
        """The last event that was received."""
        self.dropped = 0
        """Events dropped because too many waited."""
        self._keys = set(keys(history))
        self._kinds = kinds(self._keys)
        self.waiting_for_history = bool(self._keys)
        self._inspection = inspection
        self._tell = tell
        self._history: list[Market] = []
        self._warm: deque[Market] = deque()
        self._waiting: deque[tuple[int, Market]] = deque()
        self._last: dict[Key, int] = {}

    def __len__(self) -> int:
        """Return how many events wait."""
        return len(self._waiting) + len(self._warm)

    @property
    def overloaded(self) -> bool:
        """Whether more wait than are allowed, and none of them may be dropped."""
        return len(self._waiting) > BOUND

    def noticed(self, incident: Incident) -> None:
        """Fill the hole that lost market events leave in what is looked back on."""
        if incident.of == "feed" and incident.what == "gap" and incident.topic == "market":
            self.missed()

    def missed(self) -> None:
        """Learn that something of the feed was lost."""
        self.waiting_for_history = bool(self._keys)
        self._history.clear()

    def numbered(self, numbered: Numbered) -> None:
        """Take events as the feed numbers them."""
        # Which start of the feed is the present one, reception knows: a clock may have been put back in between.
        if numbered.epoch != self.epoch:
            if self.epoch:
                self.missed()
            self.epoch, self.newest = numbered.epoch, 0
        inspect, waiting = self._inspection.market, self._waiting
        for seq, event in enumerate(numbered.events, numbered.seq):
            fault = inspect(event)
            if fault:
                self._tell("invalid", 1, fault)
            else:
                waiting.append((seq, event))
        self.newest = max(self.newest, numbered.seq + len(numbered.events) - 1)
        if len(waiting) > BOUND:
            self._shorten()

    def history(self, history: History) -> None:
        """Take a part of what the feed remembers; after the last one the line moves on."""
        if not self.waiting_for_history or history.epoch < self.epoch:
            return
        if history.epoch > self.epoch:
            self.epoch, self.newest = history.epoch, 0
        self._history.extend(event for event in history.events if not self._inspection.market(event))
        if history.left:
            return
        for event in self._history:
            at = key(event)
            if event.ts > self._last.get(at, 0):
                self._last[at] = event.ts
                self._warm.append(event)
        self._history.clear()
        # What waits and is part of the history by now comes in as history.
        self._waiting = deque(
            (seq, event) for seq, event in self._waiting if seq > history.seq or key(event) not in self._keys
        )
        self.waiting_for_history = False

    def next(self) -> tuple[int, Market] | None:
        """Return the next event and its number, which is 0 for history; None while there is none."""
        if self.waiting_for_history:
            return None
        if self._warm:
            return 0, self._warm.popleft()
        if not self._waiting:
            return None
        item = self._waiting.popleft()
        self.seq, event = item
        if event.__class__ in self._kinds and (at := key(event)) in self._keys:
            self._last[at] = event.ts
        return item

    def _shorten(self) -> None:
        """Drop the oldest events that may be dropped, down to nine tenths of what is allowed."""
        surplus = len(self._waiting) - BOUND * 9 // 10
        left: deque[tuple[int, Market]] = deque()
        dropped = 0
        for item in self._waiting:
            if dropped < surplus and item[1].__class__ not in _KEPT:
                dropped += 1
            else:
                left.append(item)
        self._waiting = left
        if dropped:
            self.dropped += dropped
            self._tell("overload", dropped, f"more than {BOUND} market events waited")

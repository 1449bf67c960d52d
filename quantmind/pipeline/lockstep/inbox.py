"""The inbox of a stage: market events from the feed stage, in order."""

from __future__ import annotations

import asyncio
from collections import deque

from quantmind.events import Market, Numbered
from quantmind.pipeline.lockstep.link import Link

MOST_IN_FRAME = 200
"""Market events or answers in one frame at the most."""


class Inbox:
    """Market events that were received and not handled yet."""

    def __init__(self) -> None:
        self.events: deque[tuple[int, Market]] = deque()
        self.ended = False
        self.more = asyncio.Event()

    def take(self, numbered: Numbered) -> None:
        """Take a frame of events."""
        self.events.extend(enumerate(numbered.events, numbered.seq))
        self.more.set()

    def end(self) -> None:
        """Learn that no more will come."""
        self.ended = True
        self.more.set()

    async def next(self, link: Link) -> tuple[int, Market] | None:
        """Return the next market event with its number; None after the last."""
        while not self.events:
            if self.ended:
                return None
            self.more.clear()
            await link.wait(self.more)
        return self.events.popleft()

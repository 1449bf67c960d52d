"""Facts as they reach a live stage: each once, in the order of their numbers, none left out."""

from __future__ import annotations

from collections.abc import Sequence

from quantmind.events import Fact

MOST_EARLY = 10_000
"""Facts that are kept while one before them is missing."""


class FactLine:
    """Puts facts in order; what is missing must be asked for from `wanted` on."""

    def __init__(self) -> None:
        self.number: int | None = None
        """The last fact that was handed out; None until it is known where to begin."""
        self.known = 0
        """The last fact that is known to be on record."""
        self._early: dict[int, Fact] = {}

    @property
    def wanted(self) -> int | None:
        """The first fact that is missing; None when none is."""
        if self.number is None or self.number >= self.known:
            return None
        return self.number + 1

    def begin(self, number: int) -> None:
        """Begin after fact `number`, unless it has begun."""
        if self.number is None:
            self.number = number
            self.known = max(self.known, number)
            self._early = {n: fact for n, fact in self._early.items() if n > number}

    def take(self, facts: Sequence[Fact]) -> list[Fact]:
        """Take facts in any order, also again; returns those that are next."""
        for fact in facts:
            self.known = max(self.known, fact.number)
            near = self.number is not None and fact.number <= self.number + MOST_EARLY
            if (self.number is None or fact.number > self.number) and (near or len(self._early) < MOST_EARLY):
                self._early[fact.number] = fact
        return self.ready()

    def ready(self) -> list[Fact]:
        """Return the facts that are next."""
        found: list[Fact] = []
        while self.number is not None and (fact := self._early.pop(self.number + 1, None)) is not None:
            self.number += 1
            found.append(fact)
        return found

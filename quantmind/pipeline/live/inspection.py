"""The inspection: what comes from another process is looked at before a reducer sees it."""

from __future__ import annotations

import time
from collections.abc import Callable

from quantmind.events import Fact, Market, Signal, Target, Upto
from quantmind.pipeline.soundness import AHEAD, Soundness
from quantmind.recipe.model import Recipe


class Inspection:
    """Says what is wrong with an event: a figure that is none, a time to come, a name that the recipe does not know.

    Each method returns a sentence, or nothing where all is well.
    """

    def __init__(self, recipe: Recipe, now: Callable[[], int] = time.time_ns) -> None:
        self._symbols = {instrument.symbol for instrument in recipe.instruments}
        self._soundness = Soundness(self._symbols, now)
        self._strategies = {spec.id for spec in recipe.strategies}
        self._now = now

    def market(self, event: Market) -> str:
        """Look at a market event."""
        return self._soundness.fault(event)

    def upto(self, upto: Upto) -> str:
        """Look at signals and Targets."""
        for signal in upto.signals:
            if fault := self._signal(signal):
                return fault
        for target in upto.targets:
            if fault := self._target(target):
                return fault
        return ""

    def fact(self, fact: Fact) -> str:
        """Look at a fact; whatever it says is on record, so that only its number can be wrong."""
        return "" if fact.number > 0 else f"a fact has the number {fact.number}"

    def _signal(self, signal: Signal) -> str:
        if signal.symbol not in self._symbols or signal.strategy not in self._strategies:
            return f"a signal of {signal.strategy:.40} for {signal.symbol:.40}: the recipe has no such"
        if not (-1.0 <= signal.direction <= 1.0 and 0.0 <= signal.confidence <= 1.0):
            return f"a signal of {signal.strategy} is out of range: {signal.direction}, {signal.confidence}"
        return self._late(signal.ts)

    def _target(self, target: Target) -> str:
        if target.symbol not in self._symbols:
            return f"{target.symbol:.40} is not an instrument of the recipe"
        unknown = [share.strategy for share in target.shares if share.strategy not in self._strategies]
        if unknown:
            return f"a Target for {target.symbol} has shares of {unknown[0]:.40}, which the recipe does not have"
        if not all(-1 <= value <= 1 for value in (target.value, *(share.value for share in target.shares))):
            return f"a Target for {target.symbol} is {target.value}; it must be in [-1, 1]"
        return self._late(target.ts)

    def _late(self, ts: int) -> str:
        return f"its time {ts} is more than a minute ahead" if ts > self._now() + AHEAD else ""

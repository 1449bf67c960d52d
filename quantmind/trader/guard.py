"""Guards: where each strategy's sub-position is left, and how its levels only ever tighten."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import msgspec

from quantmind.kinds.protection import Held, Levels
from quantmind.market.instruments import Instrument

_ONE = Decimal(1)


class Guard(msgspec.Struct, gc=False):
    """What protects one strategy's sub-position of a symbol; its state is saved with the journal."""

    side: int
    """1 for long, -1 for short."""
    since: int
    after: int
    """The market event that it was opened by: only later ones can hit its levels or better its best price."""
    best: float
    distance: Decimal | None = None
    stop: Decimal | None = None
    take_profit: Decimal | None = None
    until: int | None = None
    stop_now: float = 0.0
    """The stop as a float, for what is looked at at every event; 0 before there is one."""

    def held(self, strategy: str, quantity: Decimal, average_price: Decimal) -> Held:
        """Show the sub-position to a rule."""
        return Held(strategy, quantity, average_price, self.since, self.distance, self.stop, self.best)

    def better(self, high: float, low: float) -> None:
        """Take note of how far the price went."""
        if self.side > 0:
            self.best = max(self.best, high)
        else:
            self.best = min(self.best, low)

    def take(self, levels: Iterable[Levels], instrument: Instrument) -> bool:
        """Keep the tightest stop ever said, the nearest take-profit and the earliest end; says whether any changed.

        A stop is rounded to the tick towards the price, so that no more is lost than was reckoned with; a
        take-profit away from it.
        """
        take_profit: Decimal | None = None
        until: int | None = None
        before = self.stop, self.take_profit, self.until
        for level in levels:
            if level.stop is not None and level.stop != self.stop:
                stop = _to_tick(level.stop, instrument.tick, up=self.side > 0)
                if stop > 0 and (self.stop is None or (stop > self.stop) == (self.side > 0)):
                    self.stop = stop
                    self.stop_now = float(stop)
            if level.take_profit is not None:
                near = _to_tick(level.take_profit, instrument.tick, up=self.side > 0)
                if near > 0 and (take_profit is None or (near < take_profit) == (self.side > 0)):
                    take_profit = near
            if level.until is not None:
                until = level.until if until is None else min(until, level.until)
        self.take_profit = take_profit
        self.until = until
        return (self.stop, take_profit, until) != before

    def hit(self, high: float, low: float) -> bool:
        """Say whether the prices of an event reached the stop."""
        if self.stop is None:
            return False
        return low <= self.stop if self.side > 0 else high >= self.stop


def _to_tick(price: Decimal, tick: Decimal, *, up: bool) -> Decimal:
    return (price / tick).quantize(_ONE, ROUND_CEILING if up else ROUND_FLOOR) * tick

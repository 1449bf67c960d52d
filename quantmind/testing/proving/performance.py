"""Performances: a strategy that is shown a market, as the Decider would, and what it says to it."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterable, Coroutine, Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from quantmind.events import Clock, Fill, Market, Signal, WakeAt
from quantmind.kinds import Channel, Needs, Strategy

_MOST_WAKES = 1_000


class Said(msgspec.Struct, frozen=True):
    """One thing that a strategy said: when, whether as it was woken, and what."""

    ts: int
    woken: bool
    item: Any

    def __str__(self) -> str:
        """Write it as a fault shows it."""
        if isinstance(self.item, Signal):
            return f"{self.item.symbol} {self.item.direction!r} with {self.item.confidence!r} at {self.ts}"
        return f"{self.item!r} at {self.ts}"


class Performance:
    """Shows a strategy the events that it needs, wakes it when it asked for that, and tells it of fills.

    Each of its signals is filled as it is: a position of its direction, at the event's price.
    """

    def __init__(self, strategy: Strategy[Any], needs: Needs) -> None:
        self.strategy = strategy
        self.said: list[Said] = []
        self._channels = frozenset(needs.channels)
        self._fills = needs.fills
        self._wakes: list[int] = []
        self._held: dict[str, Decimal] = {}
        self._count = 0

    def to(self, market: Sequence[Market]) -> list[Said]:
        """Show it a market, and return all that it has said."""
        for event in market:
            self.show(event)
        return self.said

    def show(self, event: Market) -> None:
        """Show it one event, after the clocks that are due before.

        Raises:
            AssertionError: it wants to be woken for ever.
        """
        woken = 0
        while self._wakes and self._wakes[0] < event.ts:
            ts = heapq.heappop(self._wakes)
            woken += 1
            if woken > _MOST_WAKES:
                raise AssertionError(f"it asks to be woken more than {_MOST_WAKES} times between two events")
            self._hear("on_clock", Clock(ts), ts, woken=True)
        channel = Channel.of(event)
        if channel in self._channels and event.symbol in self.strategy.symbols:
            for signal in self._hear(f"on_{channel.kind}", event, event.ts):
                if self._fills:
                    self._fill(signal, event)

    def _hear(self, handler: str, event: Any, ts: int, *, woken: bool = False) -> list[Signal]:
        items = _items(handler, getattr(self.strategy, handler)(event))
        self.said += [Said(ts, woken, item) for item in items]
        for item in items:
            if isinstance(item, WakeAt) and item.ts >= ts + woken:
                heapq.heappush(self._wakes, item.ts)
        return [item for item in items if isinstance(item, Signal)]

    def _fill(self, signal: Signal, event: Market) -> None:
        position = Decimal(repr(round(float(signal.direction), 3)))
        quantity = position - self._held.get(signal.symbol, Decimal(0))
        if not quantity.is_finite() or not quantity:
            return
        self._held[signal.symbol] = position
        self._count += 1
        number, price = self._count, Decimal(repr(_price(event)))
        fill = Fill(
            number, f"f{number}", f"o{number}", signal.symbol, "buy" if quantity > 0 else "sell", abs(quantity), price,
            abs(quantity) * price / 2000, Decimal(0), position, price, event.ts, "t", f"x{number}",
        )  # fmt: skip
        self._hear("on_fill", fill, event.ts)


def _items(handler: str, answer: Any) -> tuple[Any, ...]:
    if answer is None:
        return ()
    if isinstance(answer, Coroutine | AsyncIterable):
        if isinstance(answer, Coroutine):
            answer.close()
        raise AssertionError(f"{handler} is async: write `def {handler}`, it is called and not awaited")  # noqa: TRY004 - a check has failed
    if isinstance(answer, Signal | WakeAt | str | bytes) or not isinstance(answer, Iterable):
        return (answer,)
    return tuple(answer)


def _price(event: Any) -> float:
    for name in ("close", "price", "bid", "last", "mark"):
        if value := getattr(event, name, None):
            return float(value)
    return 1.0

"""The Decider: strategies and their allocator; market events and facts in, signals and Targets out.

It does no I/O, reads no clock and draws no random number.
"""

from __future__ import annotations

import functools
import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from quantmind.blame import defined, shown, told
from quantmind.errors import ComponentError
from quantmind.events import (
    Bar,
    Clock,
    Fact,
    Fill,
    Market,
    Share,
    Signal,
    Target,
    Upto,
    WakeAt,
)
from quantmind.events.market import CHANNELS
from quantmind.kinds.allocator import Allocator, Portfolio
from quantmind.kinds.channel import Needs
from quantmind.kinds.strategy import Signals, Strategy
from quantmind.market.bars import NEVER

_Handler = Callable[[Any], Signals]
_HANDLERS: Mapping[type, str] = {kind: f"on_{channel}" for kind, channel in CHANNELS.items()}


class Decider:
    """Shows events to the strategies that need them, and their signals to the allocator."""

    def __init__(
        self,
        strategies: Sequence[Strategy[Any]],
        needs: Sequence[Needs],
        allocator: Allocator[Any],
        listens: bool,
        epoch: int = 1,
    ) -> None:
        self.listens = listens
        """Whether facts matter to it: then it must be given them, in their place."""
        self.warming = False
        """Whether events are history: what is signalled then is in force, but not sent."""
        self.wake_at = NEVER
        """The next time (ns) that a strategy asked for; `on_clock` is due before any event after it."""
        self.positions: dict[str, Decimal] = {}
        self._epoch = epoch
        self._seq = self._n = 0
        self._allocator = allocator
        self._order = list(dict.fromkeys(strategy.id for strategy in strategies))
        # By type and symbol; bars by interval as well.
        self._routes: dict[type, dict[str, Any]] = {kind: {} for kind in _HANDLERS}
        self._fill_routes: dict[str, tuple[_Handler, ...]] = {}
        self._wakes: list[tuple[int, int]] = []
        self._strategies = tuple(strategies)
        self._in_force: dict[str, dict[str, Signal]] = {}
        self._sent: dict[str, Target] = {}
        for strategy, need in zip(strategies, needs, strict=True):
            self._route(strategy, need)

    def _route(self, strategy: Strategy[Any], need: Needs) -> None:
        wanted: list[tuple[type, int]] = [
            (kind, channel.interval)
            for channel in need.channels
            for kind, name in _HANDLERS.items()
            if name == f"on_{channel.kind}"
        ]
        for symbol in strategy.symbols:
            self._in_force.setdefault(symbol, {})
            for kind, interval in wanted:
                name = _HANDLERS[kind]
                if getattr(type(strategy), name) is not getattr(Strategy, name):
                    routes = self._routes[kind]
                    key: Any = symbol
                    if kind is Bar:
                        routes, key = routes.setdefault(symbol, {}), interval
                    routes[key] = (*routes.get(key, ()), getattr(strategy, name))
            if need.fills:
                self._fill_routes[symbol] = (*self._fill_routes.get(symbol, ()), strategy.on_fill)

    @property
    def targets(self) -> tuple[Target, ...]:
        """The last Target of each symbol that has one."""
        return tuple(self._sent.values())

    def renumber(self, epoch: int) -> None:
        """Learn that the feed numbers its events anew, in an epoch of its own."""
        self._epoch = epoch

    def on_market(self, seq: int, event: Market) -> Upto | None:
        """Handle a market event; None when nothing came of it."""
        self._seq = seq
        self._n = 0
        handlers = self._routes[event.__class__].get(event.symbol)
        if handlers is None:
            return None
        if event.__class__ is Bar:
            handlers = handlers.get(event.interval)
            if handlers is None:
                return None
        # As in `_ask`, without its call: this runs for every event, and most often nothing is said.
        said: list[tuple[_Handler, Signals]] | None = None
        handle = None
        try:
            for handle in handlers:
                answer = handle(event)
                if answer is not None:
                    if said is None:
                        said = []
                    said.append((handle, answer))
        except Exception as error:
            raise _failure(handle, event, error) from error
        return None if said is None else self._heard(said, event, event.ts)

    def on_facts(self, facts: Iterable[Fact], ts: int) -> list[Upto]:
        """Handle what execution did since the last market event, as it became known at `ts`.

        A fill's own ts can be long past (a bar tells of its open when it closes); a decision on it is made now.
        """
        said = []
        for fact in facts:
            if isinstance(fact, Fill):
                self.positions[fact.symbol] = fact.position
                handlers = self._fill_routes.get(fact.symbol)
                upto = self._ask(handlers, fact, max(ts, fact.ts)) if handlers else None
                if upto is not None:
                    said.append(upto)
        return said

    def on_clock(self, clock: Clock) -> Upto | None:
        """Wake the strategies that asked for this time."""
        handlers = []
        while self._wakes and self._wakes[0][0] <= clock.ts:
            _, index = heapq.heappop(self._wakes)
            handlers.append(self._strategies[index].on_clock)
        self.wake_at = self._wakes[0][0] if self._wakes else NEVER
        return self._ask(tuple(dict.fromkeys(handlers)), clock, clock.ts)

    def _ask(self, handlers: Iterable[_Handler], event: Any, ts: int) -> Upto | None:
        said: list[tuple[_Handler, Signals]] = []
        for handle in handlers:
            try:
                answer = handle(event)
            except Exception as error:
                raise _failure(handle, event, error) from error
            if answer is not None:
                said.append((handle, answer))
        return self._heard(said, event, ts) if said else None

    def _heard(self, answers: Iterable[tuple[_Handler, Signals]], event: Any, ts: int) -> Upto | None:
        signals: list[Signal] = []
        refused: list[str] = []
        for handle, said in answers:
            strategy = _strategy_of(handle)
            try:
                for item in _items(handle, said):
                    self._hear(strategy, item, event, ts, signals, refused)
            except Exception as error:
                raise _failure(handle, event, error) from error
        if not signals and not refused:
            return None
        return self._decide(signals, tuple(refused), ts)

    def _hear(
        self,
        strategy: Strategy[Any],
        said: Signal | WakeAt,
        event: Any,
        ts: int,
        signals: list[Signal],
        refused: list[str],
    ) -> None:
        if isinstance(said, WakeAt) and said.ts < ts + isinstance(event, Clock):
            # Time would stand still, or run backwards.
            refused.append("wake_in_the_past")
        elif isinstance(said, WakeAt):
            heapq.heappush(self._wakes, (said.ts, self._strategies.index(strategy)))
            self.wake_at = self._wakes[0][0]
        elif said.strategy != strategy.id:
            refused.append("signal_of_another_strategy")
        elif said.symbol not in strategy.symbols:
            refused.append("signal_for_unknown_symbol")
        # A NaN fails every comparison.
        elif not (-1.0 <= said.direction <= 1.0 and 0.0 <= said.confidence <= 1.0):
            refused.append("signal_out_of_range")
        else:
            self._n += 1
            signal = Signal(
                said.symbol,
                said.strategy,
                float(said.direction),
                float(said.confidence),
                ts,
                f"s{self._epoch}-{self._seq}-{self._n}",
                event.id if isinstance(event, Fill) else f"{self._epoch}-{self._seq}",
            )
            self._in_force[signal.symbol][signal.strategy] = signal
            signals.append(signal)

    def _decide(self, signals: list[Signal], refused: tuple[str, ...], ts: int) -> Upto | None:
        if self.warming:
            return None
        targets: list[Target] = []
        if signals:
            try:
                shares = self._allocator.decide(Portfolio(signals, self._in_force, self.positions))
                for symbol, parts in _shares(self._allocator, shares).items():
                    target = self._target(symbol, parts, ts, signals)
                    if target is not None:
                        targets.append(target)
            except Exception as error:
                raise ComponentError(f"allocator {self._allocator.name} failed on {signals}: {told(error)}") from error
        return Upto(self._seq, tuple(signals), tuple(targets), refused)

    def _target(self, symbol: str, parts: Mapping[str, float], ts: int, signals: Sequence[Signal]) -> Target | None:
        """Make the Target of a symbol; None when it is the one that was sent last."""
        if symbol not in self._in_force:
            raise ValueError(f"{symbol} is not an instrument of the recipe")
        shares = tuple([Share(name, _nine_decimals(parts[name])) for name in self._order if name in parts])
        if len(shares) != len(parts):
            raise ValueError(f"{set(parts) - set(self._order)} are no strategies of the recipe")
        value = shares[0].value if len(shares) == 1 else _nine_decimals(math.fsum(parts.values()))
        if not -1 <= value <= 1:
            raise ValueError(f"{symbol} has a Target of {value}; it must be in [-1, 1]")
        last = self._sent.get(symbol)
        if last is not None and last.value == value and last.shares == shares:
            return None
        self._n += 1
        cause = signals[-1]
        if cause.symbol != symbol:
            cause = next((signal for signal in reversed(signals) if signal.symbol == symbol), cause)
        target = Target(symbol, value, shares, ts, f"t{self._epoch}-{self._seq}-{self._n}", cause.id)
        self._sent[symbol] = target
        return target


def _items(handle: Any, said: object) -> Iterator[Signal | WakeAt]:
    for item in said if isinstance(said, Iterable) else (said,):
        if not isinstance(item, Signal | WakeAt):
            wanted = "a signal, a WakeAt, several of these, or None"
            raise TypeError(f"{handle.__name__} must give {wanted}, was {shown(said)}{defined(handle)}")
        yield item


def _shares(allocator: Allocator[Any], said: Any) -> Mapping[str, Mapping[str, float]]:
    sound = isinstance(said, Mapping) and all(isinstance(parts, Mapping) for parts in said.values())
    if not (sound and all(isinstance(share, int | float) for parts in said.values() for share in parts.values())):
        wanted = "numbers by symbol and strategy, such as {symbol: {strategy: 0.5}}"
        raise TypeError(f"decide must give {wanted}, was {shown(said)}{defined(allocator.decide)}")
    shares: Mapping[str, Mapping[str, float]] = said
    return shares


def _failure(handle: Any, event: Any, error: Exception) -> ComponentError:
    return ComponentError(f"strategy {_strategy_of(handle).id} failed on {event}: {told(error)}")


def _strategy_of(handle: Any) -> Strategy[Any]:
    strategy: Strategy[Any] = handle.__self__
    return strategy


@functools.lru_cache(4096, typed=True)
def _nine_decimals(value: float) -> Decimal:
    """Round half-even to 9 decimals."""
    rounded = round(value, 9)
    return Decimal(repr(rounded)) if rounded else Decimal(0)

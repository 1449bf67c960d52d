"""The wiring of a recipe: who must deliver what, so that everybody gets what they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from quantmind.kinds import TRADES, Channel, Needs, bars
from quantmind.kinds.options import format_duration
from quantmind.market.bars import Built
from quantmind.market.instruments import Instrument
from quantmind.recipe.answers import UnansweredError, asked
from quantmind.recipe.model import Recipe, Spec
from quantmind.recipe.problems import ENOUGH, Mark, Problem, RecipeProblems

MOST = 15_000
"""Channels of symbols that all components together may ask for; feeds are asked for as many."""

_MOST_FEEDS = 3
"""Feeds whose offers are told when something is missing."""


class Wiring(msgspec.Struct, frozen=True):
    """Which channels flow from which feed, which bars are built, and what is asked for beside them."""

    wanted: tuple[Mapping[str, frozenset[Channel]], ...]
    """For each feed, in the order of the recipe, the channels it must deliver by symbol."""
    built: tuple[Built, ...]
    """The bars to build, by interval and then by the order of symbols in the recipe."""
    channels: Mapping[str, frozenset[Channel]]
    """Everything that is published of each symbol."""
    history: Mapping[tuple[str, Channel], int]
    """How many events of a symbol's channel are wanted before the first live one, where any are."""
    rule_history: Mapping[tuple[str, Channel], int]
    """Of those, what risk rules want."""
    fills: bool
    positions: bool


class Fault(msgspec.Struct, frozen=True):
    """Something that cannot be wired, and the path of who asked for it."""

    path: str
    message: str
    lacks: bool = False
    """Whether somebody needs what no feed offers: then feeds may be as wrong as who needs it."""


def wire(recipe: Recipe) -> Wiring:
    """Wire a recipe.

    Raises:
        RecipeProblems: somebody needs what no feed offers; everybody who does.
    """
    rules = (*recipe.sizing, *recipe.protection, *recipe.limits)
    plan = survey(recipe.instruments, recipe.feeds, recipe.strategies, recipe.allocator, rules, recipe.executor)
    if plan.faults:
        raise RecipeProblems(
            Problem(
                _mark(recipe.origins.marks, fault.path), fault.path, recipe.origins.discreet(fault.path, fault.message)
            )
            for fault in plan.faults
        )
    return plan.wiring()


def survey(
    instruments: Sequence[Instrument],
    feeds: Sequence[Spec],
    strategies: Sequence[Spec],
    allocator: Spec | None,
    rules: Sequence[Spec],
    executor: Spec | None,
) -> Plan:
    """Wire what is there of a recipe, and note what cannot be wired."""
    if len(feeds) * len(instruments) > MOST:
        message = f"{len(feeds)} feeds of {len(instruments)} instruments are too many: write several recipes"
        plan = Plan([], ())
        plan.faults.append(Fault("feeds", message))
        return plan
    plan = Plan([instrument.symbol for instrument in instruments], feeds)
    for spec in strategies:
        before = len(plan.faults)
        plan.listen(needs := plan.need(spec))
        if not needs.channels and len(plan.faults) == before:
            plan.idle.append(spec)
    if allocator is not None:
        plan.listen(plan.need(allocator))
        ids = {symbol: [spec.id for spec in strategies] for symbol in plan.symbols}
        plan.faults += [Fault(allocator.path, message) for message in plan.ask(allocator, "check", ids) or ()]
    for spec in rules:
        # The Trader tells its rules every fact: what they ask for of these is nothing to wait for.
        plan.need(spec, rule=True)
    if executor is not None:
        plan.serve(executor)
    return plan


def _mark(marks: Mapping[str, Mark], path: str) -> Mark | None:
    """Return the place of a component, else that of the list entry or section it stands in."""
    for at in (path, path.rpartition(".")[0], path.partition("[")[0]):
        if at in marks:
            return marks[at]
    return None


class Plan:
    """Collects needs, and finds a feed for each: what is wanted of every feed, and what cannot be had."""

    def __init__(self, symbols: Sequence[str], feeds: Sequence[Spec]) -> None:
        self.symbols = symbols
        self.faults: list[Fault] = []
        self.idle: list[Spec] = []
        """The strategies that need nothing of the market."""
        self.wanted: list[dict[str, set[Channel]]] = [{} for _ in feeds]
        self._feeds = feeds
        self._asked = 0
        self._built: dict[int, dict[str, Channel]] = {}
        """What bars of an interval are built from, by symbol."""
        self._history: dict[Channel, int] = {}
        """How many events are wanted before the first live one: of every symbol as many."""
        self._rule_history: dict[Channel, int] = {}
        self._fills = self._positions = False
        self._offers: list[Mapping[str, frozenset[Channel]]] = [
            self.ask(spec, "offers", symbols) or {} for spec in feeds
        ]
        self._offered = {
            symbol: frozenset().union(*(offer.get(symbol, ()) for offer in self._offers)) for symbol in symbols
        }
        self._first: dict[tuple[str, Channel], int] = {}
        for number, offer in enumerate(self._offers):
            for symbol in symbols:
                for channel in offer.get(symbol, ()):
                    self._first.setdefault((symbol, channel), number)
        self._check_feeds()

    def _check_feeds(self) -> None:
        first_of: dict[bool | None, Spec] = {}
        for spec in self._feeds:
            first_of.setdefault(self.ask(spec, "runs_live"), spec)
        if True in first_of and False in first_of:
            first, other = first_of[False], first_of[True]
            self.faults.append(
                Fault(first.path, f"is replayed, but {other.path} is live: their times differ, so leave one out")
            )
        if any(fault.path.startswith("feeds") for fault in self.faults):
            return
        for index, symbol in enumerate(self.symbols):
            if not self._offered[symbol]:
                self.faults.append(
                    Fault(
                        f"instruments[{index}]",
                        f"no feed offers anything of {symbol}: leave it out, or add a feed of it",
                    )
                )

    def ask(self, spec: Spec, what: str, *given: object) -> Any:
        """Ask a component; one that gives no answer is a fault of the recipe like any other, and gives None."""
        try:
            return asked(spec, what, *given)
        except UnansweredError as error:
            self.faults.append(Fault(spec.path, str(error)))
            return None

    def listen(self, needs: Needs) -> None:
        """Note which facts the Decider waits for."""
        self._fills |= needs.fills
        self._positions |= needs.positions

    def need(self, spec: Spec, *, rule: bool = False) -> Needs:
        """Wire what a strategy, the allocator or a risk rule needs of every symbol."""
        needs: Needs = self.ask(spec, "needs") or Needs()
        self._asked += len(needs.channels) * len(self.symbols)
        if self._asked > MOST:
            if self._asked - len(needs.channels) * len(self.symbols) <= MOST:
                message = f"with it more than {MOST} channels of symbols are needed: write several recipes"
                self.faults.append(Fault(spec.path, message))
            return needs
        for channel in needs.channels:
            for symbol in self.symbols:
                self._route(spec, symbol, channel)
            if needs.history:
                for history in (self._history, self._rule_history) if rule else (self._history,):
                    history[channel] = max(history.get(channel, 0), needs.history)
        return needs

    def serve(self, executor: Spec) -> None:
        """Wire what the executor chooses of what is offered."""
        for symbol in self.symbols:
            if offered := self._offered[symbol]:
                for channel in sorted(self.ask(executor, "wants", offered) or ()):
                    self._route(executor, symbol, channel)

    def wiring(self) -> Wiring:
        """Return what was wired."""
        built = tuple(
            Built(symbol, interval, sources[symbol])
            for interval, sources in sorted(self._built.items())
            for symbol in self.symbols
            if symbol in sources
        )
        channels: dict[str, set[Channel]] = {symbol: set() for symbol in self.symbols}
        for of in self.wanted:
            for symbol, several in of.items():
                channels[symbol] |= several
        for bar in built:
            channels[bar.symbol].add(bars(bar.interval))
        return Wiring(
            wanted=tuple(
                {symbol: frozenset(of[symbol]) for symbol in self.symbols if symbol in of} for of in self.wanted
            ),
            built=built,
            channels={symbol: frozenset(several) for symbol, several in channels.items()},
            history=self._of_each(self._history),
            rule_history=self._of_each(self._rule_history),
            fills=self._fills,
            positions=self._positions,
        )

    def _of_each(self, history: Mapping[Channel, int]) -> dict[tuple[str, Channel], int]:
        return {(symbol, channel): count for channel, count in history.items() for symbol in self.symbols}

    def _route(self, spec: Spec, symbol: str, channel: Channel) -> None:
        if self._take(symbol, channel) or not self._offered[symbol]:
            return
        if channel.kind == "bar":
            source = self._source(symbol, channel.interval)
            if source is not None:
                self._take(symbol, source)
                self._built.setdefault(channel.interval, {})[symbol] = source
                return
        if len(self.faults) >= ENOUGH:
            return
        sources = " or what they could be built from" if channel.kind == "bar" else ""
        offers = [
            f"{feed.path} offers {', '.join(str(offered) for offered in sorted(offer[symbol]))}"
            for feed, offer in zip(self._feeds, self._offers, strict=True)
            if offer.get(symbol)
        ]
        if len(offers) > _MOST_FEEDS:
            offers[_MOST_FEEDS:] = [f"{len(offers) - _MOST_FEEDS} more feeds"]
        shortest = min((each.interval for each in self._offered[symbol] if each.kind == "bar"), default=0)
        if channel.kind == "bar" and shortest:
            offers.append(f"bars of a multiple of {format_duration(shortest)} can be built")
        message = f"needs {channel} of {symbol}, but no feed offers them{sources}; {'; '.join(offers)}"
        self.faults.append(Fault(spec.path, message, lacks=True))

    def _take(self, symbol: str, channel: Channel) -> bool:
        """Want a channel of the first feed that offers it, if any does."""
        number = self._first.get((symbol, channel))
        if number is None:
            return False
        self.wanted[number].setdefault(symbol, set()).add(channel)
        return True

    def _source(self, symbol: str, interval: int) -> Channel | None:
        """Return what bars of an interval can be built from: trades, else the longest bar that divides it."""
        if TRADES in self._offered[symbol]:
            return TRADES
        shorter = [
            channel
            for channel in self._offered[symbol]
            if channel.kind == "bar" and channel.interval < interval and interval % channel.interval == 0
        ]
        return max(shorter, key=lambda channel: channel.interval, default=None)

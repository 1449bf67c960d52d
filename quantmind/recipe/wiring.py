"""The wiring of a recipe: who must deliver what, so that everybody gets what they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import msgspec

from quantmind.kinds import TRADES, Channel, Feed, Needs, bars
from quantmind.kinds.options import format_duration
from quantmind.market.bars import Built
from quantmind.market.instruments import Instrument
from quantmind.recipe.model import Recipe, Spec
from quantmind.recipe.problems import ENOUGH, Mark, Problem, RecipeProblems

T = TypeVar("T")

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
        component: Any = allocator.component
        nothing: Sequence[str] = ()
        wrong = plan.ask(allocator, "check", lambda: component.check(allocator.options, ids), nothing)
        plan.faults += [Fault(allocator.path, message) for message in wrong]
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
        self._built: dict[tuple[str, int], Built] = {}
        self._history: dict[tuple[str, Channel], int] = {}
        self._rule_history: dict[tuple[str, Channel], int] = {}
        self._fills = self._positions = False
        nothing: Mapping[str, frozenset[Channel]] = {}
        self._offers = [
            self.ask(spec, "offers", lambda spec=spec: spec.component.offers(spec.options, symbols), nothing)  # type: ignore[misc] # bound at once
            for spec in feeds
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
        live = {_runs_live(spec) for spec in self._feeds}
        if len(live) > 1:
            first, other = (next(spec for spec in self._feeds if _runs_live(spec) is runs) for runs in (False, True))
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

    def ask(self, spec: Spec, what: str, question: Callable[[], T], otherwise: T) -> T:
        """Ask a component; one that raises is a fault of the recipe like any other."""
        try:
            return question()
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything
            text = f"its {what} cannot be told: {type(error).__name__}: {error}".rstrip(": ")
            self.faults.append(Fault(spec.path, f"{text}; a fault of its plugin, or of its options"))
            return otherwise

    def listen(self, needs: Needs) -> None:
        """Note which facts the Decider waits for."""
        self._fills |= needs.fills
        self._positions |= needs.positions

    def need(self, spec: Spec, *, rule: bool = False) -> Needs:
        """Wire what a strategy, the allocator or a risk rule needs of every symbol."""
        component: Any = spec.component
        needs = self.ask(spec, "needs", lambda: _sound(component.needs(spec.options)), Needs())
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
                    key = symbol, channel
                    for history in (self._history, self._rule_history) if rule else (self._history,):
                        history[key] = max(history.get(key, 0), needs.history)
        return needs

    def serve(self, executor: Spec) -> None:
        """Wire what the executor chooses of what is offered."""
        component: Any = executor.component
        nothing: frozenset[Channel] = frozenset()
        for symbol in self.symbols:
            offered = self._offered[symbol]
            if not offered:
                continue
            for channel in sorted(
                self.ask(executor, "wants", lambda: component.wants(executor.options, offered), nothing)  # noqa: B023 - called at once
            ):
                self._route(executor, symbol, channel)

    def wiring(self) -> Wiring:
        """Return what was wired."""
        order = {symbol: index for index, symbol in enumerate(self.symbols)}
        built = sorted(self._built.values(), key=lambda bar: (bar.interval, order[bar.symbol]))
        channels: dict[str, set[Channel]] = {symbol: set() for symbol in self.symbols}
        for of in self.wanted:
            for symbol, several in of.items():
                channels[symbol] |= several
        for bar in built:
            channels[bar.symbol].add(bars(bar.interval))
        wanted = tuple({symbol: frozenset(of[symbol]) for symbol in self.symbols if symbol in of} for of in self.wanted)
        published = {symbol: frozenset(several) for symbol, several in channels.items()}
        return Wiring(wanted, tuple(built), published, self._history, self._rule_history, self._fills, self._positions)

    def _route(self, spec: Spec, symbol: str, channel: Channel) -> None:
        if self._take(symbol, channel) or not self._offered[symbol]:
            return
        if channel.kind == "bar":
            source = self._source(symbol, channel.interval)
            if source is not None:
                self._take(symbol, source)
                self._built[symbol, channel.interval] = Built(symbol, channel.interval, source)
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
        self.faults.append(Fault(spec.path, message))

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


def _sound(needs: object) -> Needs:
    """Return what a component needs, if it is that.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(needs, Needs):
        channels: object = needs.channels
        if isinstance(channels, Sequence) and all(isinstance(channel, Channel) for channel in channels):
            return needs
    raise TypeError(f"it must be Needs((CHANNEL, ...)), was {needs!r}")


def _runs_live(spec: Spec) -> bool:
    kind = cast("type[Feed[Any]]", spec.component)
    return kind.runs_live(spec.options)

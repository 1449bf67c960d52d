"""Draws the graph of a recipe from its wiring; opens nothing."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from quantmind.events.market import CHANNELS
from quantmind.events.names import EVENT_NAMES
from quantmind.graph.model import Carried, Flow, Graph, Node, Role, in_order
from quantmind.kinds import Channel, Needs, Run, bars
from quantmind.kinds.options import format_duration
from quantmind.kinds.transport import STAGES
from quantmind.recipe.entry import Entry
from quantmind.recipe.model import Recipe, Spec
from quantmind.recipe.wiring import Wiring, wire

_STAGE: Mapping[Role, str] = {
    "feed": "feed",
    "bars": "feed",
    "strategy": "strategy",
    "allocator": "strategy",
    "sizing": "execution",
    "protection": "execution",
    "limit": "execution",
    "trader": "execution",
    "executor": "execution",
    "sink": "sink",
}
_RULES: Mapping[Role, str] = {"sizing": "budgets", "protection": "stops", "limit": "verdicts"}
"""What the Trader asks each rule for."""

_WORDS = {"target": "Targets", "latch": "latches", "funding": "funding"}
"""Events that a sink takes, where the plural is none with an s."""


def draw(recipe: Recipe) -> Graph:
    """Draw a recipe.

    Raises:
        RecipeProblems: it cannot be wired.
    """
    return _Drawing(recipe, wire(recipe)).graph()


class _Drawing:
    """Collects nodes, and flows between them by symbol."""

    def __init__(self, recipe: Recipe, wiring: Wiring) -> None:
        self._recipe = recipe
        self._wiring = wiring
        self._symbols = tuple(instrument.symbol for instrument in recipe.instruments)
        self._nodes: dict[str, Node] = {}
        self._flows: dict[tuple[str, str, bool], dict[Channel | str, set[str]]] = {}
        self._sources: dict[tuple[str, Channel], str] = {}
        """Which node gives a channel of a symbol."""

    def graph(self) -> Graph:
        recipe = self._recipe
        self._feeds()
        strategies = [self._node("strategy", spec) for spec in recipe.strategies]
        allocator = self._node("allocator", recipe.allocator)
        for spec, key in zip((*recipe.strategies, recipe.allocator), (*strategies, allocator), strict=True):
            self._needs(spec, key)
        for key in strategies:
            self._flow(key, allocator, "signals")
        self._execution(allocator, [*zip(recipe.strategies, strategies, strict=True), (recipe.allocator, allocator)])
        for spec in recipe.sinks:
            self._sink(spec, strategies, allocator)
        return Graph(
            name=recipe.name,
            symbols=self._symbols,
            transport=recipe.transport.component.name if recipe.transport else "",
            stages=tuple(stage for stage in STAGES if any(node.stage == stage for node in self._nodes.values())),
            nodes=tuple(self._nodes.values()),
            flows=tuple(self._carried(*key, what) for key, what in self._flows.items()),
        )

    def _feeds(self) -> None:
        for spec, wanted in zip(self._recipe.feeds, self._wiring.wanted, strict=True):
            key = self._node("feed", spec)
            for symbol, channels in wanted.items():
                for channel in channels:
                    self._sources.setdefault((symbol, channel), key)
        built: dict[tuple[int, Channel], str] = {}
        for bar in self._wiring.built:
            of = bar.interval, bar.source
            if of not in built:
                name = f"bars of {format_duration(bar.interval)}"
                built[of] = self._node("bars", None, name=name, note=f"built from {bar.source}")
            self._flow(self._sources[bar.symbol, bar.source], built[of], bar.source, bar.symbol)
        for bar in self._wiring.built:
            self._sources[bar.symbol, bars(bar.interval)] = built[bar.interval, bar.source]

    def _execution(self, allocator: str, asking: Iterable[tuple[Spec, str]]) -> None:
        recipe = self._recipe
        rules: Mapping[Role, tuple[Spec, ...]] = {
            "sizing": recipe.sizing,
            "protection": recipe.protection,
            "limit": recipe.limits,
        }
        asked = [(role, spec, self._node(role, spec)) for role, specs in rules.items() for spec in specs]
        trader = self._node("trader", None, name="Trader", note=_entry(recipe.entry))
        executor = self._node("executor", recipe.executor)
        self._flow(allocator, trader, "Targets")
        for role, spec, key in asked:
            self._needs(spec, key)
            self._flow(key, trader, _RULES[role])
        kind: Any = recipe.executor.component
        offers = self._offers()
        for symbol in self._symbols:
            offered = frozenset[Channel]().union(*(offer.get(symbol, ()) for offer in offers))
            for channel in kind.wants(recipe.executor.options, offered):
                self._take(symbol, channel, executor)
        self._flow(trader, executor, "orders")
        self._flow(executor, trader, "order events")
        for spec, key in asking:
            needs = _needs(spec)
            for what, wanted in (("fills", needs.fills), ("positions", needs.positions)):
                if wanted:
                    self._flow(trader, key, what)

    def _offers(self) -> list[Mapping[str, frozenset[Channel]]]:
        """Return what each feed offers, by symbol."""
        return [
            spec.component.offers(spec.options, self._symbols)  # type: ignore[attr-defined] # it is a feed
            for spec in self._recipe.feeds
        ]

    def _sink(self, spec: Spec, strategies: Iterable[str], allocator: str) -> None:
        wanted = _wanted(spec)
        key = self._node("sink", spec, note="" if wanted is not None else "what it takes cannot be told")
        kinds = {CHANNELS[event] for event in wanted or () if event in CHANNELS}
        for symbol in self._symbols:
            for channel in self._wiring.channels[symbol]:
                if channel.kind in kinds:
                    self._take(symbol, channel, key)
        names = [name for event, name in EVENT_NAMES.items() if event in (wanted or ()) and event not in CHANNELS]
        for name in names:
            sources = strategies if name == "signal" else [allocator if name == "target" else "trader1"]
            for source in sources:
                self._flow(source, key, _WORDS.get(name, f"{name}s"))

    def _node(self, role: Role, spec: Spec | None, name: str = "", note: str = "") -> str:
        key = f"{role}{1 + sum(node.role == role for node in self._nodes.values())}"
        history = _needs(spec).history if spec and role not in {"feed", "executor", "sink"} else 0
        own = spec.id if spec and spec.id != spec.component.name else ""
        note = "from quantmind.yaml" if spec and spec.path.startswith("limits[") else note
        self._nodes[key] = Node(key, _STAGE[role], role, spec.component.name if spec else name, own, history, note)
        return key

    def _needs(self, spec: Spec, key: str) -> None:
        needs = _needs(spec)
        for symbol in self._symbols:
            for channel in needs.channels:
                self._take(symbol, channel, key)

    def _take(self, symbol: str, channel: Channel, key: str) -> None:
        if (source := self._sources.get((symbol, channel))) is not None:
            self._flow(source, key, channel, symbol)

    def _flow(self, source: str, target: str, what: Channel | str, symbol: str = "") -> None:
        symbols = self._flows.setdefault((source, target, bool(symbol)), {}).setdefault(what, set())
        symbols.update([symbol] if symbol else [])

    def _carried(self, source: str, target: str, market: bool, what: Mapping[Channel | str, set[str]]) -> Flow:
        carried = []
        for each, found in what.items():
            symbols = tuple(symbol for symbol in self._symbols if symbol in found)
            channel = each if isinstance(each, Channel) else None
            carried.append(Carried(str(each), () if symbols == self._symbols else symbols, channel))
        return Flow(source, target, in_order(carried), market)


def _needs(spec: Spec) -> Needs:
    kind: Any = spec.component
    needs: Needs = kind.needs(spec.options)
    return needs


def _wanted(spec: Spec) -> frozenset[type[Any]] | None:
    """Return the events that a sink wants; it is made, but not opened. None where it does not say."""
    kind: Any = spec.component
    try:
        wanted: frozenset[type[Any]] = kind(spec.options, Run("graph", Path(), io.StringIO())).events
    except Exception:  # noqa: BLE001 - a plugin may raise anything
        return None
    return wanted


def _entry(entry: Entry) -> str:
    limit = entry.limit
    if limit is None:
        return "enters at market"
    ticks = f"{limit.offset_ticks} tick{'' if limit.offset_ticks == 1 else 's'}"
    rest = "then at market" if limit.then == "market" else "then not at all"
    return f"enters at a limit, {ticks} from the best price, for {format_duration(limit.timeout)}, {rest}"

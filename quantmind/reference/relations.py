"""What a component needs of others and gives them, in words; asked of its pure functions only."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec

from quantmind.events.market import ChannelKind
from quantmind.events.names import EVENT_NAMES, EVENT_TYPES
from quantmind.kinds import (
    BOOKS,
    FUNDING,
    MARKS,
    QUOTES,
    TICKERS,
    TRADES,
    Archive,
    Channel,
    Component,
    Executor,
    Feed,
    Needs,
    Run,
    Sink,
    Strategy,
    Transport,
    bars,
)
from quantmind.kinds.options import format_duration
from quantmind.reference.snippet import reads_recordings

SYMBOL = "BTC/USDT:USDT"
UNTOLD = "depends on its options"

_EVERYTHING = frozenset({QUOTES, TRADES, BOOKS, MARKS, FUNDING, TICKERS, bars(60_000_000_000)})
_ORDER = {kind: index for index, kind in enumerate(get_args(ChannelKind))}
_CAPABILITIES = {
    "live": "trades at a venue: the recipe must have a protection rule that promises a stop, and a limit that caps the "
    "leverage",
    "protects": "promises a stop for every position: while it has no distance for one, nothing is increased",
    "caps_leverage": "caps the leverage, as a recipe that trades live must have it",
}


class Relation(msgspec.Struct, frozen=True):
    """One thing that is so with the options of the example: `needs`, and what."""

    word: str
    what: str


def relations(component: type[Component[Any]], options: Any) -> tuple[Relation, ...]:
    """Say what a component needs and gives with these options; with None, what does not depend on any."""
    told = []
    for word, question in _questions(component, options):
        try:
            what = question()
        except Exception:  # noqa: BLE001 - a plugin may raise anything
            what = UNTOLD
        if what:
            told.append(Relation(word, what))
    return tuple(told)


def capabilities(component: type[Component[Any]]) -> tuple[Relation, ...]:
    """Say what the capabilities of a component mean."""
    return tuple(Relation(each, _CAPABILITIES.get(each, "")) for each in sorted(component.capabilities))


def channels(offered: Collection[Channel]) -> str:
    """Write channels: `quotes, trades, bars of 1m, 5m`."""
    plain = sorted({each for each in offered if each.kind != "bar"}, key=lambda each: _ORDER[each.kind])
    intervals = sorted(each.interval for each in offered if each.kind == "bar")
    names = [str(each) for each in plain]
    if intervals:
        names.append(f"bars of {', '.join(map(format_duration, intervals))}")
    return ", ".join(names)


def _questions(component: Any, options: Any) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield what can be asked of a component of its kind."""
    if issubclass(component, Feed):
        yield "offers", lambda: channels(component.offers(options, [SYMBOL]).get(SYMBOL, ())) or f"nothing of {SYMBOL}"
        yield "runs", lambda: "live, never waited for" if component.runs_live(options) else "replayed, nothing dropped"
        yield "venue", lambda: component.venue(options)
    elif issubclass(component, Executor):
        yield "orders", lambda: "filled by the market data of the recipe" if component.simulated else "sent to a venue"
        yield "watches", lambda: channels(component.wants(options, _EVERYTHING)) or "nothing"
        yield "account", lambda: component.account(options)
    elif issubclass(component, Archive):
        # What is in a recording is known when it is read.
        recorded = reads_recordings(component)
        yield "has", lambda: "what was recorded" if recorded else _archived(component(options).channels(SYMBOL))
        yield "venue", lambda: component(options).venue
    elif issubclass(component, Sink):
        yield "takes", lambda: _events(component(options, _nowhere()).events)
    elif issubclass(component, Transport):
        kept = component.keep is not Transport.keep
        yield "keeps", lambda: "the last word of a stage, for those that join later" if kept else ""
    else:
        if issubclass(component, Strategy):
            yield "instances", lambda: "one for each symbol" if component.scope == "symbol" else "one for all symbols"
        yield "needs", lambda: _needs(component.needs(options))
    if any("servers" in vars(each) for each in component.__mro__ if each is not Component):
        yield "talks to", lambda: ", ".join(server.address for server in component.servers(options))


def _needs(needs: Needs) -> str:
    parts = [channels(needs.channels)] if needs.channels else []
    if needs.history and parts:
        of_each = " of each" if len(needs.channels) > 1 else ""
        parts[0] += f", {needs.history}{of_each} before the first"
    parts += ["fills"] if needs.fills else []
    parts += ["positions"] if needs.positions else []
    return "; ".join(parts)


def _archived(found: Collection[Channel] | None) -> str:
    return "what the venue tells when it is asked" if found is None else channels(found)


def _events(types: Collection[type[Any]]) -> str:
    named: list[str] = [name for name, type_ in EVENT_TYPES.items() if type_ in types]
    if len(named) == len(EVENT_TYPES):
        named = ["every event"]
    return ", ".join([*named, *sorted(type_.__name__.lower() for type_ in types if type_ not in EVENT_NAMES)])


def _nowhere() -> Run:
    """Return a run for a sink that is asked, and neither opened nor written to: its folder cannot be made."""
    return Run("example", Path(os.devnull) / "example", io.StringIO())

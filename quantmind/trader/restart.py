"""Restarts: what an account was, read back from its journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from quantmind.events import Fact, Fill, Funding, Transfer, Valuation
from quantmind.trader.desk import Desk, DeskState
from quantmind.trader.floor import Floor

AUTOCLOSE = "autoclose-"
"""What the names of the venue's own orders begin with."""
RESET = "reset"
"""The state that names, as a JSON list, the latches that were cleared while nothing ran."""

_decode = msgspec.json.Decoder(dict[str, DeskState]).decode
_encode = msgspec.json.Encoder(decimal_format="string").encode
_decode_names = msgspec.json.Decoder(list[str]).decode


class Restored(msgspec.Struct):
    """What the Trader itself must know again."""

    moved: bool = False
    """Whether the account has changed since it was valued last."""
    valued: int = 0
    """When it was valued last, ns UTC."""
    settled: set[tuple[str, str]] = set()
    """The settlements of funding and the liquidations that were booked: symbol and execution."""
    told: int = 0
    """The time of the last fact, ns UTC."""


def restore(floor: Floor) -> Restored:
    """Give desks, account, latches and rules back what the journal has of them.

    Raises:
        QuantMindError: the journal is damaged.
    """
    with floor.journal.readable():
        return _restored(floor)


def _restored(floor: Floor) -> Restored:
    journal = floor.journal
    states = journal.states()
    floor.rules.load(states)
    if "books" in states:
        floor.books.restore(states["books"])
    restored = Restored()
    for _, fact in journal.facts():
        restored.told = fact.ts
        _book(floor, fact, restored)
        floor.rules.hear(fact)
    for latch in journal.latches().values():
        floor.latches.take(latch)
    floor.gate.latch = floor.latches.refusing
    for target in journal.targets():
        floor.desk(target.symbol).target = target
    for symbol, state in _decode(states.get("desks", "{}")).items():
        floor.desk(symbol).restore(state)
    anew = floor.chronicle.seq == 0
    for order in journal.open_orders():
        desk = floor.desk(order.symbol)
        if anew:
            order.after = order.matched = order.cancel_after = order.moved_after = 0
        floor.keep(desk, order)
        desk.stale = desk.stale or desk.cancelling() or desk.closing()
        if not order.acknowledged:
            floor.unanswered.add(order.id)
    for desk in floor.desks.values():
        _guarded(floor, desk, restored, anew)
    floor.books.settle()
    floor.unvalued = True
    floor.resets = cleared(states)
    # What a latch refused is wanted still.
    floor.unpriced.update(symbol for symbol, desk in floor.desks.items() if floor.resets and desk.target is not None)
    return restored


def _guarded(floor: Floor, desk: Desk, restored: Restored, anew: bool) -> None:
    if floor.rules.guards:
        # What was held before there was a rule is guarded from now on.
        desk.watch(None, restored.told, 0)
    for guard in desk.guards.values() if anew else ():
        guard.after = 0
    if anew and desk.stale:
        floor.unpriced.add(desk.instrument.symbol)


def cleared(states: Mapping[str, str]) -> list[str]:
    """Return which latches were cleared while nothing ran, as far as nothing has run since."""
    return _decode_names(states.get(RESET, "[]"))


def cleared_state(names: Iterable[str]) -> dict[str, str]:
    """Return the state that says which latches were cleared while nothing ran."""
    return {RESET: _encode(list(names)).decode()}


def valued(floor: Floor) -> bool:
    """Say whether everything that is held has a price again; then limits that were reset meanwhile begin anew."""
    if any(desk.value_price is None for desk in floor.desks.values() if desk.position.quantity):
        return False
    for name in floor.resets:
        floor.rules.reset(name, floor.books)
    floor.resets = []
    floor.unvalued = False
    return True


def _book(floor: Floor, fact: Fact, restored: Restored) -> None:
    if isinstance(fact, Fill | Transfer | Funding):
        desk = floor.desk(fact.symbol)
        desk.subs.book(fact)
        desk.shared = len(desk.subs.positions) > 1
    if isinstance(fact, Fill):
        signed = fact.quantity if fact.side == "buy" else -fact.quantity
        floor.account.fill(fact.symbol, signed, fact.price, fact.fee)
        if fact.order.startswith(AUTOCLOSE):
            restored.settled.add((fact.symbol, fact.execution))
        restored.moved = True
    elif isinstance(fact, Funding):
        floor.account.fund(fact.symbol, fact.amount)
        restored.settled.add((fact.symbol, fact.execution))
        restored.moved = True
    elif isinstance(fact, Valuation):
        restored.moved = False
        restored.valued = fact.ts


def states(floor: Floor) -> dict[str, str]:
    """Return what no fact tells of the desks and of limits that were reset, as `restore` reads it."""
    kept = {
        symbol: desk.state()
        for symbol, desk in floor.desks.items()
        if desk.desired or desk.guards or desk.blocked or desk.stale or desk.held_up
    }
    return {"desks": _encode(kept).decode(), "books": floor.books.state(), **cleared_state(floor.resets)}

"""Restarts: what an account was, read back from its journal."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from quantmind.events import Fact, Fill, Funding, Transfer, Valuation
from quantmind.trader.desk import Desk, DeskState
from quantmind.trader.floor import Floor

_decode = msgspec.json.Decoder(dict[str, DeskState]).decode
_encode = msgspec.json.Encoder(decimal_format="string").encode


class Restored(msgspec.Struct):
    """What the Trader itself must know again."""

    moved: bool = False
    """Whether the account has changed since it was valued last."""
    funded: dict[str, str] = {}
    """The last settlement of funding by symbol."""


def restore(floor: Floor) -> Restored:
    """Give desks, account, latches and rules back what the journal has of them."""
    journal = floor.journal
    states = journal.states()
    floor.rules.load(states)
    restored = Restored()
    for _, fact in journal.facts():
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
            order.after = 0
        floor.keep(desk, order)
        desk.stale = desk.cancelling()
        if not order.acknowledged:
            floor.unanswered.add(order.id)
    for desk in floor.desks.values():
        for guard in desk.guards.values() if anew else ():
            guard.after = 0
    floor.books.settle()
    return restored


def _book(floor: Floor, fact: Fact, restored: Restored) -> None:
    if isinstance(fact, Fill | Transfer | Funding):
        floor.desk(fact.symbol).subs.book(fact)
    if isinstance(fact, Fill):
        signed = fact.quantity if fact.side == "buy" else -fact.quantity
        floor.account.fill(fact.symbol, signed, fact.price, fact.fee)
        restored.moved = True
    elif isinstance(fact, Funding):
        floor.account.fund(fact.symbol, fact.amount)
        restored.funded[fact.symbol] = fact.execution
        restored.moved = True
    elif isinstance(fact, Valuation):
        restored.moved = False


def states(desks: Mapping[str, Desk]) -> dict[str, str]:
    """Return what of the desks no fact tells, as `restore` reads it."""
    kept = {
        symbol: desk.state() for symbol, desk in desks.items() if desk.position.quantity or desk.guards or desk.blocked
    }
    return {"desks": _encode(kept).decode()}

"""The outcome of a run, by the keys that recipe tests expect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, get_args

import msgspec

from quantmind.events import (
    Fact,
    Fill,
    Funding,
    Latch,
    OrderUpdate,
    Part,
    Refusal,
    Signal,
    Target,
    Transfer,
)
from quantmind.ledger.statement import statement
from quantmind.pipeline.summary import Summary
from quantmind.recipe.expect import AFTER, Came, Line
from quantmind.recipe.expectations import LISTS

SEEN: frozenset[type[Any]] = frozenset({Signal, Target, *get_args(Fact)})
"""The events that an outcome is made of."""

_PROTECTIVE = ("stop", "take_profit")
_STOP = (AFTER, "symbol", "side", "trigger", "first_trigger", "quantity", "filled", "state", "reason")
_ORDER = ("symbol", "side", "quantity", "purpose", "reduce_only", "filled", "price", "trigger")


def came(events: Sequence[Any], summary: Summary, start: int) -> Came:
    """Return what came of a run that began at `start` (ns): its events in order, and its figures at the end."""
    outcome = _Outcome(start)
    for event in events:
        outcome.take(event)
    outcome.protective()
    account = {"equity": summary.equity, "pnl": summary.pnl, "fees": summary.fees, "drawdown": summary.drawdown}
    figures: dict[str, dict[Line, Any]] = {key: {("", ""): figure} for key, figure in account.items()}
    figures["position"] = outcome.positions
    facts = [event for event in events if isinstance(event, Fact)]
    told = statement(summary.equity - summary.pnl, facts)
    for row in (*told.strategies, *told.symbols):
        line = (row.symbol or "", row.strategy or "")
        figures["pnl"][line], figures["fees"][line] = row.pnl, row.fees
    return Came(outcome.lists, figures)


class _Outcome:
    """Gathers events by the keys of an expectation."""

    def __init__(self, start: int) -> None:
        self._start = start
        self.lists: dict[str, list[dict[str, Any]]] = {key: [] for key in LISTS}
        self.positions: dict[Line, Decimal] = {}
        self._orders: dict[str, dict[str, Any]] = {}
        self._entries: dict[str, list[dict[str, Any]]] = {}
        """The orders that a symbol's position was opened and increased by."""

    def protective(self) -> None:
        """List the protective orders, as they are at the end."""
        for key, purpose in (("stops", "stop"), ("take_profits", "take_profit")):
            for record in self.lists["orders"]:
                if record["purpose"] == purpose:
                    self.lists[key].append({name: record[name] for name in _STOP})

    def take(self, event: Any) -> None:
        if isinstance(event, OrderUpdate):
            self._order(event)
        elif isinstance(event, Fill):
            self._fill(event)
        elif isinstance(event, Transfer):
            self._share(event.symbol, event.parts)
            self._add("transfers", event, "symbol", "price")
        elif isinstance(event, Signal):
            self._add("signals", event, "strategy", "symbol", "direction", "confidence")
        elif isinstance(event, Target):
            self._add("targets", event, "symbol", "value")
        elif isinstance(event, Refusal):
            self._add("refusals", event, "code", "symbol", "side", "quantity", "figures")
        elif isinstance(event, Funding):
            self._add("funding", event, "symbol", "amount", "rate", "mark")
        elif isinstance(event, Latch):
            self._add("latches", event, "name", "level", "figures")

    def _add(self, key: str, event: msgspec.Struct, *names: str) -> None:
        self.lists[key].append({AFTER: self._after(event), **{name: getattr(event, name) for name in names}})

    def _after(self, event: Any) -> int:
        return int(event.ts) - self._start

    def _order(self, update: OrderUpdate) -> None:
        record = self._orders.get(update.order)
        if record is None:
            record = self._orders[update.order] = dict.fromkeys((*_ORDER, "type", "state", "reason"))
            record |= {AFTER: self._after(update), "first_trigger": update.trigger, "stop": [], "take_profit": []}
            self.lists["orders"].append(record)
        for name in _ORDER:
            record[name] = getattr(update, name)
        record |= {"type": update.order_type, "state": update.state.value, "reason": update.reason or None}
        if update.purpose in _PROTECTIVE and update.trigger is not None:
            for entry in self._entries.get(update.symbol, ()):
                triggers = entry[update.purpose]
                if entry["side"] != update.side and update.trigger not in triggers:
                    triggers.append(update.trigger)

    def _fill(self, fill: Fill) -> None:
        record = self._orders.get(fill.order, {})
        self._add("fills", fill, "symbol", "side", "quantity", "price", "fee", "realised", "position")
        self.lists["fills"][-1] |= {
            "average_price": fill.average_price,
            "purpose": record.get("purpose"),
            "maker": fill.maker,
        }
        self.positions[fill.symbol, ""] = fill.position
        self._share(fill.symbol, fill.parts)
        side = {True: "buy", False: "sell"}[fill.position > 0] if fill.position else ""
        entries = [entry for entry in self._entries.get(fill.symbol, ()) if entry["side"] == side]
        if record and fill.side == side and all(record is not entry for entry in entries):
            entries.append(record)
        self._entries[fill.symbol] = entries

    def _share(self, symbol: str, parts: Iterable[Part]) -> None:
        for part in parts:
            line = (symbol, part.strategy)
            self.positions[line] = self.positions.get(line, Decimal(0)) + part.quantity

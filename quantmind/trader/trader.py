"""The Trader: Targets, market events and order events in, approved commands and facts out.

It does no I/O but through the journal, reads no clock and draws no random number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from quantmind.errors import QuantMindError
from quantmind.events import (
    Absent,
    Accepted,
    Cancelled,
    Executed,
    Market,
    OrderEvent,
    OrderState,
    Query,
    Rejected,
    Side,
    Target,
    Upto,
)
from quantmind.kinds.sizing import Sizing, SizingRule
from quantmind.ledger.accounts import Account
from quantmind.market.instruments import Instrument
from quantmind.trader.budget import Budget
from quantmind.trader.chronicle import Chronicle
from quantmind.trader.desk import Desk
from quantmind.trader.gate import Approved, Gate, Intent
from quantmind.trader.journal import Journal
from quantmind.trader.orders import Order

_ZERO = Decimal(0)


class Trader:
    """Turns Targets into vetted orders, and what becomes of them into facts.

    Its state is the journal's: a Trader made on a journal goes on where that one ends, or with `new_epoch` at the
    start of a feed that numbers its events anew. It trades when it is `ready`: after a restart every order in
    flight has been asked for first.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        sizing: Sequence[SizingRule[Any]],
        gate: Gate,
        journal: Journal,
        no_trade_band: Decimal,
        new_epoch: bool = False,
    ) -> None:
        self.gate = gate
        self.account = Account(Decimal(journal.balance), [i.symbol for i in instruments])
        self.chronicle = Chronicle(journal, new_epoch)
        self._arrived = self._now = 0
        self.unpriced: set[str] = set()
        """The symbols whose intent waits for a first price; the same object for ever."""
        self._budget = Budget(sizing)
        self._journal = journal
        self._band = no_trade_band
        self._desks = {
            instrument.symbol: Desk(index, instrument, self.account.positions[instrument.symbol])
            for index, instrument in enumerate(instruments)
        }
        self._orders: dict[str, Order] = {}
        self._unanswered: set[str] = set()
        if self.chronicle.resumed:
            self._restore()

    @property
    def came_in(self) -> int:
        """The last market event that came in: handled, or being matched before it is."""
        return max(self.chronicle.seq, self._arrived)

    @property
    def ready(self) -> bool:
        """Whether the fate of every order is known."""
        return not self._unanswered

    def _restore(self) -> None:
        journal = self._journal
        for fill in journal.fills():
            self._desk(fill.symbol)
            self._book(fill.symbol, fill.side, fill.quantity, fill.price, fill.fee)
        for target in journal.targets():
            self._desk(target.symbol).target = target
        for order in journal.open_orders():
            desk = self._desk(order.symbol)
            self._keep(desk, order)
            desk.stale = desk.cancelling()
            if not order.acknowledged:
                self._unanswered.add(order.id)
            if order.epoch != self.chronicle.epoch:
                order.after = 0
        self.gate.halted = journal.latches().get("halt", "")

    def in_flight(self) -> list[Query | Approved]:
        """Return, after a restart, what to ask and what to say again, in the order it was said first.

        A cancel does no harm when it is repeated; a submit might, so that order is asked for instead.
        """
        items: list[Query | Approved] = []
        for order in sorted(self._orders.values(), key=lambda order: order.trail[-1].number):
            if not order.acknowledged:
                items.append(Query(order.id, order.symbol))
            if order.state is OrderState.CANCELLING:
                items.append(self.gate.cancel(order, order.cancel_ts))
        return items

    def acknowledged(self) -> list[Order]:
        """Return the open orders that the venue is known to have."""
        return [order for order in self._orders.values() if order.acknowledged]

    def halt(self, reason: str) -> None:
        """Refuse every increase from now on, over restarts too."""
        self._journal.latch("halt", reason)
        self.gate.halted = reason

    def equity(self) -> Decimal:
        """Return the wallet with open positions at the last mark, else the last price."""
        equity = self.account.wallet
        for desk in self._desks.values():
            if desk.position.quantity:
                equity += desk.unrealised()
        return equity

    def on_arrival(self, seq: int, ts: int) -> None:
        """Learn that market event `seq` has come in and open orders are matched against it.

        What those order events lead to is decided now, not at the times they carry, and not for this event.
        """
        self._arrived = seq
        self._now = ts

    def on_market(self, seq: int, event: Market) -> None:
        """Take note of a price. The position moves on to this event."""
        chronicle = self.chronicle
        chronicle.seq = seq
        chronicle.n = 0
        desk = self._desks.get(event.symbol)
        if desk is not None:
            desk.note(event)

    def remember(self, event: Market) -> None:
        """Take note of a price that was handled before a restart."""
        self._now = event.ts
        desk = self._desks.get(event.symbol)
        if desk is not None:
            desk.note(event)

    def miss_prices(self) -> None:
        """Know again, after a restart, which intents wait for a first price."""
        for symbol, desk in self._desks.items():
            if desk.target is not None and desk.last is None:
                desk.stale = True
                self.unpriced.add(symbol)

    def on_price(self, event: Market) -> list[Approved]:
        """Compute the intent that waited for this price; returns the commands to perform."""
        commands: list[Approved] = []
        desk = self._desk(event.symbol)
        if desk.last is not None:
            self.unpriced.discard(event.symbol)
            self._now = event.ts
            for order in desk.absent:
                self._give_up(desk, order)
            desk.absent.clear()
            self._intend(desk, event.ts, commands)
        return commands

    def on_upto(self, upto: Upto) -> list[Approved]:
        """Take what the Decider says; returns the commands to perform, their intents on record."""
        changed: list[Desk] = []
        targets: list[Target] = []
        for target in upto.targets:
            desk = self._desk(target.symbol)
            if desk.changes(target):
                desk.target = target
                changed.append(desk)
                targets.append(target)
        self.chronicle.decision(upto, tuple(targets))
        if len(changed) > 1:
            changed.sort(key=lambda desk: desk.index)
        commands: list[Approved] = []
        for desk in changed:
            self._intend(desk, desk.target.ts if desk.target else 0, commands)
        return commands

    def on_order_event(self, event: OrderEvent) -> list[Approved]:
        """Take what became of an order; returns the commands to perform."""
        order = self._find(event.order)
        desk = self._desk(order.symbol)
        commands: list[Approved] = []
        now = max(event.ts, self._now)
        if isinstance(event, Executed):
            self._executed(desk, order, event)
        elif isinstance(event, Accepted):
            # An order that was given up and turns up after all counts again, and the intent with it.
            desk.stale = desk.stale or order.state is OrderState.NOT_PLACED
            self.chronicle.step(order, OrderState.ACCEPTED, event.ts)
        elif isinstance(event, Cancelled):
            self.chronicle.step(order, OrderState.CANCELLED, event.ts)
        elif isinstance(event, Rejected):
            self.chronicle.step(order, OrderState.REJECTED, event.ts, event.reason)
        elif isinstance(event, Absent) and order.open:
            self._absent(desk, order, commands)
        # A CancelRejected changes nothing: the event that says how the order ended is on its way.
        self._keep(desk, order)
        waiting: Iterable[Desk] = (desk,)
        if order.id in self._unanswered:
            self._unanswered.remove(order.id)
            waiting = self._desks.values() if self.ready else ()
        for each in waiting:
            if each.stale:
                self._intend(each, now, commands)
        return commands

    def is_open(self, order: str) -> bool:
        """Say whether more of an order may still trade."""
        return order in self._orders

    def _keep(self, desk: Desk, order: Order) -> None:
        if order.open:
            self._orders[order.id] = desk.orders[order.id] = order
        else:
            self._orders.pop(order.id, None)
            desk.orders.pop(order.id, None)

    def _absent(self, desk: Desk, order: Order, commands: list[Approved]) -> None:
        fresh = (order.epoch, order.seq) == (self.chronicle.epoch, self.chronicle.seq)
        if fresh and order.state is OrderState.INTENT and (order.reduce_only or not self.gate.halted):
            # Nothing has happened since it was intended: it is as right now as it was then.
            commands.append(self.gate.approve(order))
        elif desk.last is None:
            # Given up only together with what takes its place, which needs a price: a crash must not part them.
            desk.absent.append(order)
            self.unpriced.add(order.symbol)
        else:
            self._give_up(desk, order)

    def _give_up(self, desk: Desk, order: Order) -> None:
        self.chronicle.step(order, OrderState.NOT_PLACED, self._now, "never reached the venue")
        self._keep(desk, order)
        desk.stale = True

    def _executed(self, desk: Desk, order: Order, event: Executed) -> None:
        if event.execution in order.executions:
            return
        # What comes of an order that was thought to be over changes what is to be done.
        desk.stale = desk.stale or not order.open
        order.executions.append(event.execution)
        order.filled += event.quantity
        realised = self._book(order.symbol, order.side, event.quantity, event.price, event.fee)
        self.chronicle.fill(order, event, realised, desk.position)
        if order.filled >= order.quantity:
            self.chronicle.step(order, OrderState.FILLED, event.ts)

    def _book(self, symbol: str, side: Side, quantity: Decimal, price: Decimal, fee: Decimal) -> Decimal:
        return self.account.fill(symbol, quantity if side == "buy" else -quantity, price, fee)

    def _intend(self, desk: Desk, ts: int, commands: list[Approved]) -> None:
        """Order what the Target wants and neither the position nor the open orders give."""
        target = desk.target
        if target is None:
            return
        if self._unanswered:
            desk.stale = True
            return
        desk.stale = desk.cancelling()
        if desk.last is None:
            desk.stale = True
            self.unpriced.add(target.symbol)
            return
        price = Decimal(repr(desk.last))
        equity = self.equity()
        sizing = Sizing(desk.instrument, price, equity, None)
        budget = self._budget.of(sizing)
        wanted = desk.instrument.quantity(target.value * budget)
        effective = desk.effective()
        quantity = wanted - effective
        if not quantity:
            return
        if wanted and abs(quantity) < self._band * budget:
            return
        if desk.orders and self._cancel_opposed(desk, quantity > 0, ts, commands):
            desk.stale = True
            return
        opposite = effective != 0 and (effective > 0) != (quantity > 0)
        held = _ZERO if opposite else abs(effective)
        gross = held * price
        for other in self._desks.values():
            if other is not desk:
                gross += other.exposure()
        intent = Intent(
            desk.instrument,
            "buy" if quantity > 0 else "sell",
            abs(quantity),
            min(abs(quantity), abs(effective)) if opposite else _ZERO,
            price,
            held,
            gross,
            equity,
        )
        self._order(desk, target, intent, ts, commands)

    def _cancel_opposed(self, desk: Desk, buys: bool, ts: int, commands: list[Approved]) -> bool:
        """Cancel the working orders on the other side; says whether there are any."""
        opposed = False
        for order in desk.orders.values():
            if order.buys == buys:
                continue
            opposed = True
            if order.state is not OrderState.CANCELLING:
                order.cancel_ts = ts
                self.chronicle.step(order, OrderState.CANCELLING, ts)
                commands.append(self.gate.cancel(order, ts))
        return opposed

    def _order(self, desk: Desk, target: Target, intent: Intent, ts: int, commands: list[Approved]) -> None:
        chronicle = self.chronicle
        quantity, reduce_only, cuts = self.gate.judge(intent)
        for cut in cuts:
            chronicle.refusal(target, intent.side, cut.quantity, cut.code, cut.figures)
        if quantity:
            order = chronicle.intent(target, intent.side, quantity, reduce_only, ts, self.came_in)
            self._keep(desk, order)
            commands.append(self.gate.approve(order))

    def _desk(self, symbol: str) -> Desk:
        desk = self._desks.get(symbol)
        if desk is None:
            raise QuantMindError(f"{symbol} is not an instrument of this recipe, but the account has traded it")
        return desk

    def _find(self, id: str) -> Order:
        order = self._orders.get(id) or self._journal.find_order(id)
        if order is None:
            raise QuantMindError(f"the executor reports order {id}, which is not in the journal of this account")
        return order

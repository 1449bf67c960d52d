"""The Trader: Targets, market events and order events in, approved commands and facts out.

It does no I/O but through the journal, reads no clock and draws no random number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from quantmind.errors import QuantMindError
from quantmind.events import (
    Absent,
    Accepted,
    Bar,
    Cancelled,
    CancelRejected,
    Executed,
    Fact,
    Fill,
    Market,
    OrderEvent,
    OrderState,
    Query,
    Quote,
    Refusal,
    Rejected,
    Side,
    Target,
    Trade,
    Upto,
)
from quantmind.kinds.sizing import Sizing, SizingRule
from quantmind.ledger.accounts import Account
from quantmind.market.instruments import Instrument
from quantmind.trader.gate import Approved, Gate, Intent
from quantmind.trader.journal import Journal
from quantmind.trader.journal_reader import Progress
from quantmind.trader.orders import Order, Step

_ZERO = Decimal(0)


class _Desk:
    """What the Trader keeps of one symbol."""

    __slots__ = ("index", "instrument", "last", "mark", "orders", "position", "stale", "target")

    def __init__(self, index: int, instrument: Instrument, account: Account) -> None:
        self.index = index
        self.instrument = instrument
        self.position = account.positions[instrument.symbol]
        self.last: float | None = None
        self.mark: float | None = None
        self.target: Target | None = None
        self.orders: dict[str, Order] = {}
        self.stale = False
        """The intent must be computed anew when a cancel is confirmed or the account is ready."""


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
        self.facts: list[Fact] = []
        """Every fact since the list was last emptied."""
        self.silent = False
        """Whether nobody asks for the facts; the journal has them all the same."""
        self.counts = {"signals": 0, "targets": 0, "orders": 0, "fills": 0}
        self.refusals: Counter[str] = Counter()
        self._sizing = tuple(sizing)
        self._journal = journal
        self._band = no_trade_band
        self._desks = {
            instrument.symbol: _Desk(index, instrument, self.account) for index, instrument in enumerate(instruments)
        }
        self._epoch = 1
        self._seq = self._n = self._upto = self._number = 0
        self._orders: dict[str, Order] = {}
        self._unanswered: set[str] = set()
        self._restore(new_epoch)

    @property
    def seq(self) -> int:
        """The last market event handled."""
        return self._seq

    @property
    def upto(self) -> int:
        """The last market event whose decisions were handled."""
        return self._upto

    @property
    def epoch(self) -> int:
        """Which start of the feed the market events are numbered from."""
        return self._epoch

    @property
    def ready(self) -> bool:
        """Whether the fate of every order is known."""
        return not self._unanswered

    def _restore(self, new_epoch: bool) -> None:
        journal = self._journal
        progress = journal.progress()
        if progress is None:
            return
        self._number = progress.number
        if new_epoch:
            self._epoch = progress.epoch + 1
        else:
            self._epoch, self._seq, self._n = progress.epoch, progress.seq, progress.n
            self._upto = progress.upto
        for fill in journal.fills():
            self._book(fill.symbol, fill.side, fill.quantity, fill.price, fill.fee)
        for target in journal.targets():
            self._desk(target.symbol).target = target
        for order in journal.open_orders():
            self._orders[order.id] = self._desk(order.symbol).orders[order.id] = order
            if order.state is OrderState.CANCELLING:
                self._desk(order.symbol).stale = True
            elif order.state is OrderState.INTENT:
                self._unanswered.add(order.id)
        self.gate.halted = journal.latches().get("halt", "")
        self.counts = journal.counts()
        self.refusals = Counter(journal.refusal_counts())

    def in_flight(self) -> list[Query | Approved]:
        """Return, after a restart, what to ask and what to say again, in the order it was said first.

        A cancel does no harm when it is repeated; a submit might, so that order is asked for instead.
        """
        unfinished = [o for o in self._orders.values() if o.state is not OrderState.ACCEPTED]
        unfinished.sort(key=lambda order: order.trail[-1].number)
        return [
            Query(order.id, order.symbol)
            if order.state is OrderState.INTENT
            else self.gate.cancel(order, order.cancel_ts)
            for order in unfinished
        ]

    def acknowledged(self) -> list[Order]:
        """Return the orders that the venue is known to have."""
        return [order for order in self._orders.values() if order.state is not OrderState.INTENT]

    def halt(self, reason: str) -> None:
        """Refuse every increase from now on, over restarts too."""
        self._journal.latch("halt", reason)
        self.gate.halted = reason

    def commit(self) -> None:
        """Make everything so far durable."""
        self._journal.commit(Progress(self._epoch, self._seq, self._n, self._upto, self._number))

    def equity(self) -> Decimal:
        """Return the wallet with open positions at the last mark, else the last price."""
        equity = self.account.wallet
        for desk in self._desks.values():
            position = desk.position
            if position.quantity:
                price = desk.last if desk.mark is None else desk.mark
                if price is not None:
                    equity += position.quantity * Decimal(repr(price)) - position.cost
        return equity

    # Inputs.

    def on_market(self, seq: int, event: Market) -> None:
        """Take note of a price. The position moves on to this event."""
        self._seq = seq
        self._n = 0
        desk = self._desks.get(event.symbol)
        if desk is None:
            return
        # This runs for every event: the exact type is the fastest question.
        kind = event.__class__
        if kind is Bar:
            desk.last = event.close  # type: ignore[union-attr] # a bar
        elif kind is Quote:
            desk.last = (event.bid + event.ask) / 2  # type: ignore[union-attr] # a quote
        elif kind is Trade:
            desk.last = event.price  # type: ignore[union-attr] # a trade
        else:
            desk.mark = event.price  # type: ignore[union-attr] # a mark
            if desk.last is None:
                desk.last = desk.mark

    def remember(self, event: Market) -> None:
        """Take note of a price that was handled before a restart."""
        seq, n = self._seq, self._n
        self.on_market(seq, event)
        self._n = n

    def on_upto(self, upto: Upto) -> list[Approved]:
        """Take what the Decider says; returns the commands to perform, their intents on record."""
        for code in upto.refused:
            self.refusals[code] += 1
        self._upto = upto.seq
        changed: list[_Desk] = []
        for target in upto.targets:
            desk = self._desk(target.symbol)
            last = desk.target
            if last is None or last.value != target.value or last.shares != target.shares:
                desk.target = target
                changed.append(desk)
        self._keep(upto, changed)
        if len(changed) > 1:
            changed.sort(key=lambda desk: desk.index)
        commands: list[Approved] = []
        for desk in changed:
            self._intend(desk, desk.target.ts if desk.target else 0, commands)
        return commands

    def _keep(self, upto: Upto, changed: list[_Desk]) -> None:
        """Record what is new in a decision; each signal and Target has a place of its own."""
        targets = upto.targets
        if len(changed) < len(targets):
            targets = tuple(desk.target for desk in changed if desk.target)
            upto = Upto(upto.seq, upto.signals, targets, upto.refused)
        count = len(upto.signals) + len(targets)
        if count:
            self.counts["signals"] += len(upto.signals)
            self.counts["targets"] += len(targets)
            self._journal.decision((self._epoch, self._seq, self._n + 1), upto)
            self._n += count

    def on_order_event(self, event: OrderEvent) -> list[Approved]:
        """Take what became of an order; returns the commands to perform."""
        order = self._find(event.order)
        desk = self._desk(order.symbol)
        commands: list[Approved] = []
        self._unanswered.discard(order.id)
        if isinstance(event, Executed):
            self._executed(desk, order, event)
        elif isinstance(event, Accepted):
            # An order that was given up and turns up after all counts again, and the intent with it.
            desk.stale = desk.stale or order.state is OrderState.NOT_PLACED
            self._step(order, OrderState.ACCEPTED, event.ts)
        elif isinstance(event, Cancelled):
            self._step(order, OrderState.CANCELLED, event.ts)
        elif isinstance(event, Rejected):
            self._step(order, OrderState.REJECTED, event.ts, event.reason)
        elif isinstance(event, CancelRejected):
            # What is not open any more is done; the event that says how is on its way.
            pass
        elif isinstance(event, Absent):
            self._absent(order, event, commands)
        if order.open:
            self._orders[order.id] = desk.orders[order.id] = order
        else:
            self._orders.pop(order.id, None)
            desk.orders.pop(order.id, None)
        if desk.stale and self.ready:
            self._intend(desk, event.ts, commands)
        return commands

    # Orders.

    def _absent(self, order: Order, event: Absent, commands: list[Approved]) -> None:
        if (order.epoch, order.seq) == (self._epoch, self._seq):
            # Nothing has happened since it was intended: it is as right now as it was then.
            commands.append(self.gate.approve(order))
            return
        self._step(order, OrderState.NOT_PLACED, event.ts, "never reached the venue")
        self._desk(order.symbol).stale = True

    def _executed(self, desk: _Desk, order: Order, event: Executed) -> None:
        if event.execution in order.executions:
            return
        order.executions.append(event.execution)
        order.filled += event.quantity
        realised = self._book(order.symbol, order.side, event.quantity, event.price, event.fee)
        position = self._position()
        epoch, seq, n = position
        fill = Fill(
            self._next_number(),
            f"f{epoch}-{seq}-{n}",
            order.id,
            order.symbol,
            order.side,
            event.quantity,
            event.price,
            event.fee,
            realised,
            desk.position.quantity,
            desk.position.average_price,
            event.ts,
            order.cause,
            event.execution,
        )
        self.counts["fills"] += 1
        self._journal.fill(position, fill)
        self._journal.order(order)
        if not self.silent:
            self.facts.append(fill)
        if order.filled >= order.quantity:
            self._step(order, OrderState.FILLED, event.ts)

    def _book(self, symbol: str, side: Side, quantity: Decimal, price: Decimal, fee: Decimal) -> Decimal:
        return self.account.fill(symbol, quantity if side == "buy" else -quantity, price, fee)

    def _intend(self, desk: _Desk, ts: int, commands: list[Approved]) -> None:
        target = desk.target
        if target is None:
            return
        desk.stale = bool(self._unanswered)
        if self._unanswered:
            return
        if desk.last is None:
            self._refuse(desk, "buy" if target.value > 0 else "sell", _ZERO, "no_price", "no price yet", target)
            return
        price = Decimal(repr(desk.last))
        equity = self.equity()
        sizing = Sizing(desk.instrument, price, equity, None)
        budget = min([rule.budget(sizing) for rule in self._sizing])
        wanted = desk.instrument.quantity(target.value * budget)
        effective = desk.position.quantity
        for order in desk.orders.values():
            effective += order.remaining
            if order.state is OrderState.CANCELLING:
                desk.stale = True
        intent = wanted - effective
        if not intent:
            return
        if self._cancel_opposed(desk, intent > 0, ts, commands):
            desk.stale = True
            return
        if wanted and abs(intent) < self._band * budget:
            return
        self._order(desk, target, intent, effective, price, equity, ts, commands)

    def _cancel_opposed(self, desk: _Desk, buys: bool, ts: int, commands: list[Approved]) -> bool:
        """Cancel the working orders on the other side; says whether there are any."""
        opposed = False
        for order in desk.orders.values():
            if order.buys == buys:
                continue
            opposed = True
            if order.state is not OrderState.CANCELLING:
                order.cancel_ts = ts
                self._step(order, OrderState.CANCELLING, ts)
                commands.append(self.gate.cancel(order, ts))
        return opposed

    def _order(
        self,
        desk: _Desk,
        target: Target,
        intent: Decimal,
        effective: Decimal,
        price: Decimal,
        equity: Decimal,
        ts: int,
        commands: list[Approved],
    ) -> None:
        side: Side = "buy" if intent > 0 else "sell"
        quantity = abs(intent)
        opposite = effective != 0 and (effective > 0) != (intent > 0)
        held = _ZERO if opposite else abs(effective)
        allowed, reduce_only, cuts = self.gate.judge(
            Intent(
                desk.instrument,
                side,
                quantity,
                min(quantity, abs(effective)) if opposite else _ZERO,
                price,
                held,
                self._gross(desk) + held * price,
                equity,
            )
        )
        for cut in cuts:
            self._refuse(desk, side, cut.quantity, cut.code, cut.figures, target)
        if not allowed:
            return
        position = self._position()
        epoch, seq, n = position
        order = Order(epoch, seq, n, f"qm{epoch}-{seq}-{n}", target.symbol, side, allowed, reduce_only, ts, target.id)
        self._orders[order.id] = desk.orders[order.id] = order
        self.counts["orders"] += 1
        self._record(order, OrderState.INTENT, position, ts, "")
        commands.append(self.gate.approve(order))

    def _gross(self, apart: _Desk) -> Decimal:
        """Return the notional that the other symbols may come to, their working orders included."""
        gross = _ZERO
        for desk in self._desks.values():
            if desk is apart or desk.last is None:
                continue
            long = short = desk.position.quantity
            for order in desk.orders.values():
                if order.buys:
                    long += order.remaining
                else:
                    short += order.remaining
            gross += max(abs(long), abs(short)) * Decimal(repr(desk.last))
        return gross

    def _refuse(self, desk: _Desk, side: Side, quantity: Decimal, code: str, figures: str, target: Target) -> None:
        refusal = Refusal(
            self._next_number(),
            desk.instrument.symbol,
            side,
            quantity,
            code,
            figures,
            target.ts,
            target.id,
        )
        self.refusals[code] += 1
        self._journal.refusal(self._position(), refusal)
        if not self.silent:
            self.facts.append(refusal)

    # Records.

    def _step(self, order: Order, state: OrderState, ts: int, reason: str = "") -> None:
        if order.may_become(state):
            order.state = state
            self._record(order, state, self._position(), ts, reason)

    def _record(self, order: Order, state: OrderState, position: tuple[int, int, int], ts: int, reason: str) -> None:
        _, seq, n = position
        step = Step(self._next_number(), state, seq, n, ts, order.filled, reason)
        order.trail.append(step)
        self._journal.order(order)
        if not self.silent:
            self.facts.append(order.told(step))

    def _position(self) -> tuple[int, int, int]:
        self._n += 1
        return (self._epoch, self._seq, self._n)

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    def _desk(self, symbol: str) -> _Desk:
        desk = self._desks.get(symbol)
        if desk is None:
            raise QuantMindError(f"{symbol} is not an instrument of this recipe, but the account has traded it")
        return desk

    def _find(self, id: str) -> Order:
        order = self._orders.get(id) or self._journal.find_order(id)
        if order is None:
            raise QuantMindError(f"the executor reports order {id}, which is not in the journal of this account")
        return order

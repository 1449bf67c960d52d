"""The matching engine: what would have happened to an order at a venue."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from math import inf

from quantmind.events import (
    Absent,
    Accepted,
    Amend,
    AmendRejected,
    Bar,
    Cancel,
    Cancelled,
    CancelRejected,
    Executed,
    Mark,
    Market,
    OrderEvent,
    Quote,
    Rejected,
    Submit,
    Trade,
)
from quantmind.kinds.channel import Channel
from quantmind.ledger.positions import Position
from quantmind.market.instruments import Instrument
from quantmind.simulation.account import MarginAccount
from quantmind.simulation.amending import amended, fault
from quantmind.simulation.contract import Contract
from quantmind.simulation.filling import Filling
from quantmind.simulation.market_orders import MarketOrders
from quantmind.simulation.meeting import Meeting
from quantmind.simulation.resting import Resting
from quantmind.simulation.restored import Restored
from quantmind.simulation.terms import Terms

NOTHING: tuple[OrderEvent, ...] = ()
"""The answer where nothing happened; otherwise order events are in the order they happened in."""
_NEVER = 1 << 63


class Matching:
    """Holds the orders and positions of one account and matches market events against them.

    No price from before an order reached the venue fills it. A bar's prices are of after its open, so the first
    that counts is the one that *begins* no earlier than that: the open of a bar that began before the decision
    would look ahead. A bar without volume has no price of its own time and fills nothing.

    `balance` is the wallet it begins with (settlement currency). Order events are told in the order they happened in.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        channels: Mapping[str, Collection[Channel]],
        terms: Terms,
        balance: Decimal,
        waiting: set[str] | None = None,
    ) -> None:
        self._contracts = {
            symbol: Contract(instrument, channels.get(symbol, ())) for symbol, instrument in instruments.items()
        }
        self.account = MarginAccount(balance, terms, self._contracts.values())
        """The wallet, and what the positions need of it."""
        filling = self._filling = Filling(terms, self.account)
        self._meeting = Meeting(terms, self.account, filling)
        self._market_orders = MarketOrders(terms, self.account, filling, self._meeting.path)
        self._restored = Restored(filling, terms.queue)
        self._latency = terms.latency
        self._queue = terms.queue
        self._cancel_at = _NEVER
        self._ended: set[str] = set()
        self.orders: dict[str, str] = {}
        """The symbol of each open order."""
        self.waiting: set[str] = waiting if waiting is not None else set()
        """Open orders, and symbols whose position funding or liquidation may change: while it is empty, market
        events change nothing."""
        self.fills = 0
        """The number of fills so far."""

    @property
    def decided(self) -> int:
        """How many of the fills were decided by taking a bar's path for the worse one."""
        return self._meeting.path.decided

    def position(self, symbol: str) -> Position:
        """Return the position of a symbol."""
        return self._contracts[symbol].position

    def submit(self, command: Submit) -> Sequence[OrderEvent]:
        """Take an order; it arrives after the latency, and only then is it judged."""
        if command.order in self.orders:
            return self.query(command.order)
        if command.order_type != "market" and (wrong := fault(command)):
            return (Rejected(command.order, command.ts, wrong),)
        self._take(command)
        return (Accepted(command.order, command.ts),)

    def _take(self, command: Submit) -> Resting:
        contract = self._contracts[command.symbol]
        order = command.order
        resting = Resting(
            command,
            command.ts + self._latency.of(order),
            command.trigger_by == "mark" and contract.has_marks,
        )
        contract.orders[order] = resting
        if resting.kind == "market":
            contract.pending.append(resting)
            contract.low = inf
        else:
            contract.expect()
        self.orders[order] = command.symbol
        self.waiting.add(order)
        return resting

    def restore(
        self,
        command: Submit,
        filled: Decimal = Decimal(0),
        fills: int = 0,
        cancel: Cancel | None = None,
        *,
        triggered: bool = False,
    ) -> None:
        """Take back an order accepted before a restart.

        `filled` of it (base currency) was executed in so many fills.

        It counts as arrived, until `remember` shows what came in since.
        """
        order = self._take(command)
        self._restored.add(self._contracts[command.symbol], order, filled, fills, triggered)
        if cancel is not None:
            self._cancel(order, cancel)

    def restore_account(self, wallet: Decimal, positions: Mapping[str, Position]) -> None:
        """Take back the wallet (settlement currency) and the positions, by symbol, as they were before a restart."""
        self.account.wallet = wallet
        for symbol, position in positions.items():
            contract = self._contracts.get(symbol)
            if contract is not None:
                contract.position.quantity, contract.position.cost = position.quantity, position.cost
                contract.held()
        for contract in self._contracts.values():
            contract.expect()
            self.account.booked = True
            self._settle(contract)

    def remember(self, seq: int, event: Market) -> None:
        """Take note of an event that was matched before a restart."""
        contract = self._contracts.get(event.symbol)
        if contract is not None:
            self._restored.remember(contract, seq, event)

    def amend(self, command: Amend) -> Sequence[OrderEvent]:
        """Change an order in place, after the latency. Against bars it counts from the next one on that begins."""
        contract = self._contracts[command.symbol]
        order = contract.orders.get(command.order)
        if order is None:
            return (AmendRejected(command.order, command.ts, "the order is not open"),)
        due = command.ts + self._latency.of(f"{command.order} amend {command.ts}")
        if due == command.ts and contract.source != "bar" and order.arrived:
            answer = amended(order, command, due)
            contract.expect()
            contract.watch()
            return (answer,)
        order.amends = [*(order.amends or ()), (due, command)]
        contract.expect()
        return NOTHING

    def cancel(self, command: Cancel) -> Sequence[OrderEvent]:
        """Take back an order, after the latency too.

        Against bars nobody knows before the next one whether the order was filled first.
        """
        contract = self._contracts[command.symbol]
        order = contract.orders.get(command.order)
        if order is None:
            return (CancelRejected(command.order, command.ts, "the order is not open"),)
        due = self._cancel(order, command)
        if due == command.ts and contract.source != "bar":
            contract.forget(order)
            contract.expect()
            self._settle(contract)
            return (Cancelled(command.order, command.ts),)
        return NOTHING

    def _cancel(self, order: Resting, command: Cancel) -> int:
        """Let a cancel be on its way; it does not overtake its order."""
        order.cancel_after = command.after
        due = max(command.ts + self._latency.of(f"{order.id} cancel"), order.due if not order.triggered else 0)
        order.cancel_due = due
        contract = self._contracts[order.submit.symbol]
        contract.expect()
        if contract.source != "bar":
            self._cancel_at = min(self._cancel_at, due)
        return due

    def query(self, order: str) -> Sequence[OrderEvent]:
        """Say whether an order is open; what is not open here was never received.

        Of one that ended in the event at hand the news is on its way.
        """
        symbol = self.orders.get(order)
        if symbol is not None:
            return (Accepted(order, self._contracts[symbol].orders[order].submit.ts),)
        return NOTHING if order in self._ended else (Absent(order, 0),)

    def on_market(  # noqa: C901, PLR0911, PLR0912 - one question for each kind of event, the cheapest first
        self, seq: int, event: Market
    ) -> Sequence[OrderEvent]:
        """Match a market event against the open orders and the positions."""
        contract = self._contracts.get(event.symbol)
        if contract is None or event.ts >= self._cancel_at:
            return self._match(contract, seq, event)
        if event.ts > contract.mark_until:
            contract.unmark()
        kind = event.__class__
        if kind is Quote:
            if contract.source != "quote":
                return NOTHING
            if contract.low < event.bid and event.ask < contract.high:  # type: ignore[union-attr] # a quote
                contract.seen = event
                return NOTHING
        elif kind is Bar:
            if event.interval != contract.interval:  # type: ignore[union-attr] # a bar
                return NOTHING
            if contract.low < event.low and event.high < contract.high:  # type: ignore[union-attr] # a bar
                if event.volume:  # type: ignore[union-attr] # a bar
                    contract.seen = event
                return NOTHING
        elif kind is Mark:
            if contract.mark is not None and contract.mark_low < event.price < contract.mark_high:  # type: ignore[union-attr] # a mark
                contract.marked(event.price, event.ts)  # type: ignore[union-attr] # a mark
                return NOTHING
        elif kind is Trade:
            if contract.source == "trade":
                if contract.low < event.price < contract.high:  # type: ignore[union-attr] # a trade
                    contract.seen = event
                    return NOTHING
            elif not self._queue:
                return NOTHING
        return self._match(contract, seq, event)

    def _match(self, contract: Contract | None, seq: int, event: Market) -> Sequence[OrderEvent]:
        """Do what the quick look could not rule out."""
        events: list[OrderEvent] = []
        self._ended.clear()
        if event.ts >= self._cancel_at:
            self._cancel_due(seq, event.ts, events)
        if contract is None:
            return events or NOTHING
        if not (contract.pending and self._market_orders.meet(contract, seq, event, events)):
            self._meeting.meet(contract, seq, event, events)
            contract.expect()
            self.account.booked = True
        return self._told(contract, event.ts, events)

    def _told(self, contract: Contract, ts: int, events: list[OrderEvent]) -> Sequence[OrderEvent]:
        """Bring everything up to date with what happened, and liquidate what cannot be held any longer."""
        self._settle(contract)
        if contract.crossed or self.account.crossed:
            self.account.liquidate(ts, events)
            for each in self._contracts.values():
                each.expect()
                self._settle(each)
        for told in events:
            if told.__class__ is Executed:
                self.fills += 1
        return events or NOTHING

    def _cancel_due(self, seq: int, ts: int, events: list[OrderEvent]) -> None:
        self._cancel_at = _NEVER
        for contract in self._contracts.values():
            if contract.source == "bar" or not contract.orders:
                continue
            for order in tuple(contract.orders.values()):
                due = order.cancel_due
                if due is None:
                    continue
                if due <= ts and order.cancel_after < seq:
                    contract.forget(order)
                    events.append(Cancelled(order.id, due))
                else:
                    self._cancel_at = min(self._cancel_at, due)
            if contract.gone:
                contract.expect()
                self._settle(contract)

    def _settle(self, contract: Contract) -> None:
        """Bring what is derived up to date after an event."""
        if contract.gone:
            for order in contract.gone:
                self.orders.pop(order, None)
                self.waiting.discard(order)
                self._ended.add(order)
            self._restored.forget(contract.gone)
            contract.gone.clear()
        if contract.quantity and self.account.asks_margin:
            if self.account.booked:
                self.account.rebound()
            elif contract.low == inf:
                contract.watch()
            self.waiting.add(contract.symbol)
        else:
            contract.unbound()
            if self.account.booked:
                # What it lost or earned is behind the others now.
                self.account.rebound()
            if contract.quantity and contract.shows_position:
                self.waiting.add(contract.symbol)
            else:
                self.waiting.discard(contract.symbol)

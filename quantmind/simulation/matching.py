"""The matching engine: what would have happened to an order at a venue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from quantmind.events import (
    Absent,
    Accepted,
    Bar,
    Cancel,
    Cancelled,
    CancelRejected,
    Executed,
    Market,
    OrderEvent,
    Quote,
    Submit,
    Trade,
)
from quantmind.kinds.channel import Channel
from quantmind.market.instruments import Instrument


class _Resting:
    __slots__ = ("cancel_due", "command", "due")

    def __init__(self, command: Submit, due: int) -> None:
        self.command = command
        self.due = due
        self.cancel_due: int | None = None


class Matching:
    """Fills market orders at the first price that came after they reached the venue.

    That is the next quote, else the next trade, else the open of the first bar that *begins* no earlier than the
    order arrives: the open of a bar that began before the decision would look ahead. A bar without volume has no
    price of its own time and fills nothing.
    """

    def __init__(
        self, instruments: Mapping[str, Instrument], channels: Mapping[str, Channel], latency: int, taker_fee: Decimal
    ) -> None:
        self._instruments = instruments
        self._channels = channels
        self._latency = latency
        self._taker_fee = taker_fee
        self._resting: dict[str, dict[str, _Resting]] = {}
        self.orders: dict[str, str] = {}
        """The symbol of each open order; without any, market events change nothing."""

    def submit(self, command: Submit) -> Sequence[OrderEvent]:
        """Take an order; it arrives after the latency."""
        self.restore(command)
        return (Accepted(command.order, command.ts),)

    def restore(self, command: Submit, cancel_ts: int = 0) -> None:
        """Take back an order that was accepted before a restart."""
        resting = _Resting(command, command.ts + self._latency)
        if cancel_ts:
            resting.cancel_due = cancel_ts + self._latency
        self._resting.setdefault(command.symbol, {})[command.order] = resting
        self.orders[command.order] = command.symbol

    def cancel(self, command: Cancel) -> Sequence[OrderEvent]:
        """Take back an order, after the latency too.

        Against bars nobody knows before the next one whether the order was filled first.
        """
        resting = self._resting.get(command.symbol, {}).get(command.order)
        if resting is None:
            return (CancelRejected(command.order, command.ts, "the order is not open"),)
        if self._latency or self._channels[command.symbol].kind == "bar":
            resting.cancel_due = command.ts + self._latency
            return ()
        self._forget(command.symbol, command.order)
        return (Cancelled(command.order, command.ts),)

    def query(self, order: str) -> Sequence[OrderEvent]:
        """Say whether an order is open; what is not open here was never received."""
        symbol = self.orders.get(order)
        if symbol is None:
            return (Absent(order, 0),)
        return (Accepted(order, self._resting[symbol][order].command.ts),)

    def on_market(self, seq: int, event: Market) -> Sequence[OrderEvent]:
        """Match a market event against the open orders."""
        events: list[OrderEvent] = []
        if self._latency:
            self._cancel_due(event.ts, events)
        resting = self._resting.get(event.symbol)
        if resting:
            for order in tuple(resting.values()):
                # An order made after this event came in, in a run that goes on after a restart.
                if order.command.after >= seq:
                    continue
                answer = self._answer(order, event)
                if answer is not None:
                    self._forget(event.symbol, order.command.order)
                    events.append(answer)
        return events

    def _cancel_due(self, ts: int, events: list[OrderEvent]) -> None:
        for order, symbol in tuple(self.orders.items()):
            due = self._resting[symbol][order].cancel_due
            if due is not None and ts >= due and self._channels[symbol].kind != "bar":
                self._forget(symbol, order)
                events.append(Cancelled(order, due))

    def _answer(self, order: _Resting, event: Market) -> OrderEvent | None:
        """Say what an event of its symbol makes of an order."""
        command = order.command
        buys = command.side == "buy"
        channel = self._channels[command.symbol]
        if channel.kind == "quote":
            if not isinstance(event, Quote):
                return None
            at, price = event.ts, event.ask if buys else event.bid
        elif channel.kind == "trade":
            if not isinstance(event, Trade):
                return None
            at, price = event.ts, event.price
        else:
            if not isinstance(event, Bar) or event.interval != channel.interval:
                return None
            # Without trades a bar has no price of its own time.
            at, price = event.ts - event.interval, event.open if event.volume else 0.0
        cancel_due = order.cancel_due
        if at >= order.due and price > 0 and (cancel_due is None or at < cancel_due):
            return self._executed(command, at, price, buys)
        if cancel_due is not None and event.ts >= cancel_due:
            return Cancelled(command.order, cancel_due)
        return None

    def _executed(self, command: Submit, ts: int, price: float, buys: bool) -> Executed:
        instrument = self._instruments[command.symbol]
        paid = instrument.buy_price(price) if buys else instrument.sell_price(price)
        fee = command.quantity * paid * self._taker_fee
        return Executed(command.order, ts, f"{command.order}-x", paid, command.quantity, fee)

    def _forget(self, symbol: str, order: str) -> None:
        del self._resting[symbol][order]
        del self.orders[order]

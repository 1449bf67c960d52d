"""A desk: what the Trader keeps of one symbol."""

from __future__ import annotations

from decimal import Decimal

from quantmind.events import Bar, Mark, Market, OrderState, Quote, Target, Trade
from quantmind.ledger.positions import Position
from quantmind.market.instruments import Instrument
from quantmind.trader.orders import Order

_ZERO = Decimal(0)


class Desk:
    """The last prices, the Target, the open orders and the position of a symbol."""

    __slots__ = ("absent", "index", "instrument", "last", "mark", "orders", "position", "stale", "target")

    def __init__(self, index: int, instrument: Instrument, position: Position) -> None:
        self.index = index
        """Its place in the recipe: intents of one event are judged in this order."""
        self.instrument = instrument
        self.position = position
        self.last: float | None = None
        """The last price, of any kind but a mark unless there is no other."""
        self.mark: float | None = None
        self.target: Target | None = None
        self.orders: dict[str, Order] = {}
        """The open orders by id."""
        self.absent: list[Order] = []
        """Orders that the venue never received, to be given up as soon as there is a price."""
        self.stale = False
        """The intent must be computed anew when a cancel is confirmed or the account is ready."""

    def note(self, event: Market) -> None:
        """Take note of a price."""
        # This runs for every event: the exact type is the fastest question.
        kind = event.__class__
        if kind is Bar:
            # The close of a bar without trades is an older price than a quote's.
            if event.volume or self.last is None:  # type: ignore[union-attr] # a bar
                self.last = event.close  # type: ignore[union-attr] # a bar
        elif kind is Quote:
            self.last = (event.bid + event.ask) / 2  # type: ignore[union-attr] # a quote
        elif kind is Trade:
            self.last = event.price  # type: ignore[union-attr] # a trade
        elif kind is Mark:
            self.mark = event.price  # type: ignore[union-attr] # a mark
            if self.last is None:
                self.last = self.mark

    def changes(self, target: Target) -> bool:
        """Say whether a Target is another one than the last."""
        last = self.target
        return last is None or last.value != target.value or last.shares != target.shares

    def unrealised(self) -> Decimal:
        """Return the unrealised profit at the last mark, else the last price."""
        position = self.position
        price = self.last if self.mark is None else self.mark
        if not position.quantity or price is None:
            return _ZERO
        return position.quantity * Decimal(repr(price)) - position.cost

    def effective(self) -> Decimal:
        """Return the signed position once all open orders are filled."""
        effective = self.position.quantity
        for order in self.orders.values():
            effective += order.remaining
        return effective

    def exposure(self) -> Decimal:
        """Return the notional that the position may come to, its open orders included; at cost without a price."""
        if self.last is None:
            return abs(self.position.cost)
        long = short = self.position.quantity
        for order in self.orders.values():
            if order.buys:
                long += order.remaining
            else:
                short += order.remaining
        return max(abs(long), abs(short)) * Decimal(repr(self.last))

    def cancelling(self) -> bool:
        """Say whether a cancel is not confirmed yet."""
        return any(order.state is OrderState.CANCELLING for order in self.orders.values())

"""Hosting: the matching engine as a venue with clients asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from quantmind.events import Book, OrderEvent, Quote, Trade
from quantmind.simulation.matching import NOTHING, Matching


class Hosting(Matching):
    """Answers at once, has settings for each symbol, and gives orders of the venue's own.

    Order events are told in the order they happened in.
    """

    def show(self, order: str, event: Quote | Book | Trade) -> Sequence[OrderEvent]:
        """Let the present price meet one order that was just placed or triggered, and no other.

        A venue matches what comes in against what is there before it answers.
        """
        symbol = self.orders.get(order)
        if symbol is None:
            return NOTHING
        contract = self._contracts[symbol]
        events: list[OrderEvent] = []
        self._ended.clear()
        self._meeting.present(contract, contract.orders[order], event, events)
        contract.expect()
        self.account.booked = True
        return self._told(contract, event.ts, events)

    def close(
        self, symbol: str, price: Decimal, ts: int, quantity: Decimal | None = None, fee: Decimal | None = None
    ) -> Sequence[OrderEvent]:
        """Close a position, or `quantity` > 0 of it, by an order of the venue.

        `price` is in quote currency, `ts` in ns UTC, `quantity` in base currency; `fee` is a part of the notional, that
        of a liquidation if left out.
        """
        contract = self._contracts[symbol]
        held = contract.position.quantity
        if not held:
            return NOTHING
        events: list[OrderEvent] = []
        self._ended.clear()
        part = held if quantity is None else min(abs(held), quantity).copy_sign(held)
        self.account.take(contract, part, price, self.account.liquidation_fee if fee is None else fee, ts, events)
        return self._told(contract, ts, events)

    def refuse(self, triggers: int) -> None:
        """Let so many of the triggers to come find no margin."""
        self._filling.refusals = triggers

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Change the leverage of a symbol: how many times its margin a position may be worth."""
        self._reset(symbol, leverage=leverage)

    def set_margin(self, symbol: str, mode: Literal["cross", "isolated"]) -> None:
        """Change what backs the position of a symbol."""
        self._reset(symbol, cross=mode == "cross")

    def valued(self, symbol: str) -> Decimal | None:
        """Return the price (quote currency) that the position of a symbol is valued at, None before there is one."""
        price = self._contracts[symbol].value_price
        return None if price is None else Decimal(repr(price))

    def reserved(self, symbol: str) -> tuple[Decimal, Decimal]:
        """Return the notional of the resting limit orders that may add to a position: buying, and selling.

        Both are in the settlement currency.
        """
        buying = selling = Decimal(0)
        for order in self._contracts[symbol].orders.values():
            if order.kind == "limit" and not order.reduces and order.price is not None:
                if order.buys:
                    buying += order.left * order.price
                else:
                    selling += order.left * order.price
        return buying, selling

    def liquidation_price(self, symbol: str) -> Decimal | None:
        """Return the price (quote currency) at which a position is liquidated while the others stand still.

        None without a position, or where no price does it.
        """
        contract = self._contracts[symbol]
        return self.account.liquidated_at(contract) if contract.position.quantity else None

    def _reset(self, symbol: str, leverage: Decimal | None = None, cross: bool | None = None) -> None:
        contract = self._contracts[symbol]
        if leverage is not None:
            self.account.set_leverage(contract, leverage)
        if cross is not None:
            self.account.set_cross(contract, cross)
        contract.expect()
        self._settle(contract)

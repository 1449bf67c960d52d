"""The account at the venue: wallet, margin, and when it is not enough."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal

from quantmind.events import Cancelled, Liquidated, OrderEvent, Side
from quantmind.simulation.contract import Contract
from quantmind.simulation.liquidation import liquidation_price
from quantmind.simulation.resting import Resting
from quantmind.simulation.terms import Terms

_ZERO = Decimal(0)


class MarginAccount:
    """The wallet, in Decimal, over the positions of all contracts.

    With cross margin the whole equity backs every position. With isolated margin each is backed by its cost divided
    by the leverage, and its profit; funding and fees are the wallet's. Mode and leverage are each contract's own;
    what backs an isolated position backs no other.
    """

    def __init__(self, balance: Decimal, terms: Terms, contracts: Iterable[Contract]) -> None:
        self.wallet = balance
        self._fees = terms.fees
        self._leverage_now = float(terms.leverage)
        self.liquidation_fee = terms.liquidation_fee
        self._contracts = tuple(contracts)
        self.asks_margin = terms.margin != "none"
        for contract in self._contracts:
            contract.cross = terms.margin != "isolated"
            contract.leverage = terms.leverage
        self.booked = False
        """Whether anything was booked since the bounds were cached."""

    @property
    def held(self) -> list[Contract]:
        """The contracts with a position, in the order of the recipe."""
        return [contract for contract in self._contracts if contract.quantity]

    def fill(self, contract: Contract, buys: bool, quantity: Decimal, price: Decimal, maker: bool) -> Decimal:
        """Book a fill; returns the fee."""
        fee = quantity * price * (self._fees.maker if maker else self._fees.taker)
        self._book(contract, quantity if buys else -quantity, price, fee)
        return fee

    def _book(self, contract: Contract, quantity: Decimal, price: Decimal, fee: Decimal) -> None:
        position = contract.position
        if not position.quantity:
            contract.unmark()
        self.wallet += position.fill(quantity, price, fee) - fee
        contract.held()
        self.booked = True

    def set_leverage(self, contract: Contract, leverage: Decimal) -> None:
        """Change the leverage of one contract."""
        contract.leverage = leverage
        contract.weight = self._leverage_now / float(leverage)
        self.booked = True

    def set_cross(self, contract: Contract, cross: bool) -> None:
        """Change what backs one contract."""
        contract.cross = cross
        self.booked = True

    def equity(self) -> Decimal:
        """Return the wallet and every unrealised profit, at the mark price, else the last price."""
        equity = self.wallet
        for contract in self.held:
            equity += _profit(contract)
        return equity

    def allows(self, contract: Contract, order: Resting, price: float) -> bool:
        """Say whether the margin available is enough for what an order adds to the position, at a price."""
        if not self.asks_margin or order.reduces:
            return True
        held = contract.quantity
        after = held + float(order.left) if order.buys else held - float(order.left)
        if -held <= after <= held or held <= after <= -held:
            return True
        used, equity = abs(after) * price * contract.weight, float(self.wallet)
        for other in self._contracts:
            used += other.reserved * other.weight
            if not other.quantity:
                continue
            at = other.value_price
            if other.cross and at is not None:
                equity += other.quantity * at - other.cost
            if other is not contract:
                notional = abs(other.cost) if at is None or not other.cross else abs(other.quantity) * at
                used += notional * other.weight
        # The last digits of the floats do not decide: an order for exactly what is available passes.
        return used <= self._leverage_now * equity * (1 + 1e-12)

    def backing(self, contract: Contract) -> Decimal:
        """Return what backs a position beside its own profit."""
        if not contract.cross:
            return margin(contract)
        backing = self.wallet
        for other in self.held:
            if not other.cross:
                backing -= margin(other)
            elif other is not contract:
                backing += _profit(other) - _maintenance(other)
        return backing

    def liquidated_at(self, contract: Contract) -> Decimal | None:
        """Return the price at which a position is liquidated while the others stand still."""
        position = contract.position
        return liquidation_price(contract.instrument, position.quantity, position.cost, self.backing(contract))

    def rebound(self) -> None:
        """Cache anew how far each price may go before anything can be liquidated."""
        if not self.asks_margin:
            return
        self.booked = False
        held = self.held
        if len(held) == 1:
            contract = held[0]
            price = contract.value_price
            backing = float(self.wallet) if contract.cross else abs(contract.cost) / float(contract.leverage)
            contract.bound(price, 0.0 if price is None else contract.spare(price, backing))
            return
        spares, sharing = [float(self.wallet)], 0
        for contract in held:
            price = contract.value_price
            if not contract.cross:
                own = abs(contract.cost) / float(contract.leverage)
                spares.append(-own)
                contract.bound(price, 0.0 if price is None else contract.spare(price, own))
                continue
            sharing += 1
            if price is not None:
                spares.append(contract.spare(price, 0.0))
        for contract in held:
            if contract.cross:
                contract.bound(contract.value_price, math.fsum(spares) / sharing)

    @property
    def crossed(self) -> bool:
        """Whether a position that is not alone may have used up its margin."""
        return self.asks_margin and len(self._contracts) > 1 and any(contract.crossed for contract in self._contracts)

    def liquidate(self, ts: int, events: list[OrderEvent]) -> None:
        """Close positions at their mark, the greatest loss first, until the margin is enough."""
        if not self.asks_margin:
            return
        while True:
            short = self._short_of_margin()
            if not short:
                return
            worst = min(short, key=_profit)
            self.close(worst, _value(worst), ts, events)

    def close(self, contract: Contract, price: Decimal, ts: int, events: list[OrderEvent]) -> None:
        """Liquidate a position at a price, and cancel the orders of its symbol."""
        self.take(contract, contract.position.quantity, price, self.liquidation_fee, ts, events)

    def take(
        self, contract: Contract, quantity: Decimal, price: Decimal, rate: Decimal, ts: int, events: list[OrderEvent]
    ) -> None:
        """Close a part of a position, of its sign, by the venue's order, for a fee of this rate."""
        for order in tuple(contract.orders.values()):
            contract.forget(order)
            events.append(Cancelled(order.id, ts, "liquidated"))
        instrument = contract.instrument
        at = float(price)
        paid = instrument.sell_price(at) if quantity > 0 else instrument.buy_price(at)
        size = abs(quantity)
        fee = size * paid * rate
        if not contract.cross and quantity == contract.position.quantity:
            paid, fee = self._within_margin(contract, paid, fee)
        self._book(contract, -quantity, paid, fee)
        contract.expect()
        if not contract.quantity:
            contract.unbound()
        side: Side = "sell" if quantity > 0 else "buy"
        execution = f"liquidation-{contract.symbol}-{ts}"
        events.append(Liquidated(contract.symbol, ts, execution, side, paid, size, fee))

    def _within_margin(self, contract: Contract, paid: Decimal, fee: Decimal) -> tuple[Decimal, Decimal]:
        """Return price and fee of a liquidation that cost no more than the margin: what it lacks is the venue's."""
        position = contract.position
        own = self.backing(contract)
        if position.quantity * paid - position.cost < -own:
            bankrupt = float((position.cost - own) / position.quantity)
            instrument = contract.instrument
            paid = instrument.buy_price(bankrupt) if position.quantity > 0 else instrument.sell_price(bankrupt)
        left = own + position.quantity * paid - position.cost
        return paid, max(_ZERO, min(fee, left))

    def _short_of_margin(self) -> list[Contract]:
        short, sharing, spare = [], [], self.wallet
        for contract in self.held:
            left = _profit(contract) - _maintenance(contract)
            if contract.cross:
                sharing.append(contract)
                spare += left
                continue
            own = margin(contract)
            spare -= own
            if own + left <= 0:
                short.append(contract)
        return short + sharing if spare <= 0 else short


def margin(contract: Contract) -> Decimal:
    """Return the margin that backs an isolated position."""
    return abs(contract.position.cost) / contract.leverage


def _value(contract: Contract) -> Decimal:
    price = contract.value_price
    position = contract.position
    # Before any price a position is worth what it cost.
    return Decimal(repr(price)) if price is not None else position.cost / position.quantity


def _profit(contract: Contract) -> Decimal:
    position = contract.position
    if contract.value_price is None:
        return _ZERO
    return position.quantity * _value(contract) - position.cost


def _maintenance(contract: Contract) -> Decimal:
    return contract.instrument.maintenance(abs(contract.position.quantity) * _value(contract))

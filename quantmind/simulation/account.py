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
    by the leverage, and its profit; funding and fees are the wallet's.
    """

    def __init__(self, balance: Decimal, terms: Terms, contracts: Iterable[Contract]) -> None:
        self.wallet = balance
        self._fees = terms.fees
        self._leverage = terms.leverage
        self._leverage_now = float(terms.leverage)
        self._liquidation_fee = terms.liquidation_fee
        self._contracts = tuple(contracts)
        self.asks_margin = terms.margin != "none"
        self._cross = terms.margin == "cross"
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
        used, equity = abs(after) * price, float(self.wallet)
        for other in self._contracts:
            used += other.reserved
            if not other.quantity:
                continue
            at = other.value_price
            if self._cross and at is not None:
                equity += other.quantity * at - other.cost
            if other is not contract:
                used += abs(other.cost) if at is None or not self._cross else abs(other.quantity) * at
        # The last digits of the floats do not decide: an order for exactly what is available passes.
        return used <= self._leverage_now * equity * (1 + 1e-12)

    def backing(self, contract: Contract) -> Decimal:
        """Return what backs a position beside its own profit."""
        if not self._cross:
            return abs(contract.position.cost) / self._leverage
        backing = self.wallet
        for other in self.held:
            if other is not contract:
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
            backing = float(self.wallet) if self._cross else abs(contract.cost) / self._leverage_now
            contract.bound(price, 0.0 if price is None else contract.spare(price, backing))
            return
        prices = [contract.value_price for contract in held]
        if not self._cross:
            for contract, price in zip(held, prices, strict=True):
                spare = 0.0 if price is None else contract.spare(price, abs(contract.cost) / self._leverage_now)
                contract.bound(price, spare)
            return
        spares = [float(self.wallet)]
        for contract, price in zip(held, prices, strict=True):
            if price is not None:
                spares.append(contract.spare(price, 0.0))
        if not held:
            return
        share = math.fsum(spares) / len(held)
        for contract, price in zip(held, prices, strict=True):
            contract.bound(price, share)

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
        for order in tuple(contract.orders.values()):
            contract.forget(order)
            events.append(Cancelled(order.id, ts, "liquidated"))
        instrument = contract.instrument
        quantity = contract.position.quantity
        at = float(price)
        paid = instrument.sell_price(at) if quantity > 0 else instrument.buy_price(at)
        size = abs(quantity)
        fee = size * paid * self._liquidation_fee
        if not self._cross:
            paid, fee = self._within_margin(contract, paid, fee)
        self._book(contract, -quantity, paid, fee)
        contract.expect()
        contract.unbound()
        side: Side = "sell" if quantity > 0 else "buy"
        execution = f"liquidation-{contract.symbol}-{ts}"
        events.append(Liquidated(contract.symbol, ts, execution, side, paid, size, fee))

    def _within_margin(self, contract: Contract, paid: Decimal, fee: Decimal) -> tuple[Decimal, Decimal]:
        """Return price and fee of a liquidation that cost no more than the margin: what it lacks is the venue's."""
        position = contract.position
        margin = self.backing(contract)
        if position.quantity * paid - position.cost < -margin:
            bankrupt = float((position.cost - margin) / position.quantity)
            instrument = contract.instrument
            paid = instrument.buy_price(bankrupt) if position.quantity > 0 else instrument.sell_price(bankrupt)
        left = margin + position.quantity * paid - position.cost
        return paid, max(_ZERO, min(fee, left))

    def _short_of_margin(self) -> list[Contract]:
        held = self.held
        if not self._cross:
            return [
                contract for contract in held if self.backing(contract) + _profit(contract) <= _maintenance(contract)
            ]
        margin = self.wallet
        for contract in held:
            margin += _profit(contract) - _maintenance(contract)
        return held if margin <= 0 else []


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

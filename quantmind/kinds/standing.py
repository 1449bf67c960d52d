"""The standing of an account: what limits judge by, worked out when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

import msgspec

from quantmind.market.instruments import Instrument

_ZERO = Decimal(0)


class Holding(Protocol):
    """What is held of an instrument, and at what prices it is valued."""

    @property
    def instrument(self) -> Instrument:
        """What is held."""

    @property
    def quantity(self) -> Decimal:
        """The position in base currency, short is negative."""

    @property
    def cost(self) -> Decimal:
        """What the open quantity was bought for, in the settlement currency; negative when short."""

    @property
    def value_price(self) -> float | None:
        """The mark price, else the last price, in quote currency; None before any."""

    @property
    def exposure(self) -> Decimal:
        """The notional that the position may come to, working orders included: settlement currency, at least 0."""

    @property
    def net(self) -> Decimal:
        """The signed notional once all working orders are filled, in the settlement currency."""

    @property
    def working(self) -> int:
        """The number of its working orders."""

    @property
    def leverage(self) -> Decimal | None:
        """How many times its margin an isolated position is worth; None with cross margin."""


class Lot(msgspec.Struct, frozen=True):
    """A holding given in plain figures, for tests of limits: its fields are what `Holding` says of them.

    Of an `instrument`: `quantity` in base currency; `cost`, `exposure` and `net` in the settlement currency;
    `value_price` in quote currency; the number of `working` orders; `leverage`, how many times its margin it is worth.
    """

    instrument: Instrument
    quantity: Decimal = _ZERO
    cost: Decimal = _ZERO
    value_price: float | None = None
    exposure: Decimal = _ZERO
    net: Decimal = _ZERO
    working: int = 0
    leverage: Decimal | None = None


class Standing:
    """Wallet and holdings (in the order of the recipe) of an account at one moment; a live view, not a copy.

    All money is in the settlement currency. `equity` is exact; `equity_now` is a float for comparing at every event:
    what acts on money asks `equity`.
    """

    def __init__(self, wallet: Decimal, holdings: Iterable[Holding], ts: int = 0) -> None:
        self.wallet = wallet
        """What was paid in, realised, paid and received; unrealised profit apart."""
        self.holdings = {holding.instrument.symbol: holding for holding in holdings}
        """What is held and ordered of each instrument of the recipe, by symbol."""
        self.ts = ts
        """The time of the last event, ns UTC."""

    @property
    def equity(self) -> Decimal:
        """The wallet and every unrealised profit, at mark prices, else last prices."""
        equity = self.wallet
        for holding in self.holdings.values():
            if holding.quantity:
                equity += unrealised(holding)
        return equity

    @property
    def equity_now(self) -> float:
        """The equity as a float."""
        return float(self.equity)

    @property
    def gross(self) -> Decimal:
        """The notional of all symbols, working orders included."""
        gross = _ZERO
        for holding in self.holdings.values():
            gross += holding.exposure
        return gross

    @property
    def net(self) -> Decimal:
        """The signed notional of all symbols once all working orders are filled."""
        net = _ZERO
        for holding in self.holdings.values():
            net += holding.net
        return net

    @property
    def maintenance(self) -> Decimal:
        """The maintenance margin of all positions."""
        margin = _ZERO
        for holding in self.holdings.values():
            if holding.quantity:
                margin += holding.instrument.maintenance(abs(holding.quantity) * valued(holding))
        return margin


def valued(holding: Holding) -> Decimal:
    """Return the price (quote currency) that a position is valued at; its average price before any is known."""
    price = holding.value_price
    if price is None:
        return holding.cost / holding.quantity if holding.quantity else _ZERO
    return Decimal(repr(price))


def unrealised(holding: Holding) -> Decimal:
    """Return the unrealised profit of a position in the settlement currency; 0 before any price is known."""
    if holding.value_price is None:
        return _ZERO
    return holding.quantity * valued(holding) - holding.cost

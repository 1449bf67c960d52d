"""Margin: what positions need to be opened and to be kept, and how much of what backs them that is."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from quantmind.market.instruments import Instrument

_ZERO = Decimal(0)


class Margined(msgspec.Struct, frozen=True):
    """A position as its margin is worked out: initial = notional / leverage, maintenance = notional * rate - amount.

    Binance FAQ "Leverage and Margin of USD-M Futures". Of an `instrument` its `quantity` (base currency, short is
    negative), its `cost` (settlement currency, of the same sign), the `price` (quote currency) it is valued at, and its
    `leverage`, how many times its margin it is worth. All money is in the settlement currency.
    """

    instrument: Instrument
    quantity: Decimal
    cost: Decimal
    price: Decimal
    leverage: Decimal

    @property
    def notional(self) -> Decimal:
        """What the position is worth, unsigned."""
        return abs(self.quantity) * self.price

    @property
    def unrealised(self) -> Decimal:
        """The profit that closing it at the price would realise."""
        return self.quantity * self.price - self.cost

    @property
    def initial(self) -> Decimal:
        """The initial margin: notional / leverage."""
        return self.notional / self.leverage

    @property
    def maintenance(self) -> Decimal:
        """The maintenance margin: notional * rate - amount of the tier that the notional falls in; 0 when flat."""
        return self.instrument.maintenance(self.notional) if self.quantity else _ZERO


class Margin(msgspec.Struct, frozen=True):
    """What backs positions, and what they need of it: ratio = maintenance / balance, at 1 the venue liquidates.

    Binance FAQ "How to Calculate Liquidation Price of USD-M Futures Contracts". `balance` has the unrealised profit in
    it; `initial` is needed to open the positions, `maintenance` to keep them. All are in the settlement currency.
    """

    balance: Decimal
    initial: Decimal
    maintenance: Decimal

    @property
    def ratio(self) -> Decimal | None:
        """The maintenance margin as a part of the balance: at 1 the venue liquidates; None where nothing is left."""
        return self.maintenance / self.balance if self.balance > 0 else None

    @property
    def available(self) -> Decimal:
        """What of the balance may back new positions."""
        return max(self.balance - self.initial, _ZERO)

    @property
    def exhausted(self) -> bool:
        """Whether the balance has fallen to the maintenance margin, so that the venue liquidates."""
        return self.maintenance > 0 and self.balance <= self.maintenance


def cross(wallet: Decimal, positions: Iterable[Margined]) -> Margin:
    """Return the margin of positions (in any order) that the whole wallet backs; profits of one back the others.

    balance = wallet + sum(unrealised), in the settlement currency (Binance FAQ, as for `Margin`: cross margin).
    """
    balance = wallet
    initial = maintenance = _ZERO
    for position in positions:
        balance += position.unrealised
        initial += position.initial
        maintenance += position.maintenance
    return Margin(balance, initial, maintenance)


def isolated(position: Margined, added: Decimal = _ZERO) -> Margin:
    """Return the margin of a position that only its own backs: cost / leverage + added + unrealised profit.

    All are in the settlement currency (Binance FAQ, as for `Margin`: isolated margin).
    """
    balance = abs(position.cost) / position.leverage + added + position.unrealised
    return Margin(balance, position.initial, position.maintenance)

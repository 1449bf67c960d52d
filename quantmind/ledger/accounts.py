"""Accounts: a balance and the positions it stands for."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from quantmind.ledger.positions import Position


class Account:
    """The wallet of one account in its settlement currency, with a position for each symbol."""

    def __init__(self, balance: Decimal, symbols: Iterable[str]) -> None:
        self.started_with = balance
        self.wallet = balance
        self.positions = {symbol: Position() for symbol in symbols}

    def fill(self, symbol: str, quantity: Decimal, price: Decimal, fee: Decimal) -> Decimal:
        """Book a fill of a signed quantity; returns what it realised, fees apart."""
        realised = self.positions[symbol].fill(quantity, price, fee)
        self.wallet += realised - fee
        return realised

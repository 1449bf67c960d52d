"""Accounts: a balance and the positions it stands for, double entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from quantmind.ledger.lines import CAPITAL, CLEARING, FEES, FUNDING, REALISED, WALLET, position_account
from quantmind.ledger.positions import Position

_ZERO = Decimal(0)


class Account:
    """The wallet of one account in its settlement currency, with a position for each symbol.

    What it books is what `lines.py` posts for the same event. The balances are attributes, because a backtest books
    tens of thousands of fills; the tests hold them against the sums of the lines.
    """

    __slots__ = ("clearing", "fees", "funding", "positions", "realised", "started_with", "wallet")

    def __init__(self, balance: Decimal, symbols: Iterable[str]) -> None:
        self.started_with = balance
        self.wallet = balance
        self.positions = {symbol: Position() for symbol in symbols}
        self.clearing = _ZERO
        """Less what the open positions cost."""
        self.realised = _ZERO
        """What closing positions earned, fees apart."""
        self.fees = _ZERO
        """What was paid in fees."""
        self.funding = _ZERO
        """What was received in funding, negative when paid."""

    @property
    def balances(self) -> Mapping[str, Decimal]:
        """The balance of each money account, a debit positive; they sum to 0."""
        return {
            WALLET: self.wallet,
            CAPITAL: -self.started_with,
            CLEARING: self.clearing,
            REALISED: -self.realised,
            FEES: self.fees,
            FUNDING: -self.funding,
            **{position_account(symbol): position.cost for symbol, position in self.positions.items()},
        }

    def fill(self, symbol: str, quantity: Decimal, price: Decimal, fee: Decimal) -> Decimal:
        """Book a fill of a signed quantity; returns what it realised, fees apart."""
        realised = self.positions[symbol].fill(quantity, price, fee)
        self.fees += fee
        self.realised += realised
        self.clearing -= quantity * price + realised
        self.wallet += realised - fee
        return realised

    def fund(self, symbol: str, amount: Decimal) -> None:
        """Book a settlement of funding on a symbol: `amount` was received, negative when paid.

        Raises:
            KeyError: the account has no such symbol.
        """
        self.positions[symbol]
        self.funding += amount
        self.wallet += amount

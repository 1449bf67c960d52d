"""Accounts: a balance and the positions it stands for, double entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from quantmind.ledger.lines import CAPITAL, CLEARING, FEES, FUNDING, REALISED, WALLET, position_account
from quantmind.ledger.positions import Position

_ZERO = Decimal(0)


class Account:
    """The wallet of one account, with a position for each symbol, in the order of the recipe.

    All money is in the settlement currency. What it books is what `lines.py` posts for the same event. The balances are
    attributes, because a backtest books tens of thousands of fills; the tests hold them against the sums of the lines.
    """

    __slots__ = ("clearing", "fees", "funding", "positions", "realised", "started_with", "wallet")

    def __init__(self, balance: Decimal, symbols: Iterable[str]) -> None:
        self.started_with = balance
        """The balance that the account began with."""
        self.wallet = balance
        """That balance with what was realised, paid and received since."""
        self.positions = {symbol: Position() for symbol in symbols}
        """What is held, by symbol."""
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
        """Book a fill of a signed quantity (base currency) at a price (quote currency); returns what it realised.

        Fees are apart from what is realised.
        """
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

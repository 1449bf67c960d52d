"""The standing of the account that a Trader trades, kept cheap for what is looked at at every event."""

from __future__ import annotations

from collections.abc import Sequence

from quantmind.kinds.standing import Standing
from quantmind.ledger.accounts import Account
from quantmind.trader.desk import Desk


class Books(Standing):
    """The live view of an account and its desks."""

    def __init__(self, account: Account, desks: Sequence[Desk]) -> None:
        super().__init__(account.wallet, desks)
        self._account = account
        self._desks = tuple(desks)
        self._only = self._desks[0] if len(self._desks) == 1 else None
        self._wallet_now = float(account.wallet)
        self.peak = self._wallet_now
        self.fall = 0.0
        """The largest fall of the equity from its peak, as a part of it."""
        self.settle()

    def settle(self, changed: Desk | None = None) -> None:
        """Take note that the wallet and a position, or all of them, have changed."""
        self.wallet = self._account.wallet
        self._wallet_now = float(self.wallet)
        for desk in self._desks if changed is None else (changed,):
            desk.quantity_now = float(desk.position.quantity)
            desk.cost_now = float(desk.position.cost)

    @property
    def equity_now(self) -> float:
        """The equity as a float."""
        if self._only is not None:
            return self._wallet_now + self._only.unrealised_now()
        equity = self._wallet_now
        for desk in self._desks:
            if desk.quantity_now:
                equity += desk.unrealised_now()
        return equity

    def look(self) -> None:
        """Take note of how high the equity is, and how far below its peak."""
        only = self._only
        if only is None:
            equity = self.equity_now
        else:
            # This runs for every event while something is held: the same sum, without its calls.
            equity = self._wallet_now + only.quantity_now * (only.value_price or 0.0) - only.cost_now
        if equity > self.peak:
            self.peak = equity
        elif equity < self.peak * (1.0 - self.fall):
            self.fall = 1.0 - equity / self.peak

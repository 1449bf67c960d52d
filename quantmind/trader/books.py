"""The standing of the account that a Trader trades, kept cheap for what is looked at at every event."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import inf

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
            desk.calm_low, desk.calm_high = inf, -inf
        if changed is not None and not changed.quantity_now:
            # The next event may not look: nothing is held any more.
            self.look()

    def state(self) -> str:
        """Return the peak and the largest fall, which no fact tells."""
        return f"{self.peak!r} {self.fall!r}"

    def restore(self, state: str) -> None:
        """Take back what was saved."""
        peak, fall = state.split()
        self.peak, self.fall = float(peak), float(fall)

    @property
    def equity(self) -> Decimal:
        """The wallet and every unrealised profit, at mark prices, else last prices."""
        equity = self.wallet
        for desk in self._desks:
            position = desk.position
            quantity = position.quantity
            if quantity and desk.value_price is not None:
                equity += quantity * Decimal(repr(desk.value_price)) - position.cost
        return equity

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
        equity = self.equity_now
        if equity > self.peak:
            self.peak = equity
        elif equity < self.peak * (1.0 - self.fall):
            self.fall = 1.0 - equity / self.peak
        only = self._only
        if only is not None and only.quantity_now:
            # With one position the two bounds of the equity are two prices.
            base, quantity = self._wallet_now - only.cost_now, only.quantity_now
            bounds = ((self.peak * (1.0 - self.fall) - base) / quantity, (self.peak - base) / quantity)
            only.calm_low, only.calm_high = min(bounds), max(bounds)

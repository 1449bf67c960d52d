"""Money lines: how the events of an account are posted, double entry; the lines of each sum to exactly 0."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from quantmind.events import Fact, Fill, Funding

WALLET = "wallet"
"""What is in the account; what comes in is positive."""
CLEARING = "clearing"
"""The other side of what positions cost, until the venue pays what closing them earned."""
FEES = "fees"
"""What was paid in fees: an expense, positive."""
REALISED = "realised"
"""What closing positions earned: income, negative."""
FUNDING = "funding"
"""What was paid in funding: an expense; negative when received."""
CAPITAL = "capital"
"""The other side of what the account started with: negative."""

_ZERO = Decimal(0)


class Line(msgspec.Struct, frozen=True, gc=False):
    """An amount posted to a money account: a debit is positive, a credit negative."""

    account: str
    amount: Decimal


def position_account(symbol: str) -> str:
    """Name the money account that holds what the open quantity of a symbol cost."""
    return f"position:{symbol}"


def opening_lines(balance: Decimal) -> tuple[Line, ...]:
    """Return the lines by which an account starts with a balance."""
    return tuple(_posted((WALLET, balance), (CAPITAL, -balance)))


def fill_lines(symbol: str, quantity: Decimal, price: Decimal, fee: Decimal, realised: Decimal) -> tuple[Line, ...]:
    """Return the lines of a fill of a signed quantity that realised something; amounts of 0 are left out."""
    value = quantity * price
    return tuple(
        _posted(
            (position_account(symbol), value + realised),
            (CLEARING, -value),
            (REALISED, -realised),
            (FEES, fee),
            (WALLET, -fee),
            (CLEARING, -realised),
            (WALLET, realised),
        )
    )


def funding_lines(amount: Decimal) -> tuple[Line, ...]:
    """Return the lines of a settlement of funding: `amount` was received, negative when paid."""
    return tuple(_posted((FUNDING, -amount), (WALLET, amount)))


def lines(fact: Fact) -> tuple[Line, ...]:
    """Return the lines of a journalled fact; one that moves no money of the account has none.

    A Transfer has none: strategies pass to each other what the account holds already.
    """
    if isinstance(fact, Fill):
        quantity = fact.quantity if fact.side == "buy" else -fact.quantity
        return fill_lines(fact.symbol, quantity, fact.price, fact.fee, fact.realised)
    if isinstance(fact, Funding):
        return funding_lines(fact.amount)
    return ()


def _posted(*entries: tuple[str, Decimal]) -> Iterator[Line]:
    return (Line(account, amount) for account, amount in entries if amount != _ZERO)

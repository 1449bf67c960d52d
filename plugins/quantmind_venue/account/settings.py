"""Settings of the account per contract: leverage, and what backs its position."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from quantmind.simulation.hosting import Hosting
from quantmind_venue.errors import VenueError
from quantmind_venue.listing import Listed

LEVERAGE = 20
"""The leverage of a contract until it is changed."""

_ENDLESS = Decimal(1_000_000_000)
"""The notional up to which the highest tier reaches."""


class Bracket:
    """One bracket of notional and leverage."""

    __slots__ = ("amount", "cap", "floor", "leverage", "rate")

    def __init__(self, floor: Decimal, cap: Decimal, rate: Decimal, amount: Decimal) -> None:
        self.floor = floor
        self.cap = cap
        self.rate = rate
        self.amount = amount
        # The venue asks for twice the maintenance margin to begin with.
        self.leverage = max(int(1 / (2 * rate)), 1)


def brackets(listed: Listed) -> list[Bracket]:
    """Return the brackets of a contract, from the smallest notional on."""
    tiers = listed.instrument.tiers
    caps = [tier.floor for tier in tiers[1:]] + [_ENDLESS]
    return [Bracket(tier.floor, cap, tier.rate, tier.amount) for tier, cap in zip(tiers, caps, strict=True)]


class Settings:
    """What the account chose, with the matching engine told of it."""

    def __init__(self, matching: Hosting) -> None:
        self._matching = matching
        self._leverage: dict[str, int] = {}
        self._isolated: set[str] = set()
        self._brackets: dict[str, list[Bracket]] = {}

    def brackets(self, listed: Listed) -> list[Bracket]:
        """Return the brackets of a contract."""
        found = self._brackets.get(listed.spelling)
        if found is None:
            found = self._brackets[listed.spelling] = brackets(listed)
        return found

    def most(self, listed: Listed) -> int:
        """Return the highest leverage of a contract."""
        return self.brackets(listed)[0].leverage

    def leverage(self, listed: Listed) -> int:
        """Return the leverage of a contract."""
        return self._leverage.get(listed.spelling, min(LEVERAGE, self.most(listed)))

    def isolated(self, listed: Listed) -> bool:
        """Say whether a position is backed by its own margin alone."""
        return listed.spelling in self._isolated

    def max_notional(self, listed: Listed, leverage: int | None = None) -> Decimal:
        """Return the largest notional of a position at a leverage."""
        wanted = leverage or self.leverage(listed)
        return max((each.cap for each in self.brackets(listed) if each.leverage >= wanted), default=Decimal(0))

    def set_leverage(self, listed: Listed, leverage: int, notional: Decimal) -> dict[str, Any]:
        """Change the leverage of a contract whose position has a notional.

        Raises:
            VenueError: there is no such leverage, or the position is too large for it.
        """
        if not 1 <= leverage <= self.most(listed):
            raise VenueError(-4028, f"Leverage {leverage} is not valid")
        largest = self.max_notional(listed, leverage)
        if notional > largest:
            raise VenueError(-2028, "Leverage is smaller than permitted: insufficient margin balance.")
        if self.isolated(listed) and notional and leverage < self.leverage(listed):
            raise VenueError(-4161, "Leverage reduction is not supported in Isolated Margin Mode with open positions.")
        self._leverage[listed.spelling] = leverage
        self._matching.set_leverage(listed.symbol, Decimal(leverage))
        return {"leverage": leverage, "maxNotionalValue": f"{largest:f}", "symbol": listed.spelling}

    def set_isolated(self, listed: Listed, isolated: bool) -> None:
        """Change what backs the position of a contract."""
        if isolated:
            self._isolated.add(listed.spelling)
        else:
            self._isolated.discard(listed.spelling)
        self._matching.set_margin(listed.symbol, "isolated" if isolated else "cross")

"""A band of prices within which a margin figure cannot have reached its limit."""

from __future__ import annotations

import math
from decimal import Decimal

from quantmind.kinds import Standing
from quantmind.kinds.standing import Holding

_SAFE = 1.0 - 1e-9
"""How much narrower than the exact figure the band of floats is."""


class Band:
    """Spares an exact computation at every event: while wallet, positions and prices stay, so does its answer."""

    __slots__ = ("_edges", "_standing", "_wallet")

    def __init__(self) -> None:
        self._standing: Standing | None = None
        self._wallet: Decimal | None = None
        self._edges: tuple[tuple[Holding, Decimal, float, float], ...] = ()

    def holds(self, standing: Standing) -> bool:
        """Say whether nothing has changed by more than was drawn."""
        if standing is not self._standing or standing.wallet is not self._wallet:
            return False
        for holding, quantity, low, high in self._edges:
            price = holding.value_price
            if holding.quantity is not quantity or (price is not None and not low < price < high):
                return False
        return True

    def draw(self, standing: Standing, width: Decimal) -> None:
        """Let every price move by less than `width`, a part of it."""
        self._standing, self._wallet = standing, standing.wallet
        part = float(width) * _SAFE
        edges = []
        for holding in standing.holdings.values():
            price = holding.value_price
            if not holding.quantity:
                edges.append((holding, holding.quantity, -math.inf, math.inf))
            elif price is None:
                self.drop()
                return
            else:
                edges.append((holding, holding.quantity, price * (1.0 - part), price * (1.0 + part)))
        self._edges = tuple(edges)

    def drop(self) -> None:
        """Forget what was drawn."""
        self._standing = None

"""Protection rules: when to leave a position that went wrong, or right."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from quantmind.kinds.component import O
from quantmind.kinds.rule import Rule
from quantmind.market.instruments import Instrument


class Held(msgspec.Struct, frozen=True, gc=False):
    """A strategy's sub-position, as a protection rule sees it."""

    strategy: str
    """The strategy's id in the recipe."""
    quantity: Decimal
    """In base currency, short is negative; never 0."""
    average_price: Decimal
    """The average fill price, in quote currency."""
    since: int
    """When it was opened, ns UTC."""
    distance: Decimal | None
    """The stop distance that its size was computed with, in quote currency; None where no rule gave one."""
    stop: Decimal | None
    """The stop that is in force, in quote currency; None before the first one."""
    best: float
    """The highest price (the lowest, when short) since it was opened, in quote currency."""


class Levels(msgspec.Struct, frozen=True, gc=False):
    """Where a sub-position is left: a rule says what it has an opinion on.

    The Trader keeps the tightest stop ever said; of what all rules say now it takes the nearest take-profit and the
    earliest time. It rounds stops to the tick towards the price, so that they lose less, take-profits away from it.
    """

    stop: Decimal | None = None
    """The price to leave it at when it goes wrong, in quote currency."""
    take_profit: Decimal | None = None
    """The price to leave it at when it goes right, in quote currency."""
    until: int | None = None
    """The time, ns UTC, from which on the sub-position is closed at market."""


class Protection(Rule[O]):
    """Says how far a stop is from the price, and where a sub-position is left.

    There is one instance for each instrument. With the capability `protects` it promises a stop for every
    position: while it has no distance, increases are refused.
    """

    kind = "protection"

    def __init__(self, options: O, instrument: Instrument) -> None:
        super().__init__(options)
        self.instrument = instrument
        """What it protects positions of."""

    def distance(self, price: Decimal) -> Decimal | None:  # noqa: ARG002
        """Return the distance of the stop of a position opened at a price, both in quote currency and above 0.

        None where the rule gives no stop, or cannot yet.
        """
        return None

    def has_news(self, side: int, best: float, stop: float) -> bool:  # noqa: ARG002
        """Say whether `levels` may say something new; asked after each `on_market`, so cheap and in floats.

        `side` is 1 for long and -1 for short; `best` is the best price since it was opened and `stop` the stop in
        force, both in quote currency. Before there is a stop, levels are asked for. A rule that does not answer is
        asked for its levels each time.
        """
        return True

    def levels(self, held: Held) -> Levels:
        """Return where a sub-position is left; asked after each of its fills, and when there is news."""
        raise NotImplementedError

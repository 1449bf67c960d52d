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
    quantity: Decimal
    """Signed; never 0."""
    average_price: Decimal
    """The average fill price."""
    since: int
    """When it was opened, ns UTC."""
    distance: Decimal | None
    """The stop distance that its size was computed with, in price units; None where no rule gave one."""
    stop: Decimal | None
    """The stop that is in force; None before the first one."""
    best: float
    """The highest price (the lowest, when short) since it was opened."""


class Levels(msgspec.Struct, frozen=True, gc=False):
    """Where a sub-position is left: a rule says what it has an opinion on.

    The Trader keeps the tightest stop ever said, the nearest take-profit and the earliest time; it rounds stops
    to the tick on the safe side.
    """

    stop: Decimal | None = None
    take_profit: Decimal | None = None
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

    def distance(self, price: Decimal) -> Decimal | None:  # noqa: ARG002
        """Return the distance of the stop of a position opened at a price, in price units (> 0).

        None where the rule gives no stop, or cannot yet.
        """
        return None

    def has_news(self, side: int, best: float, stop: float) -> bool:  # noqa: ARG002
        """Say whether `levels` may say something new; asked after each `on_market`, so cheap and in floats.

        `side` is 1 for long and -1 for short, `best` the best price since it was opened, and `stop` the stop in
        force: before there is one, levels are asked for. A rule that does not answer is asked for its levels each time.
        """
        return True

    def levels(self, held: Held) -> Levels:
        """Return where a sub-position is left; asked after each of its fills, and when there is news."""
        raise NotImplementedError

"""One order as the venue holds it."""

from __future__ import annotations

from decimal import Decimal
from math import inf, isnan, nan

from quantmind.events import Amend, Submit

_ZERO = Decimal(0)
_RANKS = {"stop_market": 0, "trailing_stop_market": 0, "market": 1, "limit": 2, "take_profit_market": 3}


class Resting:
    """An order on its way to the venue, resting there, or with its trigger reached."""

    # Not slots: most orders are at market and never have more of their own than what is set at once.
    filled = _ZERO
    fills = 0
    arrived = False
    triggered = False
    closing = False
    """Whether it is settled how much of the position it closes."""
    cancel_due: int | None = None
    cancel_after = 0
    """The last market event that still meets it although it is cancelled."""
    amends: list[tuple[int, Amend]] | None = None

    def __init__(self, submit: Submit, due: int, by_mark: bool = False) -> None:
        kind = submit.order_type
        self.submit = submit
        self.id = submit.order
        self.buys = submit.side == "buy"
        self.kind = kind
        self.due = due
        self.after = submit.after
        self.total = self.left = submit.quantity
        self.reduces = submit.reduce_only or submit.close_position
        self.by_mark = by_mark
        if kind == "market":
            return
        self.rank = _RANKS[kind]
        self.price = submit.price
        self.trigger = submit.trigger
        self.falls = self.buys if kind in {"limit", "take_profit_market"} else not self.buys
        """Whether it acts when the price falls to its level; else when it rises to it."""
        self.queue = inf
        """The size that must trade at its price before it does; inf where that is not known."""
        self.callback = float(submit.callback) if submit.callback is not None else nan
        self.extreme = nan
        """The best price that a trailing stop follows from; not a number before it is active."""
        self.moved = False
        """Whether a trailing stop moved and nobody was told."""
        self.relevel()

    def fire(self) -> None:
        """Become the order that was held back: at the market, or at a limit where it has a price."""
        self.triggered = True
        if self.submit.price is None or self.kind == "trailing_stop_market":
            self.kind = "market"
            return
        self.kind = "limit"
        self.rank = _RANKS["limit"]
        self.falls = self.buys
        self.relevel()

    def close(self, room: Decimal) -> None:
        """Close what is held now: what comes to the position later is not its."""
        self.closing = True
        self.left = room
        if not self.total:
            self.total = self.filled + room

    def relevel(self) -> None:
        """Take the level from the present price or trigger."""
        at = self.price if self.kind == "limit" else self.trigger
        self.level = float(at) if at is not None else nan

    @property
    def plain(self) -> bool:
        """Whether it is a market order that nobody changes: it meets the next price, whatever that is."""
        return self.kind == "market" and not self.triggered and self.cancel_due is None and not self.amends

    @property
    def active(self) -> bool:
        """Whether a trailing stop follows the price."""
        return not isnan(self.extreme)

    def copy(self) -> Resting:
        """Return a copy that goes its own way."""
        made = object.__new__(Resting)
        made.__dict__.update(self.__dict__)
        if self.amends is not None:
            made.amends = self.amends.copy()
        return made

"""The loss_streak limit."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from quantmind.events import Fact, Fill, Funding, Latch, LatchLevel
from quantmind.kinds import Limit, Options, Standing, Stop

_ZERO = Decimal(0)


class LossStreakOptions(Options):
    """Options of loss_streak."""

    losses: int = Field(
        ge=1, examples=[5], description="The losing trades in a row, of all symbols, that are too many."
    )
    then: LatchLevel = Field(default="reduce", description="What happens then: reduce, flatten or halt.")


class LossStreak(Limit[LossStreakOptions]):
    """Stops trading after a number of losing trades in a row.

    A trade lasts from the opening of a symbol's position to when it is 0 or on the other side; its result is what it
    realised, less fees, with funding. One whose opening was not seen does not count.
    """

    # A restart shows all facts again, so there is nothing to save.

    name = "loss_streak"

    def __init__(self, options: LossStreakOptions) -> None:
        super().__init__(options)
        self._streak = 0
        self._open: dict[str, Decimal] = {}
        """The result so far of each symbol's open trade."""

    def on_fact(self, fact: Fact) -> None:
        """Take a fill or a funding; when its latch is cleared the count begins anew."""
        if isinstance(fact, Fill):
            self._fill(fact)
        elif isinstance(fact, Funding):
            if fact.symbol in self._open:
                self._open[fact.symbol] += fact.amount
        elif isinstance(fact, Latch) and fact.name == self.name and fact.level is None:
            self._streak = 0

    def watch(self, standing: Standing) -> Stop | None:  # noqa: ARG002
        """Stop after as many losses."""
        if self._streak < self.options.losses:
            return None
        return Stop(self.options.then, f"losing trades in a row {self._streak} >= limit {self.options.losses}")

    def reset(self, standing: Standing) -> None:  # noqa: ARG002
        """Begin anew."""
        self._streak = 0

    def _fill(self, fill: Fill) -> None:
        after, symbol = fill.position, fill.symbol
        before = after - fill.quantity if fill.side == "buy" else after + fill.quantity
        if not before:
            self._open[symbol] = -fill.fee
            return
        flipped = after != 0 and (after > 0) != (before > 0)
        # A fill that turns the position pays its fee for both trades, each for its own quantity.
        closing_fee = fill.fee * abs(before) / fill.quantity if flipped else fill.fee
        if symbol in self._open:
            self._open[symbol] += fill.realised - closing_fee
        if after and not flipped:
            return
        result = self._open.pop(symbol, None)
        if result is not None:
            self._streak = self._streak + 1 if result < _ZERO else 0
        if flipped:
            self._open[symbol] = closing_fee - fill.fee

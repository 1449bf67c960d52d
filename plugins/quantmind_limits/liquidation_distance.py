"""The liquidation_distance limit."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from quantmind.events import LatchLevel, Side
from quantmind.kinds import ALLOWED, Increase, Limit, Options, Refused, Shrunk, Standing, Stop, Verdict
from quantmind.kinds.standing import Holding, unrealised, valued
from quantmind.market.instruments import Instrument
from quantmind_limits.band import Band
from quantmind_limits.rounding import DOWN, below

_ZERO = Decimal(0)
_ONE = Decimal(1)


class LiquidationDistanceOptions(Options):
    """Options of liquidation_distance."""

    limit: Decimal = Field(
        gt=0,
        lt=1,
        examples=[0.1],
        description="The least distance of the mark from the liquidation price, as a part of the mark.",
    )
    then: LatchLevel | None = Field(
        default=None,
        examples=["reduce"],
        description="What happens when the market goes beyond it: reduce, flatten, halt, or nothing.",
    )


class LiquidationDistance(Limit[LiquidationDistanceOptions]):
    """Shrinks what would bring the liquidation price nearer to the mark than a part of it.

    At the liquidation price what backs a position is its maintenance margin. With d the distance as a part of the
    mark, N the notional at the mark and B the backing (the equity less what the other positions need), long:
    B - N * d = N * (1 - d) * rate - amount; for the tier that gives the least d.
    """

    name = "liquidation_distance"

    def __init__(self, options: LiquidationDistanceOptions) -> None:
        super().__init__(options)
        self._band = Band()

    def check(self, increase: Increase) -> Verdict:
        """Allow, shrink to what is left, or refuse when no step or no equity is; the increase is taken at the mark."""
        limit, instrument, side = self.options.limit, increase.instrument, increase.side
        if increase.equity <= 0:
            return Refused(self.name, f"equity {increase.equity:f} <= 0")
        mark = increase.mark if increase.mark is not None and increase.mark > 0 else increase.price
        backing = _backing(increase.standing, instrument.symbol, increase.equity)
        after = (increase.held + increase.quantity) * mark
        if _spare(instrument, side, after, backing, limit) >= 0:
            return ALLOWED
        figures = f"distance {below(_distance(instrument, side, after, backing))} < limit {limit:f}"
        most = min(
            DOWN.divide(backing + tier.amount, mark * (limit + (1 + _away(side) * limit) * tier.rate))
            for tier in instrument.tiers
        )
        left = instrument.quantity(min(most - increase.held, increase.quantity))
        if left <= 0 or _spare(instrument, side, (increase.held + left) * mark, backing, limit) < 0:
            return Refused(self.name, figures)
        return Shrunk(left, self.name, figures)

    def watch(self, standing: Standing) -> Stop | None:
        """Stop below the limit, if it is to."""
        then = self.options.then
        if then is None or self._band.holds(standing):
            return None
        limit, equity = self.options.limit, standing.equity
        least: Decimal | None = None
        gross = steepest = _ZERO
        for symbol, holding in standing.holdings.items():
            if not holding.quantity:
                continue
            side: Side = "buy" if holding.quantity > 0 else "sell"
            notional = abs(holding.quantity) * valued(holding)
            backing = _backing(standing, symbol, equity) if holding.leverage is None else _own(holding)
            spare = _spare(holding.instrument, side, notional, backing, limit)
            if spare < 0:
                self._band.drop()
                shown = below(_distance(holding.instrument, side, notional, backing))
                return Stop(then, f"distance of {symbol} {shown} < limit {limit:f}")
            gross += notional
            steepest = max(steepest, *(tier.rate for tier in holding.instrument.tiers))
            least = spare if least is None else min(least, spare)
        width = _ONE
        if least is not None and gross:
            # A move of all prices by a part takes at most that part of the gross notional, and asks for as much margin.
            width = min(least / (gross * (1 + limit) * (1 + steepest)), _ONE)
        self._band.draw(standing, width)
        return None


def _away(side: Side) -> int:
    """Return the sign of a move of the price that loses."""
    return -1 if side == "buy" else 1


def _spare(instrument: Instrument, side: Side, notional: Decimal, backing: Decimal, limit: Decimal) -> Decimal:
    """Return what the backing exceeds the maintenance margin by, at the limit's distance from the mark."""
    there = 1 + _away(side) * limit
    return min(backing - notional * (limit + there * tier.rate) + tier.amount for tier in instrument.tiers)


def _distance(instrument: Instrument, side: Side, notional: Decimal, backing: Decimal) -> Decimal:
    """Return the distance of the liquidation price, as a part of the mark; below 0 where it is past it."""
    return min(
        (backing - notional * tier.rate + tier.amount) / (notional * (1 + _away(side) * tier.rate))
        for tier in instrument.tiers
    )


def _backing(standing: Standing, symbol: str, equity: Decimal) -> Decimal:
    """Return the equity less what the other positions need: their maintenance, or all that an isolated one has."""
    for other, holding in standing.holdings.items():
        if other != symbol and holding.quantity:
            if holding.leverage is None:
                equity -= holding.instrument.maintenance(abs(holding.quantity) * valued(holding))
            else:
                equity -= _own(holding)
    return equity


def _own(holding: Holding) -> Decimal:
    """Return what backs an isolated position: its cost / leverage, and its profit."""
    return abs(holding.cost) / (holding.leverage or _ONE) + unrealised(holding)

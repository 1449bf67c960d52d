"""Trailing stops: a level that follows the best price at a distance and never goes back."""

from __future__ import annotations

from decimal import Decimal

from quantmind.events import Amended
from quantmind.market.instruments import Instrument
from quantmind.simulation.resting import Resting

_ONE = Decimal(1)


def follow(instrument: Instrument, order: Resting, price: float) -> None:
    """Let an order see a price; it becomes active at its trigger, or at once where it has none.

    A sell follows the highest price, at callback below it, rounded down to the tick; a buy the lowest, rounded up.
    """
    if not order.active:
        if order.trigger is not None and (price > order.level if order.buys else price < order.level):
            return
    elif price >= order.extreme if order.buys else price <= order.extreme:
        return
    order.extreme = price
    order.moved = True
    distance = order.submit.callback or Decimal(0)
    best = Decimal(repr(price))
    if order.buys:
        order.trigger = instrument.buy_price(float(best * (_ONE + distance)))
    else:
        order.trigger = instrument.sell_price(float(best * (_ONE - distance)))
    order.relevel()


def resume(instrument: Instrument, order: Resting, extreme: Decimal) -> None:
    """Let an order go on from the best price it had seen."""
    order.trigger = None
    follow(instrument, order, float(extreme))
    order.moved = False


def told(order: Resting, ts: int) -> Amended:
    """Say where a trailing stop is now: its trigger, and as `price` the best price it follows from."""
    order.moved = False
    order.price = Decimal(repr(order.extreme))
    return Amended(order.id, ts, order.total, order.price, order.trigger)

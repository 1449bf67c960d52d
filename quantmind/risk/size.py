"""The size: how much to hold, given what may be lost. Rounded down, so that a bound is never passed."""

from __future__ import annotations

from decimal import ROUND_DOWN, Context, Decimal

import msgspec

from quantmind.market.instruments import Instrument
from quantmind.risk.ranges import NOT_NEGATIVE, PART, POSITIVE

_ZERO = Decimal(0)
_DOWN = Context(prec=28, rounding=ROUND_DOWN)


def at_leverage(leverage: Decimal, equity: Decimal, price: Decimal) -> Decimal:
    """Return the quantity whose notional is a multiple of the equity: leverage * E / price, by definition.

    E is in the settlement currency, `price` in quote currency, the result in base currency; 0 if nothing is left.
    """
    if leverage <= 0 or equity <= 0:
        return _ZERO
    return _DOWN.divide(_DOWN.multiply(leverage, equity), price)


def at_risk(
    fraction: Decimal, equity: Decimal, price: Decimal, distance: Decimal | None = None, cap: Decimal | None = None
) -> Decimal:
    """Return the quantity that loses a part of the equity at the stop: f * E / distance, at most cap * E / price.

    It is the percent risk model of Tharp, Trade Your Way to Financial Freedom (1998). E is in the settlement currency,
    `price` and `distance` in quote currency, the result in base currency; `cap` is a multiple of E. Without a stop the
    whole notional is at risk: the distance is the price. Where no equity is left, or the fraction is not above 0, it is
    0.
    """
    if distance is None:
        distance = price
    # fraction / distance against cap / price, without dividing both.
    if cap is not None and fraction * price > cap * distance:
        return at_leverage(cap, equity, price)
    return at_leverage(fraction, equity, distance)


class Size(msgspec.Struct, frozen=True):
    """A quantity that the venue accepts; 0, and the `reason`, where there is none."""

    quantity: Decimal
    """What to hold, in base currency."""
    wanted: Decimal
    """What the risk alone allows, before any bound, in base currency."""
    bound: str
    """What bounds it: `risk`, `cap` or `max_quantity`."""
    notional: Decimal
    """What it is worth, in the settlement currency."""
    loss: Decimal
    """What it loses at the stop, in the settlement currency."""
    reason: str = ""


def size(
    balance: Decimal,
    risk: Decimal,
    distance: Decimal,
    price: Decimal,
    instrument: Instrument,
    cap: Decimal | None = None,
) -> Size:
    """Return the quantity to hold when a part of the balance may be lost at a stop: balance * risk / distance.

    It is the percent risk model of Tharp, Trade Your Way to Financial Freedom (1998), bounded by a cap (a multiple of
    the balance) and by the venue's largest order, and rounded down to the step. `balance` is in the settlement
    currency, `risk` in (0, 1]; `distance` and `price` are in quote currency.

    Raises:
        ValueError: a figure is not in its range.
    """
    NOT_NEGATIVE.check("balance", balance)
    PART.check("risk", risk)
    POSITIVE.check("distance", distance)
    POSITIVE.check("price", price)
    wanted = at_risk(risk, balance, price, distance)
    bound, most = "risk", wanted
    if cap is not None:
        POSITIVE.check("cap", cap)
        capped = at_leverage(cap, balance, price)
        if capped < most:
            bound, most = "cap", capped
    if instrument.max_quantity is not None and instrument.max_quantity < most:
        bound, most = "max_quantity", instrument.max_quantity
    quantity = instrument.quantity(most)
    notional = quantity * price
    reason = ""
    if not quantity:
        reason = f"{round(most, 12).normalize():f} is less than one step of {instrument.step:f}"
    elif notional < instrument.min_notional:
        reason = f"notional {notional:f} is below the venue's minimum of {instrument.min_notional:f}"
    if reason:
        quantity = notional = _ZERO
    return Size(quantity, wanted, bound, notional, quantity * distance, reason)

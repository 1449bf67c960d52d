"""Filters: the steps and bounds that the price and the quantity of an order must keep."""

from __future__ import annotations

from decimal import Decimal

from quantmind_venue.errors import VenueError
from quantmind_venue.figures import plain
from quantmind_venue.listing import Listed


def trading(listed: Listed, reduces: bool) -> None:
    """Check that a contract takes orders."""
    if listed.status != "TRADING":
        if not reduces:
            raise VenueError(-4140, "Invalid symbol status for opening position.")
        if listed.status != "SETTLING":
            raise VenueError(-4141, "Symbol is closed.")


def price_step(listed: Listed, price: Decimal, name: str = "Price") -> None:
    """Check a price against PRICE_FILTER."""
    if price <= 0:
        raise VenueError(-4001, f"{name} less than 0.")
    if price < listed.min_price:
        raise VenueError(-4013, f"{name} less than min price.")
    if price > listed.max_price:
        raise VenueError(-4002, f"{name} greater than max price.")
    if -int(price.as_tuple().exponent) > listed.price_precision and price != round(price, listed.price_precision):
        raise VenueError(-1111, "Precision is over the maximum defined for this asset.")
    if price % listed.tick:
        raise VenueError(-4014, f"{name} not increased by tick size.")


def price_band(listed: Listed, price: Decimal, buys: bool, mark: Decimal | None) -> None:
    """Check a limit price against PERCENT_PRICE: a buyer must not pay too much, a seller not take too little."""
    if mark is None:
        return
    if buys and price > mark * listed.multiplier_up:
        bound = round(mark * listed.multiplier_up, listed.price_precision)
        raise VenueError(-4016, f"Limit price can't be higher than {plain(bound)}.")
    if not buys and price < mark * listed.multiplier_down:
        bound = round(mark * listed.multiplier_down, listed.price_precision)
        raise VenueError(-4024, f"Limit price can't be lower than {plain(bound)}.")


def quantity(listed: Listed, size: Decimal, at_market: bool) -> None:
    """Check a quantity against LOT_SIZE, or MARKET_LOT_SIZE."""
    if size <= 0:
        raise VenueError(-4003, "Quantity less than or equal to zero.")
    step = listed.market_step if at_market else listed.step
    if -int(size.as_tuple().exponent) > listed.quantity_precision and size != round(size, listed.quantity_precision):
        raise VenueError(-1111, "Precision is over the maximum defined for this asset.")
    if size < listed.min_quantity:
        raise VenueError(-4004, "Quantity less than min quantity.")
    if size > (listed.market_max_quantity if at_market else listed.max_quantity):
        raise VenueError(-4005, "Quantity greater than max quantity.")
    if size % step:
        raise VenueError(-4023, "Quantity not increased by step size.")


def notional(listed: Listed, size: Decimal, price: Decimal | None) -> None:
    """Check the notional of an order that is not reduce-only."""
    if price is not None and size * price < listed.min_notional:
        least = plain(listed.min_notional)
        raise VenueError(-4164, f"Order's notional must be no smaller than {least} (unless you choose reduce only).")

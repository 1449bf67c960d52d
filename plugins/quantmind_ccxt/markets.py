"""Markets: whether the recipe's instruments are what the venue trades, in the same steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from quantmind.errors import RecipeError
from quantmind.market.instruments import Instrument

_DECIMAL_PLACES = 2
_TICK_SIZE = 4
"""How ccxt says precision: by a number of decimals, or by the step itself."""


def check(instruments: Iterable[Instrument], markets: Mapping[str, Any], precision_mode: int, venue: str) -> None:
    """Compare the instruments with what the venue lists.

    Raises:
        RecipeError: one is not there, is no linear perpetual that trades, or has other steps; all that is wrong.
    """
    faults = [fault for instrument in instruments for fault in _faults(instrument, markets, precision_mode, venue)]
    if faults:
        raise RecipeError("; ".join(faults))


def contract_size(market: Mapping[str, Any]) -> float:
    """Return how much of the base currency one of the units is that a venue's sizes are told in."""
    return float(market.get("contractSize") or 1) if market.get("contract") else 1.0


def _faults(instrument: Instrument, markets: Mapping[str, Any], precision_mode: int, venue: str) -> Iterable[str]:
    symbol = instrument.symbol
    market = markets.get(symbol)
    if market is None:
        yield f"instruments: {venue} does not list {symbol}: take it out, or choose another exchange"
        return
    if not (market.get("swap") and market.get("linear")):
        yield f"instruments: {symbol} is no linear perpetual at {venue}: take it out"
        return
    if market.get("active") is False:
        yield f"instruments: {symbol} does not trade at {venue} now: take it out"
        return
    size = Decimal(str(contract_size(market)))
    for what, ours, told in (
        ("tick", instrument.tick, _step(market["precision"].get("price"), precision_mode)),
        ("step", instrument.step, _step(market["precision"].get("amount"), precision_mode, size)),
    ):
        if told is not None and told != ours:
            yield (
                f"instruments: the {what} of {symbol} is {ours} in the recipe and {told:f} at {venue}: "
                f"write {symbol}: {{{what}: {told:f}, ...}}"
            )


def _step(told: Any, precision_mode: int, size: Decimal = Decimal(1)) -> Decimal | None:
    """Return a step as a plain figure; None where the venue rounds to significant digits."""
    if told is None:
        return None
    if precision_mode == _TICK_SIZE:
        step = Decimal(str(told))
    elif precision_mode == _DECIMAL_PLACES:
        step = Decimal(1).scaleb(-int(told))
    else:
        return None
    return (step * size).normalize()

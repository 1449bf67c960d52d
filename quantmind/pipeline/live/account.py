"""The metrics of an account, as execution publishes them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from quantmind.events import Figure, OrderState
from quantmind.metrics import (
    AVERAGE_PRICE,
    DRAWDOWN,
    EQUITY,
    FACTS,
    FILLS,
    LATCHED,
    ORDERS,
    OWN,
    PNL,
    POSITION,
    PRICE,
    REFUSALS,
    STOP,
    WALLET,
)
from quantmind.pipeline.executing import Executing
from quantmind.trader.desk import Desk


def account_figures(executing: Executing) -> Iterable[Figure]:
    """Return money, positions with their stops, latches, and what was done so far."""
    trader = executing.trader
    account, chronicle = trader.account, trader.chronicle
    equity = trader.equity()
    yield EQUITY.figure(float(equity))
    yield WALLET.figure(float(account.wallet))
    yield PNL.figure(float(equity - account.started_with))
    yield DRAWDOWN.figure(trader.books.fall)
    yield FACTS.figure(chronicle.number)
    yield ORDERS.figure(chronicle.counts["orders"])
    yield FILLS.figure(chronicle.counts["fills"])
    yield from (REFUSALS.figure(count, code) for code, count in chronicle.refusals.items())
    for symbol, holding in trader.books.holdings.items():
        position = account.positions[symbol]
        if holding.value_price is not None:
            yield PRICE.figure(holding.value_price, symbol)
        if position.quantity:
            yield POSITION.figure(float(position.quantity), symbol)
            yield AVERAGE_PRICE.figure(float(position.average_price), symbol)
        if (stop := _stop(holding)) is not None:
            yield STOP.figure(float(stop), symbol)
    yield from (LATCHED.figure(1, name, latch.level) for name, latch in trader.latches.set.items() if latch.level)
    yield from (OWN.figure(value, name) for name, value in executing.figures.items())


def _stop(desk: object) -> Decimal | None:
    """Return the trigger of the stop that rests and is not being taken back."""
    for order in desk.protective.values() if isinstance(desk, Desk) else ():
        if order.purpose == "stop" and order.state is not OrderState.CANCELLING:
            return order.trigger
    return None

"""Amending: what may be changed of an order, and what an order must say."""

from __future__ import annotations

from quantmind.events import Amend, Amended, AmendRejected, Submit
from quantmind.simulation.resting import Resting


def fault(command: Submit) -> str:
    """Say what an order lacks; nothing when it is complete."""
    kind = command.order_type
    if kind == "limit" and command.price is None:
        return "a limit order needs a price"
    if kind in {"stop_market", "take_profit_market"} and command.trigger is None:
        return f"a {kind} order needs a trigger"
    if kind == "trailing_stop_market" and not (command.callback and 0 < command.callback < 1):
        return "a trailing_stop_market order needs a callback between 0 and 1"
    return ""


def amended(order: Resting, command: Amend, ts: int) -> Amended | AmendRejected:
    """Change an order; a new price is a new arrival, behind whoever is there."""
    if order.kind == "market":
        return AmendRejected(order.id, ts, "the order is being filled")
    if command.quantity is not None and command.quantity <= order.filled:
        return AmendRejected(order.id, ts, f"{order.filled} of it are filled")
    if command.price is not None and order.price is None:
        return AmendRejected(order.id, ts, "only a limit order has a price")
    if command.trigger is not None and order.kind not in {"stop_market", "take_profit_market"}:
        return AmendRejected(order.id, ts, "only a stop or a take-profit has a trigger to amend")
    if command.quantity is not None:
        if command.quantity > order.total and order.kind == "limit":
            order.arrived = False
        order.total = command.quantity
        order.left = command.quantity - order.filled
    if command.price is not None:
        order.arrived = order.arrived and command.price == order.price
        order.price = command.price
    if command.trigger is not None:
        order.trigger = command.trigger
    order.relevel()
    return Amended(order.id, ts, order.total, order.price, order.trigger)

"""Entry: what the account asks for, read and judged before the matching engine sees it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from quantmind.events import Submit, TimeInForce
from quantmind_venue.account import filters
from quantmind_venue.account.algo_orders import TYPES
from quantmind_venue.account.orders import Order
from quantmind_venue.api import parameters
from quantmind_venue.api.signing import missing
from quantmind_venue.errors import VenueError
from quantmind_venue.figures import ZERO
from quantmind_venue.listing import Listed

if TYPE_CHECKING:
    from quantmind_venue.account.account import Account

Sent = Mapping[str, str]

SIDES = ("BUY", "SELL")
_TIMES = ("GTC", "IOC", "FOK", "GTX", "GTD")
PREVENTIONS = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH")
NO_TIME = "Invalid timeInForce."
_MOST_AMENDMENTS = 10_000
_SOONEST = 600_000
"""How far (ms) in the future a GTD order must end."""
_PRICE_MATCH = "Data sent for parameter 'priceMatch' is not valid: this venue matches no prices, send the price itself."


def order_of(account: Account, sent: Sent) -> tuple[Order, Submit]:
    """Read an order, and what the matching engine is told of it.

    Raises:
        VenueError: it is not one, or the venue does not take it.
    """
    listed = account.listing[parameters.text(sent, "symbol")]
    side = parameters.choice(sent, "side", SIDES, -1117, "Invalid side.")
    kind = parameters.text(sent, "type")
    if kind in TYPES:
        raise VenueError(
            -4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."
        )
    if kind not in {"LIMIT", "MARKET"}:
        raise VenueError(-1116, "Invalid orderType.")
    one_way(sent)
    price_match(sent)
    parameters.unwanted(sent, "stopPrice", "callbackRate", "activationPrice", "activatePrice")
    parameters.off(sent, "closePosition")
    reduces = parameters.flag(sent, "reduceOnly")
    quantity = parameters.decimal(sent, "quantity")
    if quantity is None:
        raise missing("quantity")
    now = account.clock.now()
    at_market = kind == "MARKET"
    price, force, until = None, "GTC", 0
    if at_market:
        parameters.unwanted(sent, "price", "timeInForce")
    else:
        force = parameters.choice(sent, "timeInForce", _TIMES, -1115, NO_TIME)
        price = parameters.decimal(sent, "price")
        if price is None:
            raise missing("price")
        until = _good_till(sent, force, now)
    filters.trading(listed, reduces)
    filters.quantity(listed, quantity, at_market)
    mark = account.price_of(listed)
    if price is not None:
        filters.price_step(listed, price)
        filters.price_band(listed, price, side == "BUY", mark)
    if not reduces:
        filters.notional(listed, quantity, price or mark)
    client = parameters.client_id(sent, "newClientOrderId")
    if account.orders.taken(listed.spelling, client):
        raise VenueError(-4116, "ClientOrderId is duplicated.")
    if account.orders.count(listed.spelling) >= listed.max_orders:
        raise VenueError(-2025, "Reach max open order limit.")
    order = Order(account.next_number(), client, listed, side, kind, quantity, price, now, force, reduces)
    order.good_till = until
    order.prevention = parameters.optional(sent, "selfTradePreventionMode", PREVENTIONS, "EXPIRE_MAKER")
    room(account, listed, order, price or mark)
    engine_force = "gtc" if force == "GTD" else force.lower()
    submit = Submit(
        order.engine,
        listed.symbol,
        "buy" if side == "BUY" else "sell",
        quantity,
        reduces,
        0,
        account.seq,
        "market" if at_market else "limit",
        price,
        time_in_force=cast("TimeInForce", engine_force),
    )
    return order, submit


def room(account: Account, listed: Listed, order: Order, price: Decimal | None) -> None:
    """Check what an order may do to the position: what is left to reduce, and how large it may become."""
    held = account.ledger.position(listed).quantity
    if order.reduce_only:
        if not held or (held > 0) == order.buys:
            raise VenueError(-2022, "ReduceOnly Order is rejected.")
        others = sum(
            (
                each.left
                for each in account.orders.of(listed.spelling)
                if each.reduce_only and each.buys == order.buys and each is not order
            ),
            ZERO,
        )
        if others + min(order.left, abs(held)) > abs(held):
            raise VenueError(-4118, "ReduceOnly Order Failed. Please check your existing position and open orders.")
    elif price is not None:
        after = abs(held + (order.left if order.buys else -order.left))
        if after > abs(held) and after * price > account.settings.max_notional(listed):
            raise VenueError(-2027, "Exceeded the maximum allowable position at current leverage.")


def _good_till(sent: Sent, force: str, now: int) -> int:
    until = parameters.integer(sent, "goodTillDate")
    if force != "GTD":
        return 0
    if until is None:
        raise missing("goodTillDate")
    if until <= now + _SOONEST:
        raise parameters.invalid("goodTillDate")
    return until // 1000 * 1000


def one_way(sent: Sent) -> None:
    """Refuse what hedge mode alone has: a side of the position."""
    side = sent.get("positionSide", "BOTH")
    if side != "BOTH":
        if side in {"LONG", "SHORT"}:
            raise VenueError(-4061, "Order's position side does not match user's setting.")
        raise parameters.invalid("positionSide")


def price_match(sent: Sent) -> None:
    """Refuse a price that the venue is to choose."""
    if sent.get("priceMatch", "NONE") != "NONE":
        raise VenueError(-1130, _PRICE_MATCH)


def amendment_of(account: Account, sent: Sent) -> tuple[Order, Decimal, Decimal]:
    """Read a change: the order, its new quantity, its new price.

    Raises:
        VenueError: it is none, or the venue does not take it.
    """
    order = account.known(sent, -2013, "Order does not exist.")
    if not order.open:
        raise VenueError(-2013, "Order does not exist.")
    listed = order.listed
    side = parameters.choice(sent, "side", SIDES, -1117, "Invalid side.")
    price_match(sent)
    quantity, price = parameters.decimal(sent, "quantity"), parameters.decimal(sent, "price")
    if quantity is None:
        raise missing("quantity")
    if price is None:
        raise missing("price")
    if side != order.side:
        raise parameters.invalid("side")
    if order.price is None:
        raise VenueError(-1116, "Invalid orderType: only limit orders can be modified.")
    if len(order.amendments) >= _MOST_AMENDMENTS:
        raise VenueError(-5026, "Exceed maximum modify order limit.")
    if quantity == order.quantity and price == order.price:
        raise VenueError(-5027, "No need to modify the order.")
    filters.quantity(listed, quantity, at_market=False)
    filters.price_step(listed, price)
    filters.price_band(listed, price, order.buys, account.price_of(listed))
    if not order.reduce_only:
        filters.notional(listed, quantity, price)
    return order, quantity, price

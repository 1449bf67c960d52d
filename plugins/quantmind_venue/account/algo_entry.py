"""Entry of conditional orders: read and judged before the matching engine sees them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal, cast

from quantmind.events import OrderType, Submit, TimeInForce
from quantmind_venue.account import filters
from quantmind_venue.account.algo_orders import AT_MARKET, TYPES, AlgoOrder
from quantmind_venue.account.entry import NO_TIME, PREVENTIONS, SIDES, Sent, one_way, price_match
from quantmind_venue.api import parameters
from quantmind_venue.api.signing import missing
from quantmind_venue.errors import VenueError
from quantmind_venue.figures import ZERO
from quantmind_venue.listing import Listed

if TYPE_CHECKING:
    from quantmind_venue.account.account import Account

_ALGO_TIMES = ("GTC", "IOC", "FOK", "GTX", "GTE_GTC")
_NO_POSITION = (
    "Time in Force (TIF) GTE can only be used with open positions. Please ensure that positions are available."
)
_ENGINE: dict[str, OrderType] = {
    "STOP": "stop_market",
    "STOP_MARKET": "stop_market",
    "TAKE_PROFIT": "take_profit_market",
    "TAKE_PROFIT_MARKET": "take_profit_market",
    "TRAILING_STOP_MARKET": "trailing_stop_market",
}


def algo_of(account: Account, sent: Sent) -> tuple[AlgoOrder, Submit]:
    """Read a conditional order, and what the matching engine is told of it.

    Raises:
        VenueError: it is not one, or the venue does not take it.
    """
    parameters.choice(sent, "algoType", ("CONDITIONAL",), -1130, "Data sent for parameter 'algoType' is not valid.")
    listed = account.listing[parameters.text(sent, "symbol")]
    side = parameters.choice(sent, "side", SIDES, -1117, "Invalid side.")
    kind = parameters.choice(sent, "type", TYPES, -1116, "Invalid orderType.")
    one_way(sent)
    price_match(sent)
    force = sent.get("timeInForce", "GTC")
    if force not in _ALGO_TIMES:
        raise VenueError(-1115, NO_TIME)
    working = parameters.optional(sent, "workingType", ("MARK_PRICE", "CONTRACT_PRICE"), "CONTRACT_PRICE")
    closes = parameters.flag(sent, "closePosition")
    reduces = parameters.flag(sent, "reduceOnly")
    filters.trading(listed, reduces or closes)
    quantity = _algo_quantity(listed, sent, kind, closes)
    price = _limit_price(listed, sent, kind)
    trigger = rate = activation = None
    if kind == "TRAILING_STOP_MARKET":
        rate, activation = _trailing(account, listed, sent, side == "BUY")
    else:
        parameters.unwanted(sent, "callbackRate", "activatePrice", "activationPrice")
        trigger = parameters.decimal(sent, "triggerPrice")
        if trigger is None:
            raise missing("triggerPrice")
        filters.price_step(listed, trigger, "Stop price")
        _not_yet(account, listed, side == "BUY", kind, trigger, working)
    if not (reduces or closes):
        filters.notional(listed, quantity, price or trigger or account.price_of(listed))
    if force == "GTE_GTC" and not account.ledger.position(listed).quantity:
        raise VenueError(-4509, _NO_POSITION)
    _alone(account, listed, side, kind, closes)
    client = parameters.client_id(sent, "clientAlgoId")
    if account.algos.taken(client):
        raise VenueError(-4116, "ClientOrderId is duplicated.")
    if len(account.algos.of(listed.spelling)) >= listed.max_algo_orders:
        raise VenueError(-4045, "Reach max stop order limit.")
    algo = AlgoOrder(
        account.next_number(),
        client,
        listed,
        side,
        kind,
        quantity,
        price,
        trigger,
        account.clock.now(),
        force,
        reduces,
        closes,
        working,
        rate,
        activation,
    )
    algo.protect = parameters.flag(sent, "priceProtect")
    algo.prevention = parameters.optional(sent, "selfTradePreventionMode", PREVENTIONS, "EXPIRE_MAKER")
    return algo, _algo_submit(account, algo)


def _algo_submit(account: Account, algo: AlgoOrder) -> Submit:
    force = "gtc" if algo.time_in_force == "GTE_GTC" else algo.time_in_force.lower()
    by: Literal["mark", "last"] = "mark" if algo.working_type == "MARK_PRICE" else "last"
    return Submit(
        algo.engine,
        algo.listed.symbol,
        "buy" if algo.buys else "sell",
        algo.quantity,
        algo.reduce_only,
        0,
        account.seq,
        _ENGINE[algo.type],
        algo.price,
        algo.trigger if algo.rate is None else algo.activation,
        None if algo.rate is None else algo.rate / 100,
        time_in_force=cast("TimeInForce", force),
        close_position=algo.close_position,
        trigger_by=by,
    )


def _algo_quantity(listed: Listed, sent: Sent, type: str, closes: bool) -> Decimal:
    quantity = parameters.decimal(sent, "quantity")
    if closes:
        if type not in {"STOP_MARKET", "TAKE_PROFIT_MARKET"}:
            raise VenueError(-4136, "Target strategy invalid for orderType for closePosition.")
        if quantity:
            raise VenueError(-4137, "Quantity must be zero with closePosition equals true.")
        parameters.off(sent, "reduceOnly")
        return ZERO
    if quantity is None:
        raise missing("quantity")
    filters.quantity(listed, quantity, type in AT_MARKET)
    return quantity


def _limit_price(listed: Listed, sent: Sent, type: str) -> Decimal | None:
    if type in AT_MARKET:
        parameters.unwanted(sent, "price")
        return None
    price = parameters.decimal(sent, "price")
    if price is None:
        raise missing("price")
    filters.price_step(listed, price)
    return price


def _trailing(account: Account, listed: Listed, sent: Sent, buys: bool) -> tuple[Decimal, Decimal | None]:
    parameters.unwanted(sent, "triggerPrice")
    rate = parameters.decimal(sent, "callbackRate")
    if rate is None:
        raise missing("callbackRate")
    if not Decimal("0.1") <= rate <= 10:
        raise VenueError(-2007, "Invalid callBack rate.")
    activation = parameters.decimal(sent, "activatePrice" if "activatePrice" in sent else "activationPrice")
    if activation is None:
        return rate, None
    filters.price_step(listed, activation, "Activation price")
    price = account.trigger_price(listed, buys, sent.get("workingType", "CONTRACT_PRICE"))
    if price is not None and (activation >= price if buys else activation <= price):
        raise VenueError(-4135, "Invalid activation price.")
    return rate, activation


def _not_yet(account: Account, listed: Listed, buys: bool, type: str, trigger: Decimal, working: str) -> None:
    """Refuse a trigger that the price is at or beyond already."""
    price = account.trigger_price(listed, buys, working)
    if price is None:
        return
    falls = buys == type.startswith("TAKE_PROFIT")
    if price <= trigger if falls else price >= trigger:
        raise VenueError(-2021, "Order would immediately trigger.")


def _alone(account: Account, listed: Listed, side: str, type: str, closes: bool) -> None:
    """Refuse a second order that closes the position from the same side of the price."""
    for other in account.algos.of(listed.spelling):
        if closes and other.close_position and other.side == side and other.type == type:
            raise VenueError(
                -4130,
                "An open stop or take profit order with GTE and closePosition in the direction is existing.",
            )

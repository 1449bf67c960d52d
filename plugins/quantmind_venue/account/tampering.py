"""Tampering: what befalls an account without its owner's doing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from quantmind_venue.errors import VenueError

if TYPE_CHECKING:
    from quantmind_venue.account.account import Account
    from quantmind_venue.listing import Listed


def tamper(account: Account, kind: str, arguments: Mapping[str, Any]) -> None:
    """Let something happen to an account.

    Raises:
        ValueError: there is no such thing, or it cannot happen now.
    """
    check(kind, arguments)
    try:
        KINDS[kind](account, **arguments)
    except VenueError as error:
        raise ValueError(f"{kind}: {error.message} ({error.code})") from error


def check(kind: str, arguments: Mapping[str, Any]) -> None:
    """See that there is such a thing, and that it is told what it needs and nothing else.

    Raises:
        ValueError: there is not, or it is not.
    """
    make = KINDS.get(kind)
    if make is None:
        raise ValueError(f"{kind!r} is nothing that happens to an account: it is one of {', '.join(sorted(KINDS))}")
    try:
        inspect.signature(make).bind(None, **arguments)
    except TypeError as error:
        raise ValueError(f"{kind}: {error}") from error


def _figure(name: str, value: Any) -> Decimal:
    try:
        figure = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"{name} must be a number, was {value!r}") from None
    if not figure.is_finite():
        raise ValueError(f"{name} must be a number, was {value!r}")
    return figure


def _partial_fills(account: Account, size: Any = None) -> None:
    """Show no more than a size of each quote, so that orders fill in slices; without one, all there is again."""
    most = None if size is None else float(_figure("size", size))
    if most is not None and most <= 0:
        raise ValueError(f"size must be greater than 0, was {size}")
    account.present.most = most
    for listed in account.listing:
        quote = account.board.quote(listed.symbol)
        if quote is not None:
            account.present.came(quote)


def _reject_stop(account: Account, count: int = 1) -> None:
    """Refuse the next conditional orders at their trigger, for want of margin."""
    if count < 0:
        raise ValueError(f"count must be at least 0, was {count}")
    account.matching.refuse(count)


def _change_position(account: Account, symbol: str, quantity: Any) -> None:
    """Bring a position to a signed quantity by an order that the owner gives by hand elsewhere."""
    listed = account.listing[symbol]
    wanted = _figure("quantity", quantity)
    change = wanted - account.ledger.position(listed).quantity
    if not change:
        return
    account.place(
        {
            "symbol": listed.spelling,
            "side": "BUY" if change > 0 else "SELL",
            "type": "MARKET",
            "quantity": f"{abs(change):f}",
            "newClientOrderId": f"web_{account.next_number()}",
        }
    )


def _price(account: Account, listed: Listed, price: Any) -> Decimal:
    if price is not None:
        return _figure("price", price)
    found = account.matching.valued(listed.symbol)
    if found is None:
        raise ValueError(f"there is no price of {listed.spelling} yet")
    return found


def _held(account: Account, symbol: str) -> Listed:
    listed = account.listing[symbol]
    if not account.ledger.position(listed).quantity:
        raise ValueError(f"there is no position of {symbol}")
    return listed


def _forced(account: Account, client: str, symbol: str, price: Any, quantity: Any, fee: Decimal | None) -> None:
    listed = _held(account, symbol)
    size = None if quantity is None else abs(_figure("quantity", quantity))
    before, account.outcomes.forced = account.outcomes.forced, client
    try:
        paid = _price(account, listed, price)
        account.outcomes.tell(account.matching.close(listed.symbol, paid, account.clock.ns(), size, fee))
    finally:
        account.outcomes.forced = before


def _liquidate(account: Account, symbol: str, price: Any = None) -> None:
    """Liquidate a position, whatever its margin is, at a price or at the mark price."""
    _forced(account, "autoclose-", symbol, price, None, None)


def _adl(account: Account, symbol: str, price: Any = None, quantity: Any = None) -> None:
    """Close a position or a part of it for the sake of somebody who was liquidated."""
    _forced(account, "adl_autoclose", symbol, price, quantity, Decimal(0))


def _settle(account: Account, symbol: str, price: Any = None) -> None:
    """Close a position because its contract is no longer listed."""
    _forced(account, "settlement_autoclose-", symbol, price, None, Decimal(0))


def _expire_listen_key(account: Account) -> None:
    """Let the listen key expire."""
    account.stream.expire()


KINDS: dict[str, Callable[..., None]] = {
    "partial_fills": _partial_fills,
    "reject_stop": _reject_stop,
    "change_position": _change_position,
    "liquidate": _liquidate,
    "adl": _adl,
    "settle": _settle,
    "expire_listen_key": _expire_listen_key,
}
"""What may happen, by its name."""

"""The ledger: what the account's trades, fees and funding made of its wallet and its positions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from quantmind.ledger.positions import Position
from quantmind_venue.figures import ZERO, money, plain, rounded
from quantmind_venue.listing import Listed


class Traded(msgspec.Struct, frozen=True, gc=False):
    """One trade of the account."""

    id: int
    order: int
    listed: Listed
    buys: bool
    price: Decimal
    quantity: Decimal
    fee: Decimal
    realised: Decimal
    maker: bool
    time: int

    def shown(self) -> dict[str, Any]:
        """Return it as userTrades does."""
        listed = self.listed
        quantity = listed.quantity_text(self.quantity)
        return {
            "symbol": listed.spelling,
            "id": self.id,
            "orderId": self.order,
            "side": "BUY" if self.buys else "SELL",
            "price": listed.price_text(self.price),
            "qty": quantity,
            "realizedPnl": money(self.realised),
            "quoteQty": plain(self.price * self.quantity),
            "baseQty": quantity,
            "commission": money(self.fee),
            "commissionAsset": listed.quote,
            "marginAsset": listed.quote,
            "time": self.time,
            "positionSide": "BOTH",
            "buyer": self.buys,
            "maker": self.maker,
            "pair": listed.spelling,
        }


class Income(msgspec.Struct, frozen=True, gc=False):
    """One change of the wallet, and why."""

    id: int
    symbol: str
    type: str
    amount: Decimal
    asset: str
    time: int
    info: str = ""
    trade: str = ""

    def shown(self) -> dict[str, Any]:
        """Return it as income does."""
        return {
            "symbol": self.symbol,
            "incomeType": self.type,
            "income": money(self.amount),
            "asset": self.asset,
            "info": self.info or self.type,
            "time": self.time,
            "tranId": self.id,
            "tradeId": self.trade,
        }


class Held:
    """The position of one contract, with what it cost in fees since it was opened."""

    __slots__ = ("charged", "listed", "position", "time")

    def __init__(self, listed: Listed) -> None:
        self.listed = listed
        self.position = Position()
        self.charged = ZERO
        self.time = 0

    @property
    def quantity(self) -> Decimal:
        """The signed quantity."""
        return self.position.quantity

    @property
    def entry(self) -> str:
        """The average entry price."""
        return rounded(self.position.average_price) if self.quantity else "0.0"

    @property
    def break_even(self) -> str:
        """The price at which closing it earns the fees paid so far."""
        position = self.position
        return rounded((position.cost + self.charged) / position.quantity) if position.quantity else "0.0"


class Ledger:
    """Books what the matching engine tells, event by event."""

    def __init__(self, balance: Decimal, asset: str, now: int) -> None:
        self.asset = asset
        self.wallet = ZERO
        self.trades: list[Traded] = []
        self.incomes: list[Income] = []
        self.held: dict[str, Held] = {}
        self._numbers = 0
        self.book("", "TRANSFER", balance, now, "the balance it begins with")

    def position(self, listed: Listed) -> Held:
        """Return the position of a contract."""
        held = self.held.get(listed.spelling)
        if held is None:
            held = self.held[listed.spelling] = Held(listed)
        return held

    def book(self, symbol: str, type: str, amount: Decimal, now: int, info: str = "", trade: str = "") -> None:
        """Change the wallet."""
        self.wallet += amount
        self._numbers += 1
        self.incomes.append(Income(self._numbers, symbol, type, amount, self.asset, now, info, trade))

    def trade(
        self,
        listed: Listed,
        order: int,
        buys: bool,
        price: Decimal,
        quantity: Decimal,
        fee: Decimal,
        maker: bool,
        now: int,
        fee_type: str = "COMMISSION",
    ) -> Traded:
        """Book a trade."""
        held = self.position(listed)
        before = held.quantity
        realised = held.position.fill(quantity if buys else -quantity, price, fee)
        after = held.quantity
        if not after:
            held.charged = ZERO
        elif (before > 0) != (after > 0):
            # It was opened by this trade, or turned round by a part of it.
            held.charged = fee * abs(after) / quantity
        else:
            held.charged += fee
        held.time = now
        traded = Traded(len(self.trades) + 1, order, listed, buys, price, quantity, fee, realised, maker, now)
        self.trades.append(traded)
        if realised:
            self.book(listed.spelling, "REALIZED_PNL", realised, now, trade=str(traded.id))
        if fee:
            self.book(listed.spelling, fee_type, -fee, now, trade=str(traded.id))
        return traded

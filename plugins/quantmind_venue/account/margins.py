"""Margins: what the positions are worth, what they ask for, and what is left of the wallet."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from quantmind_venue.account.ledger import Held
from quantmind_venue.figures import ZERO, money, plain, rounded
from quantmind_venue.listing import Listed

if TYPE_CHECKING:
    from quantmind_venue.account.account import Account


class Margins:
    """The figures of an account at the prices of now: the marks, where they are fresh."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def value(self, listed: Listed) -> Decimal:
        """Return what a position is valued at, 0 before there is a price."""
        return self._account.matching.valued(listed.symbol) or ZERO

    def profit(self, held: Held) -> Decimal:
        """Return the unrealised profit of a position."""
        position = held.position
        if not position.quantity:
            return ZERO
        price = self._account.matching.valued(held.listed.symbol)
        return ZERO if price is None else position.quantity * price - position.cost

    def own(self, held: Held) -> Decimal | None:
        """Return the margin that an isolated position has for its own, None with cross margin."""
        if not self._account.settings.isolated(held.listed):
            return None
        return abs(held.position.cost) / self._account.settings.leverage(held.listed)

    def notional(self, held: Held) -> Decimal:
        """Return the signed notional of a position."""
        return held.quantity * self.value(held.listed) if held.quantity else ZERO

    def initial(self, held: Held) -> Decimal:
        """Return the margin that a position asks for."""
        own = self.own(held)
        return abs(self.notional(held)) / self._account.settings.leverage(held.listed) if own is None else own

    def maintenance(self, held: Held) -> Decimal:
        """Return the margin below which a position is liquidated."""
        notional = abs(self.notional(held))
        return held.listed.instrument.maintenance(notional) if notional else ZERO

    def ordered(self, listed: Listed) -> tuple[Decimal, Decimal, Decimal]:
        """Return the notional of bids and of asks that rest, and the margin that they ask for."""
        bids, asks = self._account.matching.reserved(listed.symbol)
        quantity = self._account.ledger.position(listed).quantity
        adding = bids + asks if not quantity else bids if quantity > 0 else asks
        return bids, asks, adding / self._account.settings.leverage(listed)

    def cross_wallet(self) -> Decimal:
        """Return what backs the positions with cross margin."""
        wallet = self._account.ledger.wallet
        for held in self._account.ledger.held.values():
            own = self.own(held)
            if own is not None and held.quantity:
                wallet -= own
        return wallet

    def totals(self) -> dict[str, Decimal]:
        """Return the figures of the account as a whole."""
        account = self._account
        profit = cross_profit = initial = cross_initial = maintenance = cross_maintenance = ordered = ZERO
        for listed in account.listing:
            held = account.ledger.position(listed)
            ordered += self.ordered(listed)[2]
            if not held.quantity:
                continue
            earned, asked, least = self.profit(held), self.initial(held), self.maintenance(held)
            profit, initial, maintenance = profit + earned, initial + asked, maintenance + least
            if not account.settings.isolated(listed):
                cross_profit += earned
                cross_initial += asked
                cross_maintenance += least
        cross_wallet = self.cross_wallet()
        return {
            "wallet": account.ledger.wallet,
            "cross_wallet": cross_wallet,
            "profit": profit,
            "cross_profit": cross_profit,
            "position": initial,
            "orders": ordered,
            "initial": initial + ordered,
            "maintenance": maintenance,
            "cross_maintenance": cross_maintenance,
            "margin": account.ledger.wallet + profit,
            "available": max(ZERO, cross_wallet + cross_profit - cross_initial - ordered),
            "withdrawable": max(ZERO, cross_wallet + min(ZERO, cross_profit) - cross_initial - ordered),
        }

    def account(self, version: int) -> dict[str, Any]:
        """Return what `account` answers."""
        account = self._account
        figures = {name: rounded(figure) for name, figure in self.totals().items()}
        figures["wallet"] = money(account.ledger.wallet)
        body: dict[str, Any] = {}
        if version == 2:
            body = self.configuration() | {"feeBurn": False, "updateTime": 0}
            del body["dualSidePosition"]
        asset: dict[str, Any] = {
            "asset": account.ledger.asset,
            "walletBalance": figures["wallet"],
            "unrealizedProfit": figures["profit"],
            "marginBalance": figures["margin"],
            "maintMargin": figures["maintenance"],
            "initialMargin": figures["initial"],
            "positionInitialMargin": figures["position"],
            "openOrderInitialMargin": figures["orders"],
            "crossWalletBalance": figures["cross_wallet"],
            "crossUnPnl": figures["cross_profit"],
            "availableBalance": figures["available"],
            "maxWithdrawAmount": figures["withdrawable"],
            "marginAvailable": True,
            "updateTime": account.updated,
        }
        body |= {
            "totalInitialMargin": figures["initial"],
            "totalMaintMargin": figures["maintenance"],
            "totalWalletBalance": figures["wallet"],
            "totalUnrealizedProfit": figures["profit"],
            "totalMarginBalance": figures["margin"],
            "totalPositionInitialMargin": figures["position"],
            "totalOpenOrderInitialMargin": figures["orders"],
            "totalCrossWalletBalance": figures["cross_wallet"],
            "totalCrossUnPnl": figures["cross_profit"],
            "availableBalance": figures["available"],
            "maxWithdrawAmount": figures["withdrawable"],
            "assets": [asset],
            "positions": [
                self._position_2(account.ledger.position(listed)) if version == 2 else self._position_3(held)
                for listed in account.listing
                if (held := account.ledger.position(listed)).quantity or version == 2 or self.ordered(listed)[2]
            ],
        }
        return body

    def configuration(self) -> dict[str, Any]:
        """Return what accountConfig answers."""
        return {
            "feeTier": 0,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": True,
            "dualSidePosition": False,
            "updateTime": 0,
            "multiAssetsMargin": False,
            "tradeGroupId": -1,
        }

    def _position_2(self, held: Held) -> dict[str, Any]:
        listed, settings = held.listed, self._account.settings
        bids, asks, ordered = self.ordered(listed)
        own = self.own(held)
        return {
            "symbol": listed.spelling,
            "initialMargin": rounded(self.initial(held) + ordered),
            "maintMargin": rounded(self.maintenance(held)),
            "unrealizedProfit": rounded(self.profit(held)),
            "positionInitialMargin": rounded(self.initial(held)),
            "openOrderInitialMargin": rounded(ordered),
            "leverage": str(settings.leverage(listed)),
            "isolated": settings.isolated(listed),
            "entryPrice": held.entry,
            "breakEvenPrice": held.break_even,
            "maxNotional": plain(settings.max_notional(listed)),
            "bidNotional": plain(bids),
            "askNotional": plain(asks),
            "positionSide": "BOTH",
            "positionAmt": listed.quantity_text(held.quantity),
            "notional": rounded(self.notional(held)),
            "isolatedWallet": "0" if own is None else rounded(own),
            "updateTime": held.time,
        }

    def _position_3(self, held: Held) -> dict[str, Any]:
        listed = held.listed
        own, ordered = self.own(held), self.ordered(listed)[2]
        return {
            "symbol": listed.spelling,
            "positionSide": "BOTH",
            "positionAmt": listed.quantity_text(held.quantity),
            "unrealizedProfit": rounded(self.profit(held)),
            "isolatedMargin": "0" if own is None else rounded(own + self.profit(held)),
            "notional": rounded(self.notional(held)),
            "isolatedWallet": "0" if own is None else rounded(own),
            "initialMargin": rounded(self.initial(held) + ordered),
            "maintMargin": rounded(self.maintenance(held)),
            "updateTime": held.time,
        }

    def balance(self) -> list[dict[str, Any]]:
        """Return what `balance` answers."""
        totals = self.totals()
        return [
            {
                "accountAlias": "SgsR",
                "asset": self._account.ledger.asset,
                "balance": money(totals["wallet"]),
                "crossWalletBalance": rounded(totals["cross_wallet"]),
                "crossUnPnl": rounded(totals["cross_profit"]),
                "availableBalance": rounded(totals["available"]),
                "maxWithdrawAmount": rounded(totals["withdrawable"]),
                "marginAvailable": True,
                "updateTime": self._account.updated,
            }
        ]

    def liquidation(self, held: Held) -> str:
        """Return the price at which a position is liquidated, 0 where there is none."""
        price = self._account.matching.liquidation_price(held.listed.symbol)
        return "0" if price is None else rounded(price)

    def risk(self, held: Held, version: int) -> dict[str, Any]:
        """Return what positionRisk answers of a position."""
        listed, settings = held.listed, self._account.settings
        own = self.own(held)
        notional = self.notional(held)
        body: dict[str, Any] = {
            "symbol": listed.spelling,
            "positionSide": "BOTH",
            "positionAmt": listed.quantity_text(held.quantity),
            "entryPrice": held.entry,
            "breakEvenPrice": held.break_even,
            "markPrice": rounded(self.value(listed)),
            "unRealizedProfit": rounded(self.profit(held)),
            "liquidationPrice": self.liquidation(held),
            "isolatedMargin": "0.00000000" if own is None else rounded(own + self.profit(held)),
            "notional": rounded(notional),
            "isolatedWallet": "0" if own is None else rounded(own),
            "updateTime": held.time,
        }
        if version == 2:
            return body | {
                "marginType": "cross" if own is None else "isolated",
                "isAutoAddMargin": "false",
                "leverage": str(settings.leverage(listed)),
                "maxNotionalValue": plain(settings.max_notional(listed)),
            }
        bids, asks, ordered = self.ordered(listed)
        return body | {
            "marginAsset": listed.quote,
            "initialMargin": rounded(self.initial(held) + ordered),
            "maintMargin": rounded(self.maintenance(held)),
            "positionInitialMargin": rounded(self.initial(held)),
            "openOrderInitialMargin": rounded(ordered),
            "adl": 2 if held.quantity else 0,
            "bidNotional": plain(bids),
            "askNotional": plain(asks),
        }

"""The user stream: what happens to the account, told to whoever holds one of its listen keys."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from quantmind_venue.account.algo_orders import AlgoOrder
from quantmind_venue.account.ledger import Held, Ledger, Traded
from quantmind_venue.account.orders import Order
from quantmind_venue.errors import VenueError
from quantmind_venue.figures import ZERO, money, plain, rounded

if TYPE_CHECKING:
    from quantmind_venue.account.timers import Timers
    from quantmind_venue.clock import Clock
    from quantmind_venue.streaming.hub import Hub

LIFE = 3_600_000
"""How long (ms) a listen key is good without being kept alive."""


class UserStream:
    """The listen key of an account, and the messages that are sent to it."""

    def __init__(self, clock: Clock, hub: Hub, timers: Timers) -> None:
        self._clock = clock
        self._timers = timers
        self._hub = hub
        self._key = ""
        self._until = 0
        self._listeners: list[Callable[[dict[str, Any]], None]] = []

    def listen(self, callback: Callable[[dict[str, Any]], None]) -> None:
        """Call it with every message, whether or not there is a listen key."""
        self._listeners.append(callback)

    @property
    def key(self) -> str:
        """The listen key that is good now, empty without one."""
        self.check()
        return self._key

    @property
    def until(self) -> int:
        """When (ms) the listen key expires."""
        return self._until

    def begin(self) -> str:
        """Return the listen key, a new one where there is none, good for another hour."""
        if not self.key:
            self._key = secrets.token_hex(32)
        self._until = self._clock.now() + LIFE
        self._timers.at("listen key", self._until, self.check)
        return self._key

    def keep(self) -> str:
        """Let the listen key be good for another hour.

        Raises:
            VenueError: there is none.
        """
        if not self.key:
            raise VenueError(-1125, "This listenKey does not exist.")
        return self.begin()

    def end(self) -> None:
        """Forget the listen key: whoever listens to it hears nothing more."""
        self._key = ""

    def check(self) -> None:
        """Let the listen key expire when it is time."""
        if self._key and self._clock.now() >= self._until:
            self.expire()

    def expire(self) -> None:
        """Let the listen key expire now, and say so."""
        if self._key:
            now = self._clock.now()
            self._send({"e": "listenKeyExpired", "E": now, "listenKey": self._key})
            self._key = ""

    def _send(self, message: dict[str, Any]) -> None:
        if self._key:
            self._hub.private(self._key, message)
        for listener in self._listeners:
            listener(message)

    def order(self, order: Order, execution: str, now: int, traded: Traded | None = None, expiry: str = "0") -> None:
        """Tell what became of an order: ORDER_TRADE_UPDATE."""
        listed = order.listed
        zero = "0"
        told: dict[str, Any] = {
            "s": listed.spelling,
            "c": order.client,
            "S": order.side,
            "o": order.type,
            "f": order.time_in_force,
            "q": listed.quantity_text(order.quantity),
            "p": order.price_text,
            "ap": order.average if order.filled else zero,
            "sp": listed.price_text(order.stop) if order.stop is not None else zero,
            "x": execution,
            "X": order.status,
            "i": order.id,
            "l": listed.quantity_text(traded.quantity) if traded is not None else zero,
            "z": listed.quantity_text(order.filled),
            "L": listed.price_text(traded.price) if traded is not None else zero,
            "n": money(traded.fee) if traded is not None else zero,
            "N": listed.quote,
            "T": now,
            "t": traded.id if traded is not None else 0,
            "b": zero,
            "a": zero,
            "m": traded is not None and traded.maker,
            "R": order.reduce_only,
            "wt": order.working_type,
            "ot": order.original_type,
            "ps": "BOTH",
            "cp": order.close_position,
            "rp": money(traded.realised) if traded is not None else zero,
            "pP": order.protect,
            "si": 0,
            "ss": 0,
            "V": order.prevention,
            "pm": "NONE",
            "gtd": order.good_till,
            "er": expiry,
        }
        if order.rate is not None:
            told["AP"] = listed.price_text(order.activation or ZERO)
            told["cr"] = plain(order.rate)
        if execution == "AMENDMENT" and order.modification is not None:
            told["M"] = str(order.modification)
        if order.open and order.price is not None and not order.reduce_only:
            told["b" if order.buys else "a"] = plain(order.left * order.price)
        self._send({"e": "ORDER_TRADE_UPDATE", "T": now, "E": now, "o": told})

    def traded(self, order: Order, traded: Traded, now: int) -> None:
        """Tell a trade in short: TRADE_LITE."""
        listed = order.listed
        self._send(
            {
                "e": "TRADE_LITE",
                "E": now,
                "T": now,
                "s": listed.spelling,
                "q": listed.quantity_text(order.quantity),
                "p": order.price_text,
                "m": traded.maker,
                "c": order.client,
                "S": order.side,
                "L": listed.price_text(traded.price),
                "l": listed.quantity_text(traded.quantity),
                "t": traded.id,
                "i": order.id,
            }
        )

    def account(
        self,
        reason: str,
        ledger: Ledger,
        held: Held | None,
        profit: Decimal,
        own: Decimal | None,
        change: Decimal,
        cross_wallet: Decimal,
        now: int,
        spelling: str = "",
    ) -> None:
        """Tell the wallet and a position: ACCOUNT_UPDATE; `own` is the margin of an isolated position."""
        positions = [] if held is None else [self._position(held, profit, own)]
        wallet = {"a": ledger.asset, "wb": money(ledger.wallet), "cw": money(cross_wallet), "bc": money(change)}
        told: dict[str, Any] = {"m": reason, "B": [wallet], "P": positions}
        if reason == "FUNDING_FEE":
            told["S"] = spelling
        self._send({"e": "ACCOUNT_UPDATE", "T": now, "E": now, "a": told})

    @staticmethod
    def _position(held: Held, profit: Decimal, own: Decimal | None) -> dict[str, Any]:
        return {
            "s": held.listed.spelling,
            "pa": held.listed.quantity_text(held.quantity),
            "ep": held.entry,
            "bep": held.break_even,
            "cr": money(held.position.realised),
            "up": money(profit),
            "mt": "cross" if own is None else "isolated",
            "iw": "0" if own is None else rounded(own),
            "ps": "BOTH",
        }

    def algo(self, algo: AlgoOrder, now: int) -> None:
        """Tell what became of a conditional order: ALGO_UPDATE."""
        shown = algo.queried()
        order = algo.order
        told = {
            "caid": algo.client,
            "aid": algo.id,
            "at": "CONDITIONAL",
            "o": algo.type,
            "s": algo.listed.spelling,
            "S": algo.side,
            "ps": "BOTH",
            "f": algo.time_in_force,
            "q": shown["quantity"],
            "X": algo.status,
            "ai": shown["actualOrderId"],
            "tp": shown["triggerPrice"],
            "p": shown["price"],
            "V": algo.prevention,
            "wt": algo.working_type,
            "pm": "NONE",
            "cp": algo.close_position,
            "pP": algo.protect,
            "R": algo.reduce_only,
            "tt": algo.trigger_time,
            "gtd": algo.good_till,
            "rm": algo.reason,
        }
        if order is not None:
            told |= {"ap": shown["actualPrice"], "aq": shown["actualQty"], "act": algo.actual_type}
        if algo.rate is not None:
            told |= {"AP": shown["activatePrice"], "cr": shown["callbackRate"]}
        self._send({"e": "ALGO_UPDATE", "T": now, "E": now, "o": told})

    def configured(self, now: int, **figures: dict[str, Any]) -> None:
        """Tell a changed setting: ACCOUNT_CONFIG_UPDATE."""
        self._send({"e": "ACCOUNT_CONFIG_UPDATE", "E": now, "T": now, **figures})

    def called(self, cross_wallet: Decimal, positions: list[dict[str, Any]], now: int) -> None:
        """Tell that margin is running out: MARGIN_CALL."""
        self._send({"e": "MARGIN_CALL", "E": now, "cw": rounded(cross_wallet), "p": positions})

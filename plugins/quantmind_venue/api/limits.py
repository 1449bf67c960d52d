"""Limits: how much a client may ask for, counted as the venue counts, and what happens when it asks for more."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from quantmind_venue.errors import VenueError

_SECOND = 1_000_000_000
_BAN = 120 * _SECOND
_PATIENCE = 10
"""Requests answered with 429 in one minute, from which on a client is banned."""


class Window(msgspec.Struct):
    """Counts what is used in the running interval, as the venue does: from whole interval to whole interval."""

    length: int
    limit: int
    number: int = 0
    used: int = 0

    def take(self, now: int, cost: int) -> bool:
        """Count a cost; say whether it is within the limit."""
        number = now // self.length
        if number != self.number:
            self.number, self.used = number, 0
        self.used += cost
        return self.used <= self.limit

    def left(self, now: int) -> int:
        """Return the ns until the next interval."""
        return self.length - now % self.length


class Limits:
    """The limits of one venue: 2,400 of weight in a minute, 1,200 orders in a minute, 300 in 10 s.

    They run by the wall clock, whatever the pace of the market. Clients on one machine have one address.
    """

    def __init__(self, *, enforced: bool, now: Callable[[], int] = time.time_ns) -> None:
        self.enforced = enforced
        self._now = now
        self.weight = Window(60 * _SECOND, 2_400)
        self.orders_minute = Window(60 * _SECOND, 1_200)
        self.orders_seconds = Window(10 * _SECOND, 300)
        self._refused = Window(60 * _SECOND, _PATIENCE)
        self._banned_until = 0
        self._quiet_until = 0

    def rules(self) -> list[dict[str, object]]:
        """Return the limits as exchangeInfo says them."""
        return [
            {"rateLimitType": kind, "interval": interval, "intervalNum": count, "limit": window.limit}
            for kind, interval, count, window in (
                ("REQUEST_WEIGHT", "MINUTE", 1, self.weight),
                ("ORDERS", "MINUTE", 1, self.orders_minute),
                ("ORDERS", "SECOND", 10, self.orders_seconds),
            )
        ]

    def ban(self, seconds: float) -> None:
        """Ban the clients for a while."""
        self._banned_until = self._now() + int(seconds * _SECOND)

    def quiet(self, seconds: float) -> None:
        """Answer everything with 429 for a while."""
        self._quiet_until = self._now() + int(seconds * _SECOND)

    def request(self, weight: int, headers: dict[str, str]) -> None:
        """Count a request, and say what is used.

        Raises:
            VenueError: too much (429), or so much after that that the client is banned (418).
        """
        now = self._now()
        if now < self._banned_until:
            raise self._ban_error(now)
        within = self.weight.take(now, weight)
        headers["X-MBX-USED-WEIGHT-1M"] = str(self.weight.used)
        if now < self._quiet_until:
            self._refuse(now, self._quiet_until - now)
        if self.enforced and not within:
            self._refuse(now, self.weight.left(now))

    def order(self, count: int, headers: dict[str, str]) -> None:
        """Count orders, and say what is used.

        Raises:
            VenueError: too many (429).
        """
        now = self._now()
        within = [window.take(now, count) for window in (self.orders_minute, self.orders_seconds)]
        headers["X-MBX-ORDER-COUNT-1M"] = str(self.orders_minute.used)
        headers["X-MBX-ORDER-COUNT-10S"] = str(self.orders_seconds.used)
        if self.enforced and not all(within):
            window = self.orders_seconds if not within[1] else self.orders_minute
            interval = "10 SECOND" if window is self.orders_seconds else "1 MINUTE"
            raise VenueError(
                -1015,
                f"Too many new orders; current limit is {window.limit} orders per {interval}.",
                429,
                {"Retry-After": _seconds(window.left(now))},
            )

    def _refuse(self, now: int, left: int) -> None:
        if not self._refused.take(now, 1):
            self._banned_until = now + _BAN
            raise self._ban_error(now)
        raise VenueError(
            -1003,
            f"Too many requests; current limit of IP is {self.weight.limit} requests per minute. "
            "Please use the websocket for live updates to avoid polling the API.",
            429,
            {"Retry-After": _seconds(left)},
        )

    def _ban_error(self, now: int) -> VenueError:
        return VenueError(
            -1003,
            f"Way too many requests; IP(127.0.0.1) banned until {self._banned_until // 1_000_000}. "
            "Please use the websocket for live updates to avoid bans.",
            418,
            {"Retry-After": _seconds(self._banned_until - now)},
        )


def _seconds(ns: int) -> str:
    return str(-(-ns // _SECOND))

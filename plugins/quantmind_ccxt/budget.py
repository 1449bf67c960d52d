"""The budget of requests: what the venue allows in a minute, by its own headers, and when it forbids all."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Mapping

LIMIT = 2_400
"""Binance's weight of requests in a minute, until its exchangeInfo says another."""

_USED = "x-mbx-used-weight-1m"
_LIMIT = re.compile(r'"REQUEST_WEIGHT",\s*"interval":\s*"MINUTE",\s*"intervalNum":\s*1,\s*"limit":\s*(\d+)')
_BEGINNING = 5_000
"""Characters of an answer in which limits are told."""
_BANNED = re.compile(r"banned until (\d{13})")
_MINUTE = 60.0
_REFUSED = frozenset({418, 429})
_LOOK_AGAIN = 1.0
_AT_ONCE = 8
_log = logging.getLogger(__name__)


class Budget:
    """Lets requests go while they stay within a share of the limit, and none while the venue forbids them."""

    def __init__(self, share: float) -> None:
        self.limit = LIMIT
        self.refusals = 0
        """How often the venue answered 429 or 418."""
        self._share = share
        self._used = 0
        self._used_at = -_MINUTE
        self._forbidden_until = 0.0
        self._going = asyncio.Semaphore(_AT_ONCE)
        self._reserved = 0

    @property
    def used(self) -> float:
        """The part of the limit that is used up."""
        return (self._spent() + self._reserved) / self.limit

    @property
    def forbidden_for(self) -> float:
        """For how many seconds no request may be made."""
        return max(0.0, self._forbidden_until - time.monotonic())

    async def take(self, weight: int) -> None:
        """Wait until a request of this weight may go; `done` must follow."""
        await self._going.acquire()
        try:
            while (delay := self._delay(weight)) > 0:  # noqa: ASYNC110 - time is what it waits for
                await asyncio.sleep(delay)
        except BaseException:
            self._going.release()
            raise
        self._reserved += weight

    def done(self, weight: int) -> None:
        """Note that a request has come to its end."""
        self._reserved -= weight
        self._going.release()

    def answered(self, status: int, headers: Mapping[str, str], body: str) -> None:
        """Read what an answer says of the limit."""
        told = {name.lower(): value for name, value in headers.items()}
        used = told.get(_USED, "")
        if used.isdigit():
            self._used, self._used_at = int(used), time.monotonic()
        limit = _LIMIT.search(body, 0, _BEGINNING)
        if limit:
            self.limit = int(limit[1])
        if status in _REFUSED:
            self.refusals += 1
            delay = _retry_after(told, body)
            self._forbidden_until = max(self._forbidden_until, time.monotonic() + delay)
            _log.warning("ccxt: the venue answers %d: no request for %.0f s", status, delay)

    def _delay(self, weight: int) -> float:
        if self.forbidden_for > 0:
            return self.forbidden_for
        if self._spent() + self._reserved + weight > self.limit * self._share and self._spent():
            return _LOOK_AGAIN
        return 0.0

    def _spent(self) -> int:
        return self._used if time.monotonic() - self._used_at < _MINUTE else 0


def _retry_after(headers: Mapping[str, str], body: str) -> float:
    """Return for how many seconds the venue wants no request; a minute where it does not say."""
    told = headers.get("retry-after", "")
    if told.replace(".", "", 1).isdigit():
        return float(told)
    banned = _BANNED.search(body)
    return max(1.0, int(banned[1]) / 1_000 - time.time()) if banned else _MINUTE

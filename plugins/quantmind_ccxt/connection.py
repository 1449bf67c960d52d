"""The connection: an exchange of ccxt whose messages and answers are seen on their way."""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from quantmind.errors import ComponentError
from quantmind_ccxt.addresses import stand_in
from quantmind_ccxt.budget import Budget
from quantmind_ccxt.loading import errors, exchange_class
from quantmind_ccxt.options import BINANCE, VenueOptions

_PING = 4
"""How many times a silent connection is asked for a sign of life before it is stale."""
_MOST_TOLD = 200
"""Characters that are told of an error."""
_WEIGHTS = {"/depth": 20, "/aggTrades": 20, "/trades": 5, "/klines": 5, "/markPriceKlines": 5}
_log = logging.getLogger(__name__)


class Watcher(Protocol):
    """Who sees what comes over a socket, before ccxt does."""

    def seen(self, client: Any, message: Any) -> bool:
        """Look at a message; True keeps it from ccxt."""
        ...


class Subscriber(Protocol):
    """Who is told over which connection ccxt carries its subscription."""

    def attached(self, client: Any, request: Any) -> None:
        """Take note of the connection, and of what ccxt sends over it."""
        ...


SUBSCRIBER: contextvars.ContextVar[Subscriber | None] = contextvars.ContextVar("subscriber", default=None)
"""On whose behalf this task calls ccxt's `watch_...`."""


def connect(options: VenueOptions, budget: Budget, *, keep_alive: int = 0) -> Any:
    """Return an exchange of ccxt, of which nothing is opened yet; its `watcher` sees every message of its sockets.

    Args:
        options: Which exchange, and where it is.
        budget: Asked before every request, told of every answer.
        keep_alive: How long (ns) a socket may be dead before that is noticed; 0 leaves it to ccxt.

    Raises:
        ComponentError: ccxt is not installed, or has no such exchange.
    """
    kind = exchange_class(options.exchange)
    settings: dict[str, Any] = {}
    if options.exchange == BINANCE:
        # The budget goes by the venue's own headers; ccxt's limit would take a minute for 50 order books.
        settings = {"enableRateLimit": False, "options": {"fetchCurrencies": False}}
    if keep_alive:
        settings["streaming"] = {"keepAlive": max(500, keep_alive // _PING // 1_000_000)}
    if options.url:
        settings = kind.deep_extend(settings, stand_in(options.url, kind().describe()["urls"]["api"]))
    exchange = _watched(kind)(kind.deep_extend(settings, options.settings))
    exchange.budget = budget
    if options.url:
        # ccxt looks the codes of futures up by the real venue's addresses.
        exchange.exceptions["exact"] = {**exchange.exceptions["exact"], **exchange.exceptions["linear"]["exact"]}
    return exchange


async def reach(exchange: Any, options: VenueOptions) -> None:
    """Learn what the venue lists.

    Raises:
        ComponentError: it cannot be reached.
    """
    try:
        await exchange.load_markets()
    except Exception as error:
        where = f" at {options.url}" if options.url else ""
        raise ComponentError(f"ccxt: {options.exchange}{where} cannot be reached: {told(error)}") from error


def told(error: BaseException) -> str:
    """Return one line of an error of ccxt and of what caused it: a page that a server answers with is cut short."""
    texts = [" ".join(str(each).split()) for each in (error, error.__cause__) if each is not None]
    return ": ".join(text if len(text) <= _MOST_TOLD else f"{text[:_MOST_TOLD]} ..." for text in texts if text)


def _watched(kind: Any) -> Any:  # noqa: C901 - a class of its own
    """Return a subclass that shows its messages, subscriptions and requests.

    tests/plugins/ccxt/test_connection.py fails when ccxt changes what is overridden here.
    """
    network_error = errors().NetworkError

    class Watched(kind):  # type: ignore[misc] # a class that is loaded when it is wanted
        watcher: Watcher | None = None
        budget: Budget

        def handle_message(self, client: Any, message: Any) -> None:
            try:
                if self.watcher is None or not self.watcher.seen(client, message):
                    super().handle_message(client, message)
            except Exception as error:  # noqa: BLE001 - the line is dropped, and made again
                # An exception here would end ccxt's reading of the socket, and nobody would be told.
                _log.exception("ccxt: a message of %s cannot be handled: %.200s", client.url, message)
                client.on_error(network_error(f"a message cannot be handled: {error}"))

        def handle_order_book_subscription(self, client: Any, message: Any, subscription: Any) -> None:
            """Fetch no snapshot: the book is kept by us."""

        def watch_multiple(self, url: str, message_hashes: Any, message: Any = None, *rest: Any, **named: Any) -> Any:
            future = super().watch_multiple(url, message_hashes, message, *rest, **named)
            self._attach(url, message)
            return future

        def watch(self, url: str, message_hash: Any, message: Any = None, *rest: Any, **named: Any) -> Any:
            future = super().watch(url, message_hash, message, *rest, **named)
            self._attach(url, message)
            return future

        def _attach(self, url: str, message: Any) -> None:
            subscriber = SUBSCRIBER.get()
            if subscriber is not None and url in self.clients:
                subscriber.attached(self.clients[url], message)

        async def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
            path = url.partition("?")[0]
            weight = next((weight for end, weight in _WEIGHTS.items() if path.endswith(end)), 1)
            await self.budget.take(weight)
            try:
                return await super().fetch(url, method, headers, body)
            finally:
                self.budget.done(weight)

        def on_rest_response(
            self, code: int, reason: str, url: str, method: str, response_headers: Mapping[str, str],
            response_body: str, request_headers: Any, request_body: Any,
        ) -> Any:  # fmt: skip
            self.budget.answered(code, response_headers, response_body)
            return super().on_rest_response(
                code, reason, url, method, response_headers, response_body, request_headers, request_body
            )

    if "handle_order_book_subscription" not in dir(kind) or kind.__name__ != BINANCE:
        del Watched.handle_order_book_subscription
    Watched.__name__ = kind.__name__
    return Watched

"""The greeting of a venue: that it answers, how long that takes, and what its clock shows."""

from __future__ import annotations

import contextlib
import time
from functools import partial
from typing import Any

from quantmind.errors import QuantMindError
from quantmind.kinds import Greeting, Server
from quantmind_ccxt.budget import Budget
from quantmind_ccxt.connection import connect, told
from quantmind_ccxt.options import VenueOptions

_ASKED = 3


def server(options: VenueOptions) -> Server:
    """Return the venue, or the server that stands in for it."""
    where = f"{options.exchange} at {options.url}" if options.url else options.exchange
    return Server(where, partial(_greet, options))


async def _greet(options: VenueOptions) -> Greeting:
    exchange = connect(options, Budget(1.0))
    try:
        if not exchange.has.get("fetchTime"):
            return await _status(exchange)
        best: tuple[int, int] | None = None
        for _ in range(_ASKED):
            wall, began = time.time_ns(), time.monotonic_ns()
            answer = await exchange.fetch_time()
            took = time.monotonic_ns() - began
            # The quickest answer says most of the clock; the first one makes the connection.
            if best is None or took < best[0]:
                best = (took, answer * 1_000_000 - (wall + took // 2))
        took, ahead = best or (0, 0)
        return Greeting("answers", took, ahead, took // 2 + 1_000_000)
    except QuantMindError:
        raise
    except Exception as error:  # noqa: BLE001 - ccxt raises many kinds
        from quantmind.kinds.reaching import system_error, unreachable

        if (cause := system_error(error)) is not None:
            raise QuantMindError(unreachable(cause)) from None
        raise QuantMindError(
            f"does not answer as it should: {told(error)}: see to the network, or correct `url`"
        ) from None
    finally:
        with contextlib.suppress(Exception):
            await exchange.close()


async def _status(exchange: Any) -> Greeting:
    """Ask something else of a venue that does not tell the time."""
    began = time.monotonic_ns()
    await exchange.load_markets()
    return Greeting(f"lists {len(exchange.markets)} markets", time.monotonic_ns() - began)

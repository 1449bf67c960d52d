"""The console sink: what happens, as lines a trader reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pydantic import Field

from quantmind.events import (
    Fill,
    Funding,
    Latch,
    OrderState,
    OrderUpdate,
    Refusal,
    Signal,
    Target,
    Transfer,
    Valuation,
)
from quantmind.events.names import EVENT_NAMES, EVENT_TYPES, DecisionName
from quantmind.kinds import Options, Sink

_SHOWN = frozenset({OrderState.ACCEPTED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.NOT_PLACED})
"""The states that no other line tells: an intent soon has an answer, and fills have their own lines."""


class ConsoleOptions(Options):
    """Options of the console sink."""

    events: list[DecisionName] = Field(
        default=["signal", "order", "fill", "funding", "latch", "refusal"],
        min_length=1,
        description="The events it shows.",
    )


class Console(Sink[ConsoleOptions]):
    """Prints what is decided and done, one line each."""

    name = "console"

    @property
    def events(self) -> frozenset[type[Any]]:
        """The types of event it shows."""
        return frozenset(EVENT_TYPES[name] for name in self.options.events)

    async def write(self, batch: Sequence[Any]) -> None:
        """Print a batch."""
        wanted = self.events
        lines = [_line(event) for event in batch if type(event) in wanted and _shown(event)]
        if lines:
            self.run.output.write("".join(lines))
            self.run.output.flush()


def _shown(event: Any) -> bool:
    return not isinstance(event, OrderUpdate) or event.state in _SHOWN


def _line(event: Any) -> str:
    seconds, rest = divmod(event.ts, 1_000_000_000)
    time = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest // 1_000_000:03d}"
    name = EVENT_NAMES[type(event)]
    symbol = getattr(event, "symbol", "account")
    return f"{time} {name:<7} {symbol} {_TEXTS[type(event)](event)}\n"


def _signal(signal: Signal) -> str:
    direction = f"{signal.direction:+g}" if signal.direction else "0"
    return f"{signal.strategy} direction {direction} confidence {signal.confidence:.2f}"


def _target(target: Target) -> str:
    shares = ", ".join(f"{share.strategy} {_plain(share.value)}" for share in target.shares)
    return f"target {_plain(target.value)} ({shares})"


def _order(order: OrderUpdate) -> str:
    only = " reduce-only" if order.reduce_only else ""
    filled = f" filled {order.filled:f}" if order.filled else ""
    reason = f": {order.reason}" if order.reason else ""
    state = order.state.value.replace("_", " ")
    why = "" if order.purpose == "target" else f"{order.purpose.replace('_', ' ')} "
    at = order.trigger if order.price is None else order.price
    level = "" if at is None else f" @ {_plain(at)}"
    return f"{why}{order.side} {order.quantity:f}{level}{only} {state}{filled}{reason}"


def _fill(fill: Fill) -> str:
    realised = f" realised {_plain(fill.realised)}" if fill.realised else ""
    return f"{fill.side} {fill.quantity:f} @ {fill.price:f} fee {_plain(fill.fee)}{realised} position {fill.position:f}"


def _transfer(transfer: Transfer) -> str:
    parts = ", ".join(f"{part.strategy} {part.quantity:+f}" for part in transfer.parts)
    return f"{parts} @ {_plain(transfer.price)}"


def _funding(funding: Funding) -> str:
    return f"{funding.amount:+f} on {funding.quantity:f} @ {_plain(funding.mark)} rate {_plain(funding.rate)}"


def _latch(latch: Latch) -> str:
    return f"{latch.name} {latch.level or 'cleared'}: {latch.figures}"


def _valuation(valuation: Valuation) -> str:
    prices = ", ".join(f"{symbol} {price:.12g}" for symbol, price in valuation.prices)
    return f"equity {_plain(valuation.equity)} at {prices}"


def _refusal(refusal: Refusal) -> str:
    return f"{refusal.side} {refusal.quantity:f} {refusal.code}: {refusal.figures}"


def _plain(value: Decimal) -> str:
    """Write a Decimal without the zeros that sums left at its end, nor an exponent."""
    return f"{value.normalize():f}"


_TEXTS: dict[type[Any], Callable[[Any], str]] = {
    Signal: _signal,
    Target: _target,
    OrderUpdate: _order,
    Fill: _fill,
    Transfer: _transfer,
    Funding: _funding,
    Latch: _latch,
    Valuation: _valuation,
    Refusal: _refusal,
}

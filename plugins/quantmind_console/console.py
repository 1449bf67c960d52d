"""The console sink: what happens, as lines a trader reads."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

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
from quantmind.kinds import Options, Run, Sink
from quantmind_console.board import Board

if TYPE_CHECKING:
    from quantmind_console.table import LiveTable

_SHOWN = frozenset({OrderState.ACCEPTED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.NOT_PLACED})
"""The states that no other line tells: an intent soon has an answer, and fills have their own lines."""


class ConsoleOptions(Options):
    """Options of the console sink."""

    events: list[DecisionName] = Field(
        default=["signal", "order", "fill", "funding", "latch", "refusal"],
        min_length=1,
        description="The events it shows, a line for each.",
    )
    view: Literal["auto", "table", "lines"] = Field(
        default="auto",
        description="A live `table` with the last lines below it, or `lines` alone; `auto`: a table on a terminal.",
    )


class Console(Sink[ConsoleOptions]):
    """Prints what is decided and done, one line each.

    On a terminal the last lines stand below a live table of prices, positions and the account.
    """

    name = "console"

    def __init__(self, options: ConsoleOptions, run: Run) -> None:
        super().__init__(options, run)
        # What --json leaves to the lines is the standard error.
        fits = run.output.isatty() and run.output is not sys.stderr
        self._board = Board() if options.view == "table" or (options.view == "auto" and fits) else None
        self._lines = frozenset(EVENT_TYPES[name] for name in options.events)
        self._table: LiveTable | None = None

    @property
    def events(self) -> frozenset[type[Any]]:
        """The types of event it shows; market events among them for a table only."""
        return self._lines if self._board is None else self._lines | self._board.events

    async def open(self) -> None:
        """Begin to draw the table, if it shows one."""
        if self._board is not None:
            # Heavy: not to be paid for where there are lines only.
            from quantmind_console.table import LiveTable

            self._table = LiveTable(self._board, self.run.output)

    async def close(self) -> None:
        """Leave the terminal in order."""
        table, self._table = self._table, None
        if table is not None:
            await table.close()

    async def write(self, batch: Sequence[Any]) -> None:
        """Show a batch."""
        lines = [_line(event) for event in batch if type(event) in self._lines and _shown(event)]
        if self._board is not None:
            for event in batch:
                self._board.take(event)
            self._board.lines.extend(lines)
        elif lines:
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

"""The live table of the console; imported when it opens on a terminal."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TextIO

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from quantmind_console.board import Board, Row

_REFRESH = 0.25


class LiveTable:
    """Draws a board on a terminal, at most four times a second, and leaves the last one there."""

    def __init__(self, board: Board, output: TextIO) -> None:
        self._board = board
        self._live = Live(console=Console(file=output), auto_refresh=False)
        self._handlers: list[tuple[logging.StreamHandler[TextIO], TextIO]] = []
        self._live.start()
        for handler in logging.getLogger().handlers:
            # Log lines go above the table: written straight to the terminal they would tear it.
            if isinstance(handler, logging.StreamHandler) and handler.stream in {sys.__stderr__, sys.__stdout__}:
                self._handlers.append((handler, handler.stream))
                handler.setStream(sys.stderr)
        self._drawing = asyncio.create_task(self._draw())

    async def close(self) -> None:
        """Draw it a last time, and give the terminal back."""
        self._drawing.cancel()
        await asyncio.gather(self._drawing, return_exceptions=True)
        for handler, stream in self._handlers:
            handler.setStream(stream)
        self._live.update(rendered(self._board))
        self._live.stop()

    async def _draw(self) -> None:
        while True:
            self._live.update(rendered(self._board), refresh=True)
            await asyncio.sleep(_REFRESH)


def rendered(board: Board) -> RenderableType:
    """Return a board as a table of symbols, the account, and the last lines."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("symbol", no_wrap=True)
    for name in ("bid", "ask", "last", "position", "average", "unrealised"):
        table.add_column(name, justify="right")
    table.add_column("signals")
    for symbol, row in board.rows.items():
        table.add_row(symbol, *_figures(row), _signals(row))
    lines = [Text(line.rstrip("\n"), style="dim") for line in board.lines]
    return Group(table, _account(board), *lines)


def _figures(row: Row) -> list[RenderableType]:
    unrealised = row.unrealised
    gain = Text("-") if unrealised is None else Text(f"{unrealised:+,.2f}", style="red" if unrealised < 0 else "green")
    average = "-" if row.average_price is None or not row.quantity else f"{row.average_price:,.8g}"
    return [_price(row.bid), _price(row.ask), _price(row.last), f"{row.quantity.normalize():f}", average, gain]


def _signals(row: Row) -> str:
    said = row.signals.values()
    return ", ".join(f"{s.strategy} {s.direction:+g} ({s.confidence:.2f})" for s in said)


def _account(board: Board) -> Text:
    equity = "-" if board.equity is None else f"{board.equity:,.2f}"
    counts = "  ".join(f"{name} {board.counts[name]:,}" for name in ("signals", "orders", "fills", "refusals"))
    money = f"equity {equity}  realised {board.realised:+,.2f}  fees {board.fees:,.2f}  funding {board.funding:+,.2f}"
    return Text(f"{money}  {counts}")


def _price(value: float | None) -> str:
    return "-" if value is None else f"{value:,.12g}"

"""Options that the commands of `quantmind data` share: channels, times, and where the store is."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quantmind.errors import UsageError

if TYPE_CHECKING:
    from quantmind.kinds.channel import Channel

KINDS = ("quote", "trade", "book", "mark", "funding", "ticker")
"""The channels that have no interval."""

MINUTE = 60_000_000_000

_UNIFIED = re.compile(r"[^/:\s]+/[^/:\s]+(:[^/:\s]+)?")


class Channels(click.ParamType):  # type: ignore[type-arg] # generic from click 8.4 on only
    """Names of channels with commas: `quotes,trades,bars-5m`; bars without an interval have that of --interval."""

    name = "channels"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the names."""
        if isinstance(value, tuple) or (ctx is not None and ctx.resilient_parsing):
            # A line that is being written is not read.
            return value
        from quantmind.data.store.layout import channel_of
        from quantmind.kinds.channel import Channel

        found = []
        for text in str(value).split(","):
            name, _, interval = text.strip().lower().partition("-")
            name = name.removesuffix("s")
            channel = Channel("bar") if (name, interval) == ("bar", "") else channel_of(f"{name}-{interval}".strip("-"))
            if channel is None:
                self.fail(f"{text.strip()!r} is none of bar, bar-5m, {', '.join(KINDS)}", param, ctx)
            found.append(channel)
        return tuple(dict.fromkeys(found))


CHANNELS = Channels()


def check_symbol(symbol: str) -> None:
    """Refuse a symbol that is not unified.

    Raises:
        UsageError: it is not; says which one may be meant.
    """
    from quantmind.recipe.instruments import _unified as unified_guess

    if _UNIFIED.fullmatch(symbol) is None:
        guess = unified_guess(symbol)
        hint = f"did you mean {guess}?" if guess else "write it as BASE/QUOTE:SETTLE, such as BTC/USDT:USDT"
        raise UsageError(f"{symbol} is not a unified symbol; {hint}")


def with_interval(channels: tuple[Channel, ...], interval: int) -> tuple[Channel, ...]:
    """Give the bars that have none their interval."""
    from quantmind.kinds.channel import Channel

    return tuple(
        dict.fromkeys(Channel("bar", interval) if channel == Channel("bar") else channel for channel in channels)
    )


class Span(click.ParamType):  # type: ignore[type-arg] # generic from click 8.4 on only
    """A duration above 0, in ns."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it."""
        if ctx is not None and ctx.resilient_parsing:
            return value
        from quantmind.kinds.options import parse_duration

        try:
            span = parse_duration(value)
        except ValueError as error:
            self.fail(f"{error}, was {value}", param, ctx)
        if span <= 0:
            self.fail(f"must be longer than nothing, was {value}", param, ctx)
        return span


SPAN = Span()


def store_folder(given: Path | None, project_folder: Path | None = None) -> Path:
    """Return where the store is: as it was said, else `data` in the state folder of the project."""
    from quantmind.project import Project

    return given if given is not None else Project.find(project_folder or Path.cwd(), os.environ).state / "data"


def counted(count: int, noun: str) -> str:
    """Write a number of things."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def bars_of(interval: int) -> str:
    """Name bars of an interval."""
    from quantmind.kinds.options import format_duration

    return f"bars of {format_duration(interval)}"

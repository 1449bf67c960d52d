"""Delivery: what a feed gives, and that it is the feed's fault when that is no market data."""

from __future__ import annotations

import numbers
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from typing import Any

import msgspec

from quantmind.blame import misanswered, told
from quantmind.errors import ComponentError, QuantMindError
from quantmind.events import Market
from quantmind.events.market import CHANNELS
from quantmind.kinds.feed import Feed

_TYPES: Mapping[Any, tuple[type, str]] = {
    int: (numbers.Integral, "a whole number"),
    float: (numbers.Real, "a number, and no Decimal"),
    str: (str, "text"),
}
"""What a field of an event may hold, by the type it is declared with, and in words."""


async def batches_of(feed: Feed[Any]) -> AsyncIterator[Sequence[Market]]:
    """Yield the batches of a feed.

    Of each batch the first and the last event are looked at, as those between are alike, and the fields of the first
    event of each type: an author's mistake is in all of them.

    Raises:
        ComponentError: it raises, or gives what is no market data.
    """
    known: set[type] = set()
    try:
        async for batch in feed.events():
            _expect_events(feed, "events", batch)
            if batch and batch[0].__class__ not in known:
                _expect_typed(feed, batch[0])
                known.add(batch[0].__class__)
            yield batch
    except ComponentError:
        raise
    except QuantMindError as error:
        raise ComponentError(f"feed {feed.name} failed: {error}") from error
    except (Exception, SystemExit) as error:
        raise ComponentError(f"feed {feed.name} failed: {told(error)}") from error


async def told_of(feed: Feed[Any], method: str, answer: Awaitable[Sequence[Any]]) -> Sequence[Any]:
    """Wait for what a feed says of the past, in order.

    Raises:
        ComponentError: it raises something of its own, or gives what is no market data.
    """
    try:
        events = await answer
    except QuantMindError:
        raise
    except Exception as error:
        raise ComponentError(f"feed {feed.name}: its {method} cannot be had: {told(error)}") from error
    _expect_events(feed, method, events)
    return events


def speed_of(feed: Feed[Any]) -> float | None:
    """Return how many times real time a feed runs, above 0; None is as fast as possible.

    Raises:
        ComponentError: it raises something of its own, or gives something else.
    """
    try:
        speed: object = feed.speed
    except QuantMindError:
        raise
    except Exception as error:
        raise ComponentError(f"feed {feed.name}: its speed cannot be told: {told(error)}") from error
    if speed is not None and not (isinstance(speed, int | float) and speed > 0):
        raise misanswered(feed, "speed", "a number above 0 or None", speed)
    return speed


def _expect_events(feed: Feed[Any], method: str, batch: object) -> None:
    if isinstance(batch, Sequence) and (
        not batch or (batch[0].__class__ in CHANNELS and batch[-1].__class__ in CHANNELS)
    ):
        return
    raise misanswered(feed, method, "lists of market events, such as [Trade(...)]", batch)


def _expect_typed(feed: Feed[Any], event: Market) -> None:
    for field in msgspec.structs.fields(event):
        kind, words = _TYPES.get(field.type, (object, ""))
        value = getattr(event, field.name)
        if not isinstance(value, kind):
            raise misanswered(feed, "events", f"{type(event).__name__}s whose {field.name} is {words}", value)

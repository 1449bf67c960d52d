"""The channel of an event."""

from __future__ import annotations

from quantmind.events import Bar, Market
from quantmind.events.market import CHANNELS
from quantmind.kinds import Channel, bars


def channel_of(event: Market) -> Channel:
    """Return the channel that an event comes by."""
    return bars(event.interval) if isinstance(event, Bar) else Channel(CHANNELS[type(event)])

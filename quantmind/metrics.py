"""The one registry of metrics: name, labels, unit, meaning. Whoever publishes a figure takes its name from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from quantmind.events import Figure

Type = Literal["counter", "gauge"]
"""What only grows while a stage runs, or what goes up and down."""


class Metric(msgspec.Struct, frozen=True):
    """A figure that stages publish in their Vitals: its `name`, `type`, `unit` and `meaning`.

    `labels` are the names of its labels in order; who exports it puts the stage before them.
    """

    name: str
    type: Type
    unit: str
    meaning: str
    labels: tuple[str, ...] = ()

    def figure(self, value: float, *labels: str) -> Figure:
        """Return the metric as it is now, with the values of its labels in their order.

        Raises:
            ValueError: there are more or fewer labels than it has.
        """
        if len(labels) != len(self.labels):
            raise ValueError(f"{self.name} has the labels {self.labels}, was given {labels}")
        return Figure(self.name, labels, float(value))


UPTIME = Metric("uptime_seconds", "gauge", "s", "Time since the stage started.")
EVENTS = Metric("market_events_total", "counter", "1", "Market events handled, by channel.", ("channel",))
LAG = Metric("lag_seconds", "gauge", "s", "From the venue's time of the last market event to its handling.")
BACKLOG = Metric("backlog_events", "gauge", "1", "Market events received and not handled yet.")
DROPPED = Metric("dropped_events_total", "counter", "1", "Market events dropped under overload; never bars.")
FRAMES = Metric("frames_total", "counter", "1", "Frames read, by the stage that published them.", ("of",))
INCIDENTS = Metric(
    "incidents_total", "counter", "1", "What was noticed of what another stage published, by kind.", ("what", "of")
)
TRANSPORT = Metric("transport", "gauge", "1", "What the transport publishes of itself, by name.", ("figure",))
SIGNALS = Metric("signals_total", "counter", "1", "Signals of the strategies.")
TARGETS = Metric("targets_total", "counter", "1", "Targets of the allocator.")
ORDERS = Metric("orders_total", "counter", "1", "Orders placed.")
FILLS = Metric("fills_total", "counter", "1", "Fills booked.")
REFUSALS = Metric("refusals_total", "counter", "1", "What the gate refused, by code.", ("code",))
FACTS = Metric("facts_total", "counter", "1", "The number of the last fact on record, or of the last one written.")
EQUITY = Metric(
    "equity", "gauge", "settlement currency", "Wallet and open positions at the last mark, else last price."
)
WALLET = Metric("wallet", "gauge", "settlement currency", "The wallet: what was realised, paid and received.")
PNL = Metric("pnl", "gauge", "settlement currency", "Equity less the balance the account began with.")
DRAWDOWN = Metric("drawdown_ratio", "gauge", "1", "The largest fall of the equity from its peak, as a part of it.")
POSITION = Metric("position", "gauge", "base currency", "The net position, short is negative.", ("symbol",))
AVERAGE_PRICE = Metric("average_price", "gauge", "quote currency", "What the position was entered at.", ("symbol",))
PRICE = Metric("price", "gauge", "quote currency", "The price that the position is valued at.", ("symbol",))
STOP = Metric("stop", "gauge", "quote currency", "The trigger of the stop that rests; none without one.", ("symbol",))
LATCHED = Metric("latched", "gauge", "1", "1 for each latch that is set.", ("name", "level"))
OWN = Metric("own", "gauge", "1", "What a rule or the executor publishes of itself, by name.", ("figure",))
STREAM_EVENTS = Metric(
    "stream_events_total", "counter", "1", "Market events published, by channel and symbol.", ("channel", "symbol")
)
STREAM_LAG = Metric(
    "stream_lag_seconds", "gauge", "s", "From the venue's time of the last event to its arrival.", ("channel", "symbol")
)
STREAM_AGE = Metric(
    "stream_age_seconds",
    "gauge",
    "s",
    "Since anything of the stream has arrived: its staleness.",
    ("channel", "symbol"),
)
STREAM_GAPS = Metric(
    "stream_gaps_total", "counter", "1", "Breaks in the numbers of a stream, mended ones too.", ("channel", "symbol")
)
STREAM_MISSING = Metric(
    "stream_missing_total", "counter", "1", "Events that are known to be missing for good.", ("channel", "symbol")
)
STREAM_BACKFILLED = Metric(
    "stream_backfilled_total", "counter", "1", "Events fetched again after a gap.", ("channel", "symbol")
)
STREAM_DUPLICATES = Metric(
    "stream_duplicates_total", "counter", "1", "Events that had come already and were left out.", ("channel", "symbol")
)
STREAM_COMPLETENESS = Metric(
    "stream_completeness_ratio",
    "gauge",
    "1",
    "Events that came, backfilled ones too, of those that the venue's numbers say there were.",
    ("channel", "symbol"),
)
STREAM_PROVEN = Metric(
    "stream_proven",
    "gauge",
    "1",
    "1 while every change is known to have come, 0 while not, -1 where the venue gives nothing to tell it by.",
    ("channel", "symbol"),
)
RECONNECTS = Metric("feed_reconnects_total", "counter", "1", "Connections that were lost and made again.", ("venue",))
CLOCK_OFFSET = Metric(
    "venue_clock_offset_seconds", "gauge", "s", "How far the venue's clock is ahead of ours.", ("venue",)
)
RATE_USED = Metric(
    "venue_rate_used_ratio", "gauge", "1", "Used up of what the venue allows in a minute, by its headers.", ("venue",)
)
SINK_LOST = Metric("sink_lost_total", "counter", "1", "Events that a sink failed to take, by sink.", ("sink",))

REGISTRY: Mapping[str, Metric] = {
    metric.name: metric for metric in list(globals().values()) if isinstance(metric, Metric)
}
"""Every metric by its name."""

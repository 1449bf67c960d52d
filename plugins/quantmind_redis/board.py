"""The board: what is to be seen in the Redis, as it is now; what changed is sent, and after an outage all of it."""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from quantmind.events import Fill, Health, Holdings, Incident, Quote, Trade, Valuation, Vitals
from quantmind.events.market import CHANNELS
from quantmind.events.names import EVENT_NAMES

MOST_INCIDENTS = 100
Command = tuple[Any, ...]
_RATES_OVER = 1.0
"""Seconds that a rate is counted over at the least."""


class Board:
    """Takes events, and says by which commands a Redis comes to show them. It holds a bounded amount of them."""

    def __init__(self, prefix: str, ticks: int, stream: int, buffer: int, run: str) -> None:
        self._prefix = prefix
        self._most_ticks = ticks
        self._stream = stream
        self._hashes: dict[str, dict[str, Any]] = {"feed": {"run": run}}
        self._dirty: set[str] = {"feed"}
        self._ticks: dict[str, deque[Quote | Trade]] = {}
        self._new_ticks: Counter[str] = Counter()
        self._sending: Counter[str] = Counter()
        self._incidents: deque[str] = deque(maxlen=MOST_INCIDENTS)
        self._new_incidents = 0
        self._entries: deque[tuple[str, str]] = deque(maxlen=buffer)
        self._counts: Counter[str] = Counter()
        self._counted: tuple[float, Counter[str]] = (time.monotonic(), Counter())
        self._began = time.monotonic()
        self._all = self._first = True
        self._streamed = False
        self._shed = self._shed_before = 0
        self.dropped = 0
        """Ticks and entries of the stream that were replaced before they could be sent."""

    def take(self, event: Any) -> None:
        """Take note of an event."""
        show = _SHOWN.get(event.__class__)
        if show is not None:
            show(self, event)
        channel = CHANNELS.get(event.__class__)
        if channel is not None:
            self._counts[channel] += 1
        elif self._stream and event.__class__ in EVENT_NAMES:
            if len(self._entries) == self._entries.maxlen:
                self.dropped += 1
                self._shed += 1
            self._entries.append((EVENT_NAMES[event.__class__], _json(event)))

    def lost(self) -> None:
        """Learn that what was sent last may not have arrived."""
        self._all = True
        for symbol, count in self._sending.items():
            unsent = self._new_ticks[symbol] + count
            self._new_ticks[symbol] = min(unsent, self._most_ticks)
            self.dropped += max(0, unsent - self._most_ticks)
        self._sending = Counter()

    def commands(self) -> tuple[list[Command], int]:
        """Return what is to be sent, and how many entries of the stream are among it."""
        self._figure()
        self._shed_before = self._shed
        names = sorted(self._hashes if self._all else self._dirty)
        # A Redis that was started again without a word has forgotten this field.
        told: list[Command] = [("HEXISTS", self._key("feed"), "run")]
        if self._first:
            # What another run held is not what this one holds.
            told.append(("DEL", self._key("positions"), self._key("account")))
        told += [("HSET", self._key(name), *_flat(self._hashes[name])) for name in names]
        for symbol, recent in self._ticks.items():
            count = len(recent) if self._all else self._new_ticks[symbol]
            bodies = [_json(event) for event in list(recent)[len(recent) - count :]]
            told.extend(self._list(f"ticks:{symbol}", bodies, self._most_ticks))
        count = len(self._incidents) if self._all else self._new_incidents
        told.extend(self._list("incidents", list(self._incidents)[len(self._incidents) - count :], MOST_INCIDENTS))
        entries = list(self._entries)
        told.extend(
            ("XADD", self._key("events"), "MAXLEN", "~", self._stream, "*", "type", name, "event", body)
            for name, body in entries
        )
        return told, len(entries)

    def sent(self, entries: int, known: bool) -> None:
        """Learn that what `commands` returned has arrived, and whether the Redis knew anything before."""
        for _ in range(entries - (self._shed - self._shed_before)):
            self._entries.popleft()
        self._all = not known
        self._first = False
        self._sending = Counter()
        self._streamed = self._streamed or bool(entries)

    def clean(self) -> None:
        """Begin to note what changes after `commands`."""
        self._dirty = set()
        self._sending, self._new_ticks = self._new_ticks, Counter()
        self._new_incidents = 0

    @property
    def keys(self) -> list[str]:
        """Every key that is written."""
        names = [*self._hashes, *(f"ticks:{symbol}" for symbol in self._ticks)]
        if self._incidents:
            names.append("incidents")
        if self._streamed:
            names.append("events")
        return [self._key(name) for name in names]

    def set(self, name: str, values: Mapping[str, Any]) -> None:
        """Set fields of a hash."""
        self._hashes.setdefault(name, {}).update(values)
        self._dirty.add(name)

    def _key(self, name: str) -> str:
        return f"{self._prefix}:{name}"

    def _list(self, name: str, bodies: Sequence[str], most: int) -> Iterator[Command]:
        if not bodies:
            return
        key = self._key(name)
        if self._all:
            yield ("DEL", key)
        # The newest one is the first of the list.
        yield ("LPUSH", key, *bodies)
        yield ("LTRIM", key, 0, most - 1)

    def _figure(self) -> None:
        now = time.monotonic()
        then, before = self._counted
        figures: dict[str, Any] = {"uptime_seconds": round(now - self._began, 3), "dropped": self.dropped}
        if now - then >= _RATES_OVER:
            for channel, count in self._counts.items():
                figures[f"{channel}_per_second"] = round((count - before[channel]) / (now - then), 3)
            self._counted = (now, Counter(self._counts))
        figures.update({f"{channel}_total": count for channel, count in self._counts.items()})
        self.set("feed", figures)

    def _tick(self, event: Quote | Trade) -> None:
        recent = self._ticks.setdefault(event.symbol, deque(maxlen=self._most_ticks))
        recent.append(event)
        if self._new_ticks[event.symbol] == self._most_ticks:
            self.dropped += 1
        else:
            self._new_ticks[event.symbol] += 1

    def _quote(self, quote: Quote) -> None:
        self._tick(quote)
        spread = quote.ask - quote.bid
        middle = (quote.ask + quote.bid) / 2
        values = {
            "bid": quote.bid,
            "ask": quote.ask,
            "bid_size": quote.bid_size,
            "ask_size": quote.ask_size,
            "ts": quote.ts,
            "spread": float(f"{spread:.12g}"),
            "spread_bps": round(spread / middle * 10_000, 6) if middle else 0.0,
        }
        if quote.received:
            values["received"] = quote.received
            values["feed_latency_ms"] = round((quote.received - quote.ts) / 1e6, 3)
        values["age_ms"] = round((time.time_ns() - quote.ts) / 1e6, 3)
        self.set(f"quote:{quote.symbol}", values)

    def _fill(self, fill: Fill) -> None:
        self.set("positions", {fill.symbol: f"{fill.position:f}"})

    def _holdings(self, holdings: Holdings) -> None:
        self.set("positions", {held.symbol: f"{held.quantity:f}" for held in holdings.positions})

    def _valuation(self, valuation: Valuation) -> None:
        self.set("account", {"equity": f"{valuation.equity:f}", "ts": valuation.ts})

    def _vitals(self, vitals: Vitals) -> None:
        values: dict[str, Any] = {"state": vitals.state, "pid": vitals.pid, "ts": vitals.ts}
        values["reasons"] = "; ".join(vitals.reasons)
        for figure in vitals.figures:
            labels = ",".join(figure.labels)
            values[f"{figure.name}{{{labels}}}" if labels else figure.name] = figure.value
        self.set(f"stage:{vitals.stage}", values)

    def _incident(self, incident: Incident) -> None:
        self._incidents.append(_json(incident))
        self._new_incidents = min(self._new_incidents + 1, MOST_INCIDENTS)
        name = f"{incident.what}:{incident.of}"
        counts = self._hashes.get("incident_counts", {})
        self.set("incident_counts", {name: counts.get(name, 0) + incident.count})

    def _health(self, health: Health) -> None:
        self.set("health", {"ts": health.ts, "reasons": "; ".join(health.reasons)})


def _json(event: Any) -> str:
    plain = msgspec.to_builtins(event)
    fields = event.__struct_fields__
    # On the bus events are arrays; who reads them here has no description of those.
    named = dict(zip(fields, plain[len(plain) - len(fields) :], strict=True))
    return json.dumps(named, separators=(",", ":"))


def _flat(values: Mapping[str, Any]) -> Iterator[Any]:
    for field, value in values.items():
        yield field
        yield value


_SHOWN: Mapping[type, Callable[[Board, Any], None]] = {
    Quote: Board._quote,  # noqa: SLF001 - the board's own
    Trade: Board._tick,  # noqa: SLF001
    Fill: Board._fill,  # noqa: SLF001
    Holdings: Board._holdings,  # noqa: SLF001
    Valuation: Board._valuation,  # noqa: SLF001
    Vitals: Board._vitals,  # noqa: SLF001
    Incident: Board._incident,  # noqa: SLF001
    Health: Board._health,  # noqa: SLF001
}

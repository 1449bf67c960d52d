"""The overview: what the stages of a running pipeline say of themselves, put together."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from quantmind.control.streams import Figures, by_name, streams, venues
from quantmind.events import Failed, Incident, Presence, Vitals, codec
from quantmind.metrics import (
    AVERAGE_PRICE,
    BACKLOG,
    DRAWDOWN,
    DROPPED,
    EQUITY,
    EVENTS,
    FILLS,
    FRAMES,
    INCIDENTS,
    LAG,
    LATCHED,
    ORDERS,
    PNL,
    POSITION,
    PRICE,
    REFUSALS,
    SINK_LOST,
    STOP,
    UPTIME,
    WALLET,
    Metric,
)
from quantmind.observing.snapshot import AccountRow, PositionRow, Snapshot, StageRow
from quantmind.pipeline.ailments import named, of_symbol

SILENCE = 3.0
"""Seconds without a word after which a stage is shown as silent; it says something every second."""

MOST_INCIDENTS = 8
"""How many of the last incidents are shown."""

_SPAN = 5_000_000_000
"""The time, in ns, over which rates are taken."""


class _Heard(msgspec.Struct):
    """What was heard of one stage."""

    at: float | None = None
    presence: Presence | None = None
    vitals: Vitals | None = None
    failure: str = ""
    figures: Figures = {}
    past: deque[tuple[int, float, float]] = msgspec.field(default_factory=deque)
    """Events and frames that it had handled at a time (ns), of one process, the oldest first."""

    def take(self, vitals: Vitals) -> None:
        """Take what the stage says of itself."""
        if self.vitals is not None and self.vitals.pid != vitals.pid:
            self.past.clear()
            self.failure = ""
        self.vitals = vitals
        self.figures = by_name(vitals.figures)
        self.past.append((vitals.ts, self.total(EVENTS) or 0.0, self.total(FRAMES) or 0.0))
        while len(self.past) > 2 and self.past[0][0] < vitals.ts - _SPAN:
            self.past.popleft()

    def total(self, metric: Metric) -> float | None:
        """Return a metric, summed over its labels."""
        values = self.figures.get(metric.name)
        return None if values is None else _running_sum(values.values())

    def incidents(self, what: str, of: str | None = None) -> int:
        """Return how often the stage noticed something, of another one or of any."""
        noticed = self.figures.get(INCIDENTS.name, {})
        return int(_running_sum(n for (kind, at), n in noticed.items() if kind == what and of in {None, at}))

    def rate(self, index: int) -> float | None:
        """Return events (1) or frames (2) per second."""
        if len(self.past) < 2:
            return None
        first, last = self.past[0], self.past[-1]
        return (last[index] - first[index]) / (last[0] - first[0]) * 1e9 if last[0] > first[0] else None


class Overview:
    """Remembers the last word of each stage, and the last incidents."""

    def __init__(self, pipeline: str, stages: Sequence[str]) -> None:
        self._pipeline = pipeline
        self._heard = {stage: _Heard() for stage in stages}
        self._incidents: deque[Incident] = deque(maxlen=MOST_INCIDENTS)
        self._restarts = dict.fromkeys(stages, 0)

    def hear(self, frame: codec.Frame) -> None:
        """Take what a stage says."""
        heard = self._heard.get(frame.stage)
        if heard is None:
            return
        heard.at = time.monotonic()
        for message in frame.messages:
            if isinstance(message, Presence):
                heard.presence = message
            elif isinstance(message, Vitals):
                heard.take(message)
            elif isinstance(message, Incident):
                self._incidents.append(message)
            elif isinstance(message, Failed):
                heard.failure = f"failed: {message.reason}"

    def notice(self, incident: Incident) -> None:
        """Take what was wrong with what was heard."""
        self._incidents.append(incident)
        if incident.what == "restart" and incident.of in self._restarts:
            self._restarts[incident.of] += incident.count

    @property
    def heard_any(self) -> bool:
        """Whether anything was heard at all."""
        return any(heard.at is not None for heard in self._heard.values())

    @property
    def complete(self) -> bool:
        """Whether every stage was heard twice, so that there are rates."""
        return all(heard.rate(1) is not None for heard in self._heard.values())

    def snapshot(self) -> Snapshot:
        """Return how the pipeline stands now."""
        execution, feed = (self._heard.get(stage, _Heard()) for stage in ("execution", "feed"))
        runs = [heard.presence.run for heard in self._heard.values() if heard.presence and heard.presence.run]
        return Snapshot(
            self._pipeline,
            execution.presence.run if execution.presence and execution.presence.run else next(iter(runs), ""),
            time.time_ns(),
            tuple(self._row(stage, heard) for stage, heard in self._heard.items()),
            _positions(execution.figures),
            _account(execution),
            tuple(self._incidents),
            streams(feed.figures),
            tuple(self._ailing()),
            venues(feed.figures),
        )

    def _ailing(self) -> Iterator[str]:
        """Yield what ails the pipeline, each ailment as the stage tells it that has it."""
        for stage, heard in self._heard.items():
            if heard.failure:
                yield named(stage, heard.failure)
            for reason in heard.vitals.reasons if heard.vitals is not None else ():
                if not any(reason.startswith(other) for other in self._heard if other != stage and self._ails(other)):
                    yield named(stage, reason)
            for symbol, reason in heard.vitals.symbols if heard.vitals is not None else ():
                yield of_symbol(named(stage, reason), symbol)

    def _ails(self, stage: str) -> bool:
        vitals = self._heard[stage].vitals
        return vitals is not None and bool(vitals.reasons)

    def _row(self, stage: str, heard: _Heard) -> StageRow:
        silence = None if heard.at is None else time.monotonic() - heard.at
        restarts = max([self._restarts[stage], *(other.incidents("restart", stage) for other in self._heard.values())])
        failures = (heard.failure,) if heard.failure else ()
        if heard.vitals is None:
            state = _state(heard, silence)
            return StageRow(stage=stage, state=state, heard=silence, restarts=restarts, reasons=failures)
        dropped = [heard.total(metric) or 0.0 for metric in (DROPPED, SINK_LOST)]
        return StageRow(
            stage=stage,
            state=_state(heard, silence),
            pid=heard.vitals.pid,
            uptime=heard.total(UPTIME),
            events_per_second=heard.rate(1),
            frames_per_second=heard.rate(2),
            lag=heard.total(LAG),
            backlog=_whole(heard.total(BACKLOG)),
            gaps=heard.incidents("gap"),
            dropped=int(dropped[0] + dropped[1]),
            duplicates=heard.incidents("duplicate"),
            restarts=restarts,
            heard=silence,
            reasons=(*failures, *heard.vitals.reasons),
        )


def _state(heard: _Heard, silence: float | None) -> str:
    said = heard.vitals or heard.presence
    if silence is None or said is None:
        return "not heard"
    if silence > SILENCE:
        return "stopped" if said.state == "stopping" else "silent"
    return said.state


def _positions(figures: Figures) -> tuple[PositionRow, ...]:
    rows = []
    for labels, quantity in figures.get(POSITION.name, {}).items():
        average, price, stop = (figures.get(m.name, {}).get(labels) for m in (AVERAGE_PRICE, PRICE, STOP))
        unrealised = None if average is None or price is None else quantity * (price - average)
        rows.append(PositionRow(labels[0], quantity, average, price, unrealised, stop))
    return tuple(rows)


def _account(execution: _Heard) -> AccountRow | None:
    equity = execution.total(EQUITY)
    if equity is None:
        return None
    wallet, pnl, drawdown, orders, fills = (
        execution.total(metric) or 0.0 for metric in (WALLET, PNL, DRAWDOWN, ORDERS, FILLS)
    )
    latches = {labels[0]: labels[1] for labels in execution.figures.get(LATCHED.name, {})}
    refusals = {labels[0]: int(count) for labels, count in execution.figures.get(REFUSALS.name, {}).items()}
    return AccountRow(equity, wallet, pnl, drawdown, int(orders), int(fills), latches, refusals)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _running_sum(values: Iterable[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total

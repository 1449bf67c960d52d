"""Events of running itself: time, and what stages tell each other about themselves."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from quantmind.events.market import Market


class Clock(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="clock"):
    """It is `ts` (ns UTC): asked for by `WakeAt`, it comes before the first market event after `ts`."""

    ts: int


class WakeAt(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="wake_at"):
    """Ask for a Clock at `ts` (ns UTC)."""

    ts: int


class Instruction(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="instruction"):
    """The operator's word to the Trader: stop trading, go on, close everything, or clear a latch by `name`."""

    action: Literal["halt", "resume", "flatten", "reset"]
    ts: int
    reason: str = ""
    name: str = ""


class Health(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="health"):
    """What keeps execution from entering positions at `ts` (ns UTC); empty when well.

    `reasons` are of all symbols, such as a stage that is stale; `symbols` has (symbol, reason) of those that only
    these must not be entered for, such as an order book that is not proven.
    """

    ts: int
    reasons: tuple[str, ...]
    symbols: tuple[tuple[str, str], ...] = ()


class Numbered(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="numbered"):
    """Consecutive market events, the first of which has the sequence number `seq`; a live feed's start is an epoch."""

    epoch: int
    seq: int
    events: tuple[Market, ...]


class HistoryWanted(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="history_wanted"):
    """Ask a live feed stage for what `stage` warms up with."""

    stage: str


class History(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="history"):
    """A part of what `stage` asked for: events up to `seq` of an epoch, in order; `left` more of them follow."""

    stage: str
    epoch: int
    seq: int
    left: int
    events: tuple[Market, ...]


StageState = Literal["starting", "ready", "stopping"]


class Presence(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="presence"):
    """A stage is there, and has heard the stages in `hears`; repeated while it runs."""

    stage: str
    hears: tuple[str, ...]
    run: str
    state: StageState = "starting"


class Figure(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One metric of the registry as it is now, with the values of its labels in their order."""

    name: str
    labels: tuple[str, ...]
    value: float


class Vitals(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="vitals"):
    """How a stage is at `ts` (ns UTC): its state, what ails it, its metrics, and what ails by symbol."""

    stage: str
    ts: int
    pid: int
    state: StageState
    reasons: tuple[str, ...]
    figures: tuple[Figure, ...]
    symbols: tuple[tuple[str, str], ...] = ()


IncidentKind = Literal[
    "gap", "duplicate", "reordering", "restart", "bad_frame", "stranger", "invalid", "overload", "silence"
]


class Incident(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="incident"):
    """Something that `stage` noticed at `ts` (ns UTC) of what stage `of` published under a topic, `count` times.

    A gap counts frames that never came, an overload market events that were dropped here.
    """

    stage: str
    ts: int
    what: IncidentKind
    of: str
    topic: str
    count: int
    detail: str = ""


class Holding(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The net position of one symbol; short is negative."""

    symbol: str
    quantity: Decimal


class Holdings(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="holdings"):
    """The net position of each symbol after fact `number`; the facts of this run of execution are those after `began`.

    Repeated while execution runs: who joins goes on from it, and who missed a fact notices.
    """

    account: str
    began: int
    number: int
    positions: tuple[Holding, ...]


class Ended(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="ended"):
    """The stage that says it has no more to say; of the feed, `seq` was its last event."""

    seq: int


class FactsWanted(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="facts_wanted"):
    """Ask the execution stage for the journalled facts from `number` on."""

    stage: str
    number: int


class Failed(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="failed"):
    """A stage cannot go on; the others stop as well."""

    stage: str
    reason: str

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
    """The operator's word to the Trader."""

    action: Literal["halt", "resume", "flatten", "reset"]
    """Stop trading, go on, close everything, or clear latches."""
    ts: int
    """The time of it, ns UTC."""
    reason: str = ""
    """Why, in the operator's words; it goes on record."""
    name: str = ""
    """The latch to clear; empty for all that the action clears."""


class Health(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="health"):
    """What keeps execution from entering positions at `ts` (ns UTC); empty when well.

    `reasons` concern all symbols, such as a stage that is stale; `symbols` has (symbol, reason) where only that one
    must not be entered, such as an order book that is not proven. Both are in no particular order.
    """

    ts: int
    reasons: tuple[str, ...]
    symbols: tuple[tuple[str, str], ...] = ()


class Numbered(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="numbered"):
    """Consecutive market events."""

    epoch: int
    """The number of the feed's start that they are of; 1 in a replay."""
    seq: int
    """The sequence number of the first one."""
    events: tuple[Market, ...]
    """The events in order, numbered one after the other."""


class HistoryWanted(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="history_wanted"):
    """Ask a live feed stage for what `stage`, the one that asks, warms up with."""

    stage: str


class History(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="history"):
    """A part of what a stage asked for to warm up with."""

    stage: str
    """The stage that asked."""
    epoch: int
    """The number of the feed's start that they are of."""
    seq: int
    """The sequence number of the last event that all the parts hold."""
    left: int
    """How many more events follow in other parts."""
    events: tuple[Market, ...]
    """The events of this part, in order."""


StageState = Literal["starting", "ready", "stopping"]
"""How far a stage is: it waits for others or warms up, it takes part, or it ends."""


class Presence(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="presence"):
    """A stage is there; repeated while it runs."""

    stage: str
    """The stage that is there."""
    hears: tuple[str, ...]
    """The stages that it has heard, in alphabetical order."""
    run: str
    """The name of its run."""
    state: StageState = "starting"
    """How far it is."""


class Figure(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One metric of the registry as it is now: its `name`, the values of its `labels` in their order, and its `value`.

    The unit of the value is the metric's.
    """

    name: str
    labels: tuple[str, ...]
    value: float


class Vitals(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="vitals"):
    """How a stage is."""

    stage: str
    """The stage it is about."""
    ts: int
    """The time of it, ns UTC."""
    pid: int
    """Its process."""
    state: StageState
    """How far it is."""
    reasons: tuple[str, ...]
    """What ails it, in no particular order; empty when well."""
    figures: tuple[Figure, ...]
    """Its metrics, in no particular order."""
    symbols: tuple[tuple[str, str], ...] = ()
    """What ails by symbol: (symbol, reason), in no particular order."""


IncidentKind = Literal[
    "gap", "duplicate", "reordering", "restart", "bad_frame", "stranger", "invalid", "overload", "silence"
]
"""What can be wrong with what another stage publishes: frames lost, twice, late, of a new start, unreadable, of
somebody else; what makes no sense where it came; events dropped for want of time; nothing at all for too long.
"""


class Incident(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="incident"):
    """Something that one stage noticed of what another one published."""

    stage: str
    """The stage that noticed it."""
    ts: int
    """When, ns UTC."""
    what: IncidentKind
    """What it was."""
    of: str
    """The stage that published."""
    topic: str
    """Under which topic; empty where it cannot be told."""
    count: int
    """How many: of a gap the frames that never came, of an overload the market events that were dropped."""
    detail: str = ""
    """More of it, in words, of 200 characters at the most."""


class Holding(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The net position of one `symbol`: its `quantity` in base currency, short is negative."""

    symbol: str
    quantity: Decimal


class Holdings(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="holdings"):
    """The net position of each symbol after a fact.

    Repeated while execution runs: who joins goes on from it, and who missed a fact notices.
    """

    account: str
    """The key of the account."""
    began: int
    """The number of the last fact before this run of execution."""
    number: int
    """The number of the last fact that they hold."""
    positions: tuple[Holding, ...]
    """The positions of the recipe's symbols, in no particular order."""


class Ended(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="ended"):
    """The stage that says it has no more to say; of the feed, `seq` is the number of its last event."""

    seq: int


class FactsWanted(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="facts_wanted"):
    """Ask the execution stage, from `stage`, for the journalled facts from that `number` on."""

    stage: str
    number: int


class Failed(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="failed"):
    """The `stage` cannot go on, for a `reason` in one line; the others stop as well."""

    stage: str
    reason: str

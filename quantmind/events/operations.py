"""Events of running itself: time, and what stages tell each other about themselves."""

from __future__ import annotations

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


class Numbered(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="numbered"):
    """Consecutive market events, the first of which has the sequence number `seq`."""

    epoch: int
    seq: int
    events: tuple[Market, ...]


class Presence(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="presence"):
    """A stage is there, and has heard the stages in `hears`; repeated while it runs."""

    stage: str
    hears: tuple[str, ...]
    run: str


class Ended(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="ended"):
    """The feed has no more events; `seq` was its last."""

    seq: int


class FactsWanted(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="facts_wanted"):
    """Ask the execution stage for the journalled facts from `number` on."""

    stage: str
    number: int


class Failed(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="failed"):
    """A stage cannot go on; the others stop as well."""

    stage: str
    reason: str

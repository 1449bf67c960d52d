"""Snapshots: how a pipeline stands at one moment, as `quantmind top` shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import msgspec

from quantmind.control.status import Status
from quantmind.control.streams import StreamRow, VenueRow
from quantmind.events import Incident


class StageRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stage: what it says of itself, and what the others noticed of it; None is not known.

    Rates are those of the last seconds, times are seconds. `gaps` and `duplicates` are frames of other stages that this
    one noticed as lost or come twice, `dropped` the events that it dropped, `restarts` how often it was started again.
    """

    stage: str
    state: str
    pid: int | None = None
    uptime: float | None = None
    events_per_second: float | None = None
    frames_per_second: float | None = None
    lag: float | None = None
    backlog: int | None = None
    gaps: int | None = None
    dropped: int | None = None
    duplicates: int | None = None
    restarts: int = 0
    heard: float | None = None
    """For how long nothing was heard of it."""
    reasons: tuple[str, ...] = ()


class PositionRow(msgspec.Struct, frozen=True):
    """A position, valued at `price`, and the stop that rests."""

    symbol: str
    quantity: float
    average_price: float | None
    price: float | None
    unrealised: float | None
    stop: float | None


class AccountRow(msgspec.Struct, frozen=True):
    """An account: money in its settlement currency, what has latched, and what was done and refused."""

    equity: float
    wallet: float
    pnl: float
    drawdown: float
    orders: int
    fills: int
    latches: Mapping[str, str]
    refusals: Mapping[str, int]


class Snapshot(msgspec.Struct, frozen=True):
    """A pipeline at `ts` (ns UTC); one that runs in one process has no stages to tell of.

    `streams` and `venues` are those of the feeds that count them, `ailing` says what keeps positions from being
    entered, or a stage from doing its work.
    """

    pipeline: str
    run: str
    ts: int
    stages: tuple[StageRow, ...]
    positions: tuple[PositionRow, ...]
    account: AccountRow | None
    incidents: tuple[Incident, ...]
    streams: tuple[StreamRow, ...] = ()
    ailing: tuple[str, ...] = ()
    venues: tuple[VenueRow, ...] = ()

    @classmethod
    def of(cls, pipeline: str, status: Status) -> Self:
        """Return how an account stands that is traded in one process."""
        positions = tuple(
            PositionRow(
                held.symbol,
                float(held.quantity),
                float(held.average_price),
                held.price,
                float(held.unrealised),
                None if held.stop is None else float(held.stop),
            )
            for held in status.positions
        )
        account = AccountRow(
            float(status.equity),
            float(status.wallet),
            float(status.equity - status.balance),
            status.drawdown,
            status.counts.get("orders", 0),
            status.counts.get("fills", 0),
            {latch.name: latch.level for latch in status.latches},
            status.refusals,
        )
        market = status.streams, status.ailing, status.venues
        return cls(pipeline, status.run, status.ts, (), positions, account, (), *market)

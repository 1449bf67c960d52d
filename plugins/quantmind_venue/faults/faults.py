"""What goes wrong on the venue: armed faults, what they hit, and what they do."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import msgspec

from quantmind.checking import nearest
from quantmind_venue.errors import VenueError
from quantmind_venue.faults.kinds import (
    EVERY,
    WORDS,
    AccountFault,
    Answer,
    Ban,
    BookGap,
    ChangeFilter,
    Close,
    Delay,
    DropReply,
    Duplicate,
    Fault,
    HalfOpen,
    RateLimit,
    Reorder,
    SetClock,
    Swallow,
)
from quantmind_venue.faults.reading import FaultError, read
from quantmind_venue.streaming.connection import Connection

if TYPE_CHECKING:
    from quantmind_venue.server import Venue

_LOG = logging.getLogger("quantmind")

_HELD = 1.0
"""Seconds after which a message that was held back goes, if none follows it."""


class Plan(msgspec.Struct):
    """What happens to one request: seconds to wait, the error instead of its answer, or no answer at all."""

    before: float = 0.0
    after: float = 0.0
    answer: Answer | None = None
    drop: DropReply | None = None


class Armed:
    """A fault that waits for what it hits."""

    def __init__(self, name: str, fault: Fault, start: int, random: random.Random) -> None:
        self.name = name
        self.fault = fault
        self.begins = start + fault.at
        self.ends = min(self.begins + fault.lasting, EVERY)
        self.matched = 0
        self.hits = 0
        self.trouble = ""
        """Why it could not happen."""
        self._random = random

    def hit(self, target: str, now: int) -> bool:
        """Say whether it hits something of this name."""
        fault = self.fault
        if self.hits >= fault.count or not self.begins <= now < self.ends or not fnmatchcase(target, fault.on):
            return False
        self.matched += 1
        if self.matched <= fault.after or (fault.chance < 1 and self._random.random() >= fault.chance):
            return False
        self.hits += 1
        return True

    def told(self) -> dict[str, object]:
        """Return what is said of it."""
        told: dict[str, object] = {"fault": self.name, "matched": self.matched, "hits": self.hits}
        return told | {"trouble": self.trouble} if self.trouble else told


class Faults:
    """All faults of one venue."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._random = random.Random(f"faults {venue.options.seed}")  # noqa: S311 - the same faults for the same seed
        self._armed: list[Armed] = []
        self._held: dict[str, bytes] = {}
        self.active = False
        """Whether there is any that hits requests or streams."""

    def told(self) -> list[dict[str, object]]:
        """Return what is said of all of them."""
        return [armed.told() for armed in self._armed]

    def clear(self) -> None:
        """Disarm all of them; lines that are half open stay so."""
        self._armed.clear()
        self.active = False

    def add(self, said: Mapping[str, Any], start: int) -> Armed:
        """Arm a fault, such as {"close": {"at": "10s"}}, whose time counts from `start` (ns).

        Raises:
            ValueError: there is no such fault, it is not well described, or it is due and cannot happen now.
        """
        armed = Armed(*self.checked(said), start, self._random)
        if armed.fault.on:
            self.active = True
        elif armed.begins <= self._venue.clock.ns():
            self._do(armed, None)
            armed.hits += 1
        else:
            self._venue.player.at(armed.begins, lambda: self._due(armed))
        self._armed.append(armed)
        return armed

    def begin(self, said: Mapping[str, Any], start: int) -> None:
        """Arm a fault of a script; one that is due and cannot happen stops nothing."""
        try:
            self.add(said, start)
        except ValueError as error:
            armed = Armed(*self.checked(said), start, self._random)
            armed.hits = 1
            self._armed.append(armed)
            self._trouble(armed, error)

    def checked(self, said: Any) -> tuple[str, Fault]:
        """Read a fault, and see that the venue has what it is about.

        Raises:
            FaultError: there is no such fault or contract, or it is not well described.
        """
        name, fault = read(said)
        symbol = getattr(fault, "symbol", None)
        listing = self._venue.listing
        if symbol is not None and symbol not in listing:
            spellings = [contract.spelling for contract in listing]
            close = nearest(symbol, spellings)
            hint = f"; did you mean {close}?" if close else ";"
            there = f"there is no contract {symbol}{hint} there are {', '.join(spellings)}"
            raise FaultError(f"{name}.symbol", there)
        return name, fault

    def _due(self, armed: Armed) -> None:
        if armed in self._armed:
            armed.hits += 1
            self._try(armed, None)

    def _try(self, armed: Armed, stream: str | None) -> None:
        """Let a fault happen; one that cannot is a fault of the script, not of the market."""
        try:
            self._do(armed, stream)
        except (ValueError, VenueError) as error:
            self._trouble(armed, error)

    def _trouble(self, armed: Armed, error: Exception) -> None:
        armed.trouble = str(error)
        _LOG.warning("fault %s: %s", armed.name, error)

    def request(self, name: str) -> Plan | None:
        """Return what happens to a request such as `GET /fapi/v1/time` or `WS order.place`."""
        plan = None
        now = self._venue.clock.ns()
        for armed in tuple(self._armed):
            if not armed.fault.on or not armed.hit(name, now):
                continue
            plan = plan or Plan()
            fault = armed.fault
            if isinstance(fault, Delay):
                late = (fault.by + fault.jitter * self._random.random()) / 1e9
                plan.before += late if fault.when == "before" else 0.0
                plan.after += late if fault.when == "after" else 0.0
            elif isinstance(fault, Answer):
                plan.answer = fault
            elif isinstance(fault, DropReply):
                plan.drop = fault
            else:
                self._try(armed, None)
        return plan

    def through(self, stream: str, data: bytes) -> Sequence[bytes]:
        """Return the messages that go instead of one of a stream."""
        messages: list[bytes] = [data]
        now = self._venue.clock.ns()
        held = self._held.pop(stream, None)
        names = (stream,) if "@" in stream or stream.startswith("!") else (stream, "user")
        for armed in tuple(self._armed):
            if not armed.fault.on or not any(armed.hit(name, now) for name in names):
                continue
            fault = armed.fault
            if isinstance(fault, Swallow):
                messages.clear()
                self._venue.hub.missed(stream, data)
            elif isinstance(fault, Duplicate):
                messages *= 2
            elif isinstance(fault, Reorder):
                if held is None and messages:
                    self._hold(stream, messages.pop())
            else:
                self._try(armed, stream)
        return messages if held is None else [*messages, held]

    def _hold(self, stream: str, data: bytes) -> None:
        self._held[stream] = data
        asyncio.get_running_loop().call_later(_HELD, self._release, stream, data)

    def _release(self, stream: str, data: bytes) -> None:
        if self._held.get(stream) is data:
            del self._held[stream]
            self._venue.hub.deliver(stream, data)

    def _do(self, armed: Armed, stream: str | None) -> None:
        """Let a fault happen that is more than the fate of one message."""
        venue, fault = self._venue, armed.fault
        if isinstance(fault, AccountFault):
            venue.account.inject(armed.name, **fault.arguments)
        elif isinstance(fault, RateLimit):
            venue.limits.quiet(fault.seconds)
        elif isinstance(fault, Ban):
            venue.limits.ban(fault.seconds)
        elif isinstance(fault, SetClock):
            venue.clock.shift += fault.by
        elif isinstance(fault, BookGap):
            venue.board.hide(fault.symbol)
        elif isinstance(fault, ChangeFilter):
            changes = fault.model_dump(
                exclude_unset=True, include=set(ChangeFilter.model_fields) - set(Fault.model_fields)
            )
            venue.board.changed_contract(venue.listing.change(changes.pop("symbol"), **changes))
        else:
            self._lines(fault, stream)

    def _lines(self, fault: Fault, stream: str | None) -> None:
        hub = self._venue.hub
        chosen = list(hub.wanted.get(stream, ())) if stream is not None else list(hub.connections.values())
        if isinstance(fault, Close | HalfOpen):
            chosen = [each for each in chosen if fnmatchcase(each.kind, fault.path)]
        for connection in chosen:
            if isinstance(fault, Close):
                _close(hub.lost, connection, fault.code)
            elif isinstance(fault, HalfOpen):
                connection.half_open = True
            elif isinstance(fault, Delay):
                connection.delay = (fault.by + fault.jitter * self._random.random()) / 1e9
        if isinstance(fault, Delay) and fault.lasting != EVERY:
            self._venue.player.at(self._venue.clock.ns() + fault.lasting, lambda: _in_time(chosen))


def _close(lost: Callable[[Connection], None], connection: Connection, code: int) -> None:
    """Take a line down; from this moment on what is published is missed on it."""
    lost(connection)
    if code == 1006:
        connection.cut()
    else:
        connection.bye(code)


def _in_time(connections: Sequence[Connection]) -> None:
    for connection in connections:
        connection.delay = 0.0


def message(fault: Answer) -> str:
    """Return the words of an error."""
    return fault.message or WORDS.get(fault.code, "Unknown error, please check your request or try again later.")

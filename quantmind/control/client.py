"""Calling the process that trades an account, and acting for it where none does."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any, cast

import msgspec

from quantmind.control.answers import Action, Outcome, Request, changed, in_force
from quantmind.control.home import Home, check
from quantmind.control.status import Status
from quantmind.errors import QuantMindError
from quantmind.events import Instruction, LatchLevel
from quantmind.trader.chronicle import Chronicle
from quantmind.trader.journal import Journal
from quantmind.trader.journal_reader import JournalReader
from quantmind.trader.latches import OPERATOR, Latches
from quantmind.trader.restart import cleared, cleared_state

PATIENCE = 5.0
"""Seconds that a living process may take to answer."""
_AGAIN = 0.05
_LEVELS: dict[Action, LatchLevel] = {"halt": "halt", "flatten": "flatten"}


def status(home: Home) -> Status:
    """Ask the process that trades an account how it stands, or read the record where none does."""
    answer = call(home, Request("status"))
    if answer is not None:
        return msgspec.convert(answer["status"], Status)
    check(home)
    with contextlib.closing(JournalReader.open(home.path)) as journal, journal.readable():
        return Status.read(journal, home.run)


def instruct(home: Home, action: Action, reason: str, name: str) -> Outcome:
    """Have the process that trades an account do something, or put it on record where none does.

    Raises:
        QuantMindError: there is no such latch to clear, or the process does not answer.
    """
    answer = call(home, Request(action, reason, name))
    if answer is not None:
        return msgspec.convert(answer["outcome"], Outcome)
    check(home)
    return _record(home, action, reason, name)


def call(home: Home, request: Request, patience: float = PATIENCE) -> dict[str, Any] | None:
    """Return what the process that trades an account answers; None when there is none.

    Raises:
        QuantMindError: it refuses, or does not answer in time.
    """
    deadline = time.monotonic() + patience
    while True:
        answer = _ask(home, request, deadline)
        holder = home.holder() if answer is None else None
        if answer is None and holder is None:
            return None
        if answer is not None and "error" in answer:
            raise QuantMindError(f"{home.name}: {answer['error']}")
        if answer is not None and "busy" not in answer:
            return answer
        if time.monotonic() > deadline:
            why = answer["busy"] if answer is not None else f"process {holder} has it, but does not answer"
            raise QuantMindError(f"{home.name}: {why}, for {patience:g} s now; try again, or stop that process")
        time.sleep(_AGAIN)


def _ask(home: Home, request: Request, deadline: float) -> dict[str, Any] | None:
    """Say one line and hear one; None when nobody listens."""
    try:
        with home.connect(max(deadline - time.monotonic(), _AGAIN)) as connection:
            connection.sendall(msgspec.json.encode(request) + b"\n")
            with connection.makefile("rb") as file:
                line = file.readline()
    except TimeoutError:
        raise QuantMindError(
            f"{home.name}: its process does not answer; what was asked may still be done when it goes on"
        ) from None
    except OSError:
        return None
    # A process that ends meanwhile hangs up without a word.
    return cast("dict[str, Any]", json.loads(line)) if line.endswith(b"\n") else None


def _record(home: Home, action: Action, reason: str, name: str) -> Outcome:
    """Set or clear latches of a stopped account in its journal, under its lock."""
    with contextlib.closing(JournalReader.open(home.path)) as before, before.readable():
        account, balance = before.account, before.balance
        record = Status.read(before, home.run)
    ts = time.time_ns() if home.live else record.ts
    said = reason or "by the operator"
    with contextlib.closing(Journal(home.path, account, balance, durable=True)) as journal:
        latches = Latches()
        for latch in journal.latches().values():
            latches.take(latch)
        known = dict(latches.set)
        anew = latches.cleared(Instruction(action, ts, reason, name))
        chronicle = Chronicle(journal, new_epoch=False)
        for each in anew:
            latches.take(chronicle.latch(each, None, said, ts))
        level = _LEVELS.get(action)
        if level is not None and latches.would_change(OPERATOR[action], level):
            latches.take(chronicle.latch(OPERATOR[action], level, said, ts))
        if anew:
            with journal.readable():
                pending = dict.fromkeys([*cleared(journal.states()), *anew])
            chronicle.states = lambda: cleared_state(pending)
        if journal.dirty:
            chronicle.commit()
        return Outcome(
            account,
            home.run,
            running=False,
            action=action,
            changed=changed(known, latches.set),
            latches=in_force(latches),
            seq=chronicle.seq,
            ts=ts,
            held={position.symbol: position.quantity for position in record.positions if position.quantity},
        )

"""Accounts: their journals, locks and latches."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from quantmind.control.home import Home
from quantmind.doctor.finding import Finding, failed, ok, warning
from quantmind.errors import QuantMindError
from quantmind.project import Project
from quantmind.trader.journal_reader import FILE, JournalReader

_PATIENCE = 1.0
"""Seconds that the look at one journal may take: that of a busy year is larger."""
_KEEP = "keep the file, and a copy of it: it is the account's only record"
_MOST = 50
"""So many accounts are looked at; who has more has tests running there."""


def accounts(project: Project) -> Iterator[Finding]:
    """Look at each account that outlives its runs."""
    folder = project.state / "accounts"
    try:
        found = sorted(path for path in folder.iterdir() if path.is_dir())
    except FileNotFoundError:
        found = []
    except OSError as error:
        yield failed("accounts", f"{folder} cannot be read: {error.strerror}", "see to its owner and permissions")
        return
    if not found:
        yield ok("accounts", "none yet")
    for path in found[:_MOST]:
        yield _account(project.state, path)
    if len(found) > _MOST:
        yield ok("accounts", f"{len(found) - _MOST} more were not looked at")


def _account(state: Path, path: Path) -> Finding:
    subject, file = f"account {path.name}", path / FILE
    if not file.is_file():
        return ok(subject, "has not begun to trade")
    try:
        facts, waiting = _on_record(path)
    except QuantMindError as error:
        return failed(subject, str(error), _KEEP)
    except (sqlite3.Error, msgspec.MsgspecError) as error:
        return failed(subject, f"{file} cannot be read: {error}", _KEEP)
    words = f"{facts} facts on record, {waiting} open orders"
    home = Home.find(state, path.name)
    holder = home.holder()
    if holder is not None and not home.listens:
        advice = f"see what it waits for; it ends with `kill {holder}`"
        return warning(subject, f"process {holder} has its lock and does not answer, {words}", advice)
    if holder is None and waiting:
        advice = f"nobody minds them: run its recipe, or see `quantmind status {path.name}`"
        return warning(subject, f"stopped, {words}", advice)
    return ok(subject, f"{'stopped' if holder is None else f'traded by process {holder}'}, {words}")


def _on_record(path: Path) -> tuple[int, int]:
    """Return how many facts and open orders a sound journal has.

    Raises:
        QuantMindError: it is none, or damaged.
    """
    with contextlib.closing(JournalReader.open(path)) as journal:
        last = journal.progress()
        waiting = len(journal.open_orders())
    if fault := _torn(path / FILE):
        raise QuantMindError(fault)
    return last.number if last else 0, waiting


def _torn(path: Path) -> str:
    """Say what is wrong with the pages of a journal; empty if nothing is, as far as there was time to look."""
    end = time.monotonic() + _PATIENCE
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        database.set_progress_handler(lambda: time.monotonic() > end, 10_000)
        told = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError:
        return ""
    except sqlite3.DatabaseError as error:
        told = str(error)
    finally:
        database.close()
    return "" if told == "ok" else f"{path} is damaged: {' '.join(told.split())}"

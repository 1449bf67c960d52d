"""Homes: the folders where accounts keep journal, lock and socket, and how an operator names them."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from quantmind.errors import QuantMindError, UsageError
from quantmind.pipeline.folder import RunFolder
from quantmind.trader.journal_reader import FILE

SOCKET = "control"
"""The socket's name in the home of an account."""


class Home(msgspec.Struct, frozen=True):
    """The home of one account: of one that outlives its runs, or the run's folder where a replay traded it."""

    path: Path
    run: str = ""
    live: bool = False

    @classmethod
    def find(cls, state: Path, name: str | None) -> Home:
        """Find the home of an account or a run, by its name or folder; without one, the only one there can be meant.

        Raises:
            UsageError: there is none, or several may be meant.
        """
        if name is None:
            return cls._only(state)
        account = state / "accounts" / name
        if Path(name).name == name and account.is_dir():
            return cls._of_account(state, account)
        try:
            folder = RunFolder.find(state, name)
        except UsageError as error:
            known = ", ".join(path.name for path in _folders(state / "accounts"))
            hint = f"; accounts: {known}" if known else ""
            raise UsageError(f"{str(error).replace('no run', 'no account and no run', 1)}{hint}") from None
        return cls(folder.home, folder.name, live=folder.is_live)

    @classmethod
    def _only(cls, state: Path) -> Home:
        accounts = [cls._of_account(state, path) for path in _folders(state / "accounts")]
        runs = [cls(path, path.name) for path in _folders(state / "runs") if (path / SOCKET).exists()]
        running = [home for home in (*accounts, *runs) if home.listens]
        if len(running) == 1:
            return running[0]
        if running:
            raise UsageError(f"several are running; name one of {_listed(running)}")
        if len(accounts) == 1:
            return accounts[0]
        if accounts:
            raise UsageError(f"none is running and there are several accounts; name one of {_listed(accounts)}")
        raise UsageError(f"nothing is running, and {state / 'accounts'} has no account; name a run")

    @classmethod
    def _of_account(cls, state: Path, path: Path) -> Home:
        """Return an account's home, with the last run that traded it."""
        for run in reversed(_folders(state / "runs")):
            with contextlib.suppress(OSError, ValueError):
                if Path((run / "account").read_text().strip()) == path.resolve():
                    return cls(path, run.name, live=True)
        return cls(path, live=True)

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"account {self.path.name}" if self.live else f"run {self.run}"

    @property
    def listens(self) -> bool:
        """Whether a process listens on the socket."""
        try:
            with self.connect(1.0):
                return True
        except (BlockingIOError, TimeoutError):
            return True
        except OSError:
            return False

    def connect(self, patience: float) -> socket.socket:
        """Connect to the process that trades the account.

        Raises:
            OSError: nobody listens.
        """
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(patience)
        try:
            with opened(self.path) as folder:
                connection.connect(address(folder))
        except BaseException:
            connection.close()
            raise
        return connection

    def holder(self) -> int | None:
        """Return the process that has the account's lock; None when nobody has it, or nobody can tell."""
        try:
            inode = (self.path / "lock").stat().st_ino
            locks = Path("/proc/locks").read_text().splitlines()
        except OSError:
            return None
        # The device is not compared: layered file systems have another one for files than for locks.
        for fields in map(str.split, locks):
            if fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == str(inode):
                return int(fields[4])
        return None


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[int]:
    """Open a folder for what is addressed from it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def address(folder: int) -> str:
    """Return the socket's address from an open folder: its path may be longer than the 107 bytes of an address."""
    return f"/proc/self/fd/{folder}/{SOCKET}"


def _folders(path: Path) -> list[Path]:
    try:
        return sorted(entry for entry in path.iterdir() if entry.is_dir())
    except OSError:
        return []


def _listed(homes: Iterable[Home]) -> str:
    return ", ".join(home.path.name if home.live else home.run for home in homes)


def check(home: Home) -> None:
    """Refuse a home where nothing was ever traded.

    Raises:
        QuantMindError: there is no journal.
    """
    if not (home.path / FILE).is_file():
        raise QuantMindError(f"{home.path / FILE}: there is no journal; {home.name} has not begun to trade")

"""Folders of runs and accounts below the state folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from quantmind.errors import QuantMindError, UsageError
from quantmind.trader.journal_reader import JournalReader


class RunFolder(msgspec.Struct, frozen=True):
    """The folder of one run: its recipe, its recordings, and the journal of a replay's account."""

    path: Path

    @property
    def name(self) -> str:
        """The run's name."""
        return self.path.name

    @classmethod
    def create(cls, state: Path, recipe: str, resolved: dict[str, Any], file: str) -> RunFolder:
        """Make a new folder, named by the time and the recipe."""
        runs = state / "runs"
        stem = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{recipe}"
        for count in range(1, 1000):
            path = runs / (stem if count == 1 else f"{stem}-{count}")
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise QuantMindError(f"{path}: cannot be made: {error.strerror}") from error
            folder = cls(path)
            folder._describe(resolved, file)
            return folder
        raise QuantMindError(f"{runs}: a thousand runs in one second; try again")

    @classmethod
    def shared(cls, state: Path, name: str, resolved: dict[str, Any], file: str) -> RunFolder:
        """Join the folder that another stage of the same run made, or make it."""
        folder = cls(state / "runs" / name)
        _make(folder.path)
        if not (folder.path / "run.json").exists():
            folder._describe(resolved, file)
        return folder

    @classmethod
    def find(cls, state: Path, name: str) -> RunFolder:
        """Find a run by its name or its folder.

        Raises:
            UsageError: there is none.
        """
        for path in (Path(name), state / "runs" / name):
            if (path / "run.json").is_file():
                return cls(path.resolve())
        known = sorted(path.name for path in (state / "runs").glob("*/") if (path / "run.json").is_file())
        last = f"; the last one is {known[-1]}" if known else f"; {state / 'runs'} has none"
        raise UsageError(f"there is no run {name}{last}")

    def _describe(self, resolved: dict[str, Any], file: str) -> None:
        text = json.dumps({"recipe": file, "digest": digest(resolved)}, indent=2)
        try:
            _write(self.path / "run.json", f"{text}\n")
        except QuantMindError:
            # A folder that nothing says anything of would be a run to nobody.
            with contextlib.suppress(OSError):
                self.path.rmdir()
            raise

    def description(self) -> dict[str, str]:
        """Return the recipe's file and digest."""
        path = self.path / "run.json"
        try:
            found = json.loads(path.read_text())
            return {"recipe": str(found["recipe"]), "digest": str(found["digest"])}
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is damaged, start a new run"
            raise QuantMindError(f"{path}: cannot be read: {reason}") from error

    def check(self, resolved: dict[str, Any]) -> None:
        """Refuse a recipe that is not the one this run was made with.

        Raises:
            UsageError: it has changed.
        """
        if self.description()["digest"] != digest(resolved):
            raise UsageError(f"run {self.name} was made with another recipe, or this one has changed since")

    def keep_journal_in(self, folder: Path) -> None:
        """Note that the journal of this run is the account's own."""
        _write(self.path / "account", f"{folder.resolve()}\n")

    @property
    def is_live(self) -> bool:
        """Whether the journal is that of an account which outlives the run."""
        return (self.path / "account").exists()

    def journal(self) -> JournalReader:
        """Open the journal to read it."""
        return JournalReader.open(self.home)

    @property
    def home(self) -> Path:
        """The folder of the journal: the account's own, or this one.

        Raises:
            QuantMindError: what is noted of it cannot be read.
        """
        noted = self.path / "account"
        try:
            return Path(noted.read_text().strip()) if noted.exists() else self.path
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is damaged, start a new run"
            raise QuantMindError(f"{noted}: cannot be read: {reason}") from error

    @property
    def decider_record(self) -> Path:
        """The recording of the Decider's inputs."""
        return self.path / "decider.record"

    @property
    def trader_record(self) -> Path:
        """The recording of the Trader's inputs."""
        return self.path / "trader.record"


def account_folder(state: Path, account: str) -> Path:
    """Return the folder of an account that outlives its runs."""
    path = state / "accounts" / account
    _make(path)
    return path


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise QuantMindError(f"{path}: cannot be made: {error.strerror}") from error


def _write(path: Path, text: str) -> None:
    """Write a small file, or none."""
    try:
        path.write_text(text)
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink()
        raise QuantMindError(f"{path}: cannot be written: {error.strerror}") from error


def digest(resolved: dict[str, Any]) -> str:
    """Return a short hash of a resolved recipe."""
    text = json.dumps(resolved, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]

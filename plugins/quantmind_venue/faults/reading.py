"""How faults are read: one as it is told while the venue runs, or a script of them with the place of each problem."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quantmind.checking import Checking, join, shown, suggestion
from quantmind.errors import UsageError
from quantmind_venue.faults.kinds import KINDS, Fault


class FaultError(ValueError):
    """A fault is not well described: at which path of it, and what to do."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message

    def within(self, path: str) -> FaultError:
        """Return the same, of a fault that stands at a path."""
        return FaultError(join(path, self.path) if self.path else path, self.message)


class ScriptError(UsageError):
    """A script of faults cannot be used; one line for each problem."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = tuple(lines)
        super().__init__("\n".join(lines))

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each problem."""
        return self._lines


class Script:
    """A YAML list of faults.

    Raises:
        ScriptError: it cannot be read, is no list, or a fault is not well described; every reason.
    """

    def __init__(self, path: Path) -> None:
        self._checking = checking = Checking(path)
        said = checking.data
        if not isinstance(said, list):
            if not checking.problems:
                was = "was empty" if said is None else f"was {shown(said)}"
                checking.error("", f"must be a list of faults such as - close: {{at: 10s}}, {was}")
            said = []
        for number, each in enumerate(said):
            _read(each, join("", number), checking)
        if checking.problems:
            raise ScriptError(checking.lines)
        self.faults: tuple[dict[str, Any], ...] = tuple(said)

    def refused(self, error: FaultError) -> ScriptError:
        """Return what is told of a fault that the venue refuses: its path is that of the option `faults`."""
        return ScriptError([self._checking.line(error.path.removeprefix("faults"), error.message)])


def read(said: Any) -> tuple[str, Fault]:
    """Read a fault as it is written: its name, and a mapping of what it needs to be told.

    Raises:
        FaultError: there is no such fault, or it is not well described; the first reason.
    """
    checking = Checking()
    found = _read(said, "", checking)
    if found is None:
        raise FaultError(*checking.problems[0])
    return found


def _read(said: Any, path: str, checking: Checking) -> tuple[str, Fault] | None:
    """Return a fault, or None after noting all that is wrong with it."""
    if not isinstance(said, dict) or len(said) != 1:
        checking.error(path, f"must be one fault with what it is told, such as close: {{at: 10s}}, was {shown(said)}")
        return None
    ((name, told),) = said.items()
    at = join(path, name)
    kind = KINDS.get(name)
    if kind is None:
        checking.error(at, suggestion(str(name), sorted(KINDS)), key=True)
        return None
    told = {} if told is None else told
    # As they are written: what lasts is told with `for`.
    known = [field.alias or name for name, field in kind.model_fields.items()]
    unknown = [key for key in told if key not in known] if isinstance(told, dict) else []
    for key in unknown:
        checking.error(join(at, key), suggestion(str(key), known), key=True)
    fault = checking.options(kind, {key: told[key] for key in told if key in known} if unknown else told, at)
    return (name, fault) if fault is not None and not unknown else None

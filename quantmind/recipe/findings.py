"""Findings: the problems of one document, noted while it is read."""

from __future__ import annotations

from typing import Any

from quantmind.recipe.document import Document
from quantmind.recipe.interpolate import Interpolation
from quantmind.recipe.problems import ENOUGH, LONGEST, Problem, Severity, shortened


class EnoughError(Exception):
    """So much is wrong that nothing more is looked for."""


class Findings:
    """Notes problems by path and gives each its place.

    What could not be interpolated is a problem already; nothing else is said about that value. Whoever notes very
    many errors is stopped by an EnoughError; of very many warnings the rest is left out.
    """

    def __init__(self, document: Document, interpolation: Interpolation) -> None:
        self._document = document
        self._interpolation = interpolation
        self.problems: list[Problem] = list(document.problems)
        self.shut_out = ""
        """Why nothing of QuantMind's own may be used, where something is."""
        self._warnings = 0

    def error(self, path: str, message: str, *, key: bool = False) -> None:
        """Note an error at a value, or of its key; what came from outside is not told."""
        message = self._interpolation.untold(path, message)
        if key or not self._interpolation.unknown(path):
            self._note(path, message, "error", key=key)
        elif self._interpolation.is_read is not None and path in self._interpolation.left:
            self._note(
                path, f"{message}; what it refers to must be set here too, because it is checked", "error", key=key
            )

    def interpolated(self, severity: Severity) -> None:
        """Note what could not be interpolated; unset variables with the given severity."""
        for path, fault in self._interpolation.faults.items():
            self._note(path, fault, "error")
        for path, reason in self._interpolation.unread.items():
            self._note(path, reason, "error")
        for path, names in self._interpolation.missing.items():
            for name in names:
                message = f"the environment variable {name} is not set: set it, or write ${{{name}:-default}}"
                self._note(path, message, severity)

    def exposed(self, path: str) -> None:
        """Note a secret that comes from a file which others can get at."""
        if (name := self._interpolation.exposed.get(path)) is not None:
            self._note(
                path,
                f"is a secret, but others can get at the file {name}: chmod 600 it, or write it as a credential",
                "error",
            )

    def written(self, path: str, value: Any) -> Any:
        """Return a value as it may be shown: what came from the environment stays there."""
        return self._interpolation.written.get(path, value)

    def _note(self, path: str, message: str, severity: Severity, *, key: bool = False) -> None:
        if severity == "warning":
            self._warnings += 1
            if self._warnings > ENOUGH:
                return
        self.problems.append(Problem(self._document.mark(path, key=key), path, shortened(message, LONGEST), severity))
        if len(self.problems) - min(self._warnings, ENOUGH) >= ENOUGH:
            raise EnoughError

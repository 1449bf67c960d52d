"""Findings: what was looked at, whether it is well, and what to do where it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

State = Literal["ok", "warning", "failed"]


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    subject: str
    """What it is, in a word or two."""
    state: State
    words: str
    """What was found."""
    advice: str = ""
    """What to do."""

    @property
    def told(self) -> str:
        """What was found and what to do, on one line."""
        return f"{self.words}: {self.advice}" if self.advice else self.words


Check = Callable[[], Iterable[Finding]]
"""Looks at one thing; changes nothing that stays."""


def ok(subject: str, words: str) -> Finding:
    """Return that something is well."""
    return Finding(subject, "ok", words)


def warning(subject: str, words: str, advice: str = "") -> Finding:
    """Return that something may do harm."""
    return Finding(subject, "warning", words, advice)


def failed(subject: str, words: str, advice: str = "") -> Finding:
    """Return that something does not work."""
    return Finding(subject, "failed", words, advice)

"""What `quantmind plugins check` finds out, one thing at a time."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["ok", "failed", "left out", "advice"]
"""Kept, broken, not looked at, or well meant: only what is broken makes a check fail."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at, in the component or in the package that brings it."""

    part: Literal["component", "package"]
    words: str
    """What is promised or expected: `says the same to the same market`."""
    state: State
    told: str = ""
    """What was found instead, why it was left out, or what to do."""


class Subject(msgspec.Struct, frozen=True):
    """What is checked, and who brought it."""

    kind: str
    name: str
    distribution: str
    version: str
    module: str


class Request(msgspec.Struct, frozen=True):
    """What is to be checked, and how."""

    name: str
    kind: str = ""
    """Empty where the name is enough."""
    options: str = ""
    """A mapping of options, as YAML or JSON; empty for those of the example."""
    settings: tuple[str, ...] = ()
    """Options as KEY=VALUE, beside or in place of those."""
    live: bool = False
    only_own: bool = False
    patience: float = 60.0
    """Seconds that one promise may take."""

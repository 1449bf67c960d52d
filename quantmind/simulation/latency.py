"""Latency: how long a command takes to reach the venue. The same command takes the same time after a restart."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol


class Latency(Protocol):
    """Says how long a command takes, in ns."""

    def of(self, command: str) -> int:
        """Return the time (ns) that the command of this id takes."""


class ConstantLatency:
    """Every command takes the same time, `ns`."""

    def __init__(self, ns: int = 0) -> None:
        self._ns = ns

    def of(self, command: str) -> int:  # noqa: ARG002 - all take the same
        """Return the time (ns) that a command takes."""
        return self._ns


class RandomLatency:
    """Times between two bounds in ns, each as likely as the other; the seed and the command's id decide."""

    def __init__(self, shortest: int, longest: int, seed: int = 0) -> None:
        self._shortest = shortest
        self._span = longest - shortest
        self._seed = seed

    def of(self, command: str) -> int:
        """Return the time that the command of this id takes."""
        return self._shortest + int(_draw(self._seed, command) * (self._span + 1))


class MeasuredLatency:
    """One of the times (ns, in any order) that were measured; the seed and the command's id decide which."""

    def __init__(self, times: Sequence[int], seed: int = 0) -> None:
        self._times = tuple(times)
        self._seed = seed

    def of(self, command: str) -> int:
        """Return the time that the command of this id takes."""
        return self._times[int(_draw(self._seed, command) * len(self._times))]


def _draw(seed: int, command: str) -> float:
    # A text seeds by its digest: the same in every process and on every machine.
    return random.Random(f"{seed} {command}").random()  # noqa: S311 - a delay, not a secret

"""Requirements of a distribution: a name, and the versions that it takes, as metadata write them (PEP 508)."""

from __future__ import annotations

import operator
import re
import sys
from collections.abc import Callable, Mapping
from typing import Self

import msgspec

_LINE = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*\(?([^;()]*)\)?\s*(?:;\s*(.*))?")
_CLAUSE = re.compile(r"(~=|===?|!=|<=|>=|<|>)\s*([^\s]+)")
_EXTRA = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")
_PLATFORM = re.compile(r"""sys_platform\s*(==|!=)\s*["']([^"']+)["']""")
_COMPARISONS: Mapping[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


class Requirement(msgspec.Struct, frozen=True):
    """One requirement."""

    name: str
    versions: str
    """Such as `>=4.5.90,<5`; empty where every version will do."""
    extra: str = ""
    """The extra that asks for it."""
    here: bool = True
    """Whether it is asked for on this platform."""

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a line of Requires-Dist."""
        match = _LINE.fullmatch(line)
        if match is None:
            return cls(line.strip(), "")
        marker = match[3] or ""
        extra = _EXTRA.search(marker)
        platforms = [(sys.platform == name) == (sign == "==") for sign, name in _PLATFORM.findall(marker)]
        return cls(match[1], match[2].strip().replace(" ", ""), extra[1] if extra else "", all(platforms))


def fits(version: str, versions: str) -> bool:
    """Say whether a version is one of those that are asked for; what cannot be compared fits.

    Only the numbers of a release count: a pre-release is taken for its release.
    """
    return all(_holds(_numbers(version), *clause) for clause in _CLAUSE.findall(versions.replace(",", " ")))


def _holds(version: tuple[int, ...], sign: str, wanted: str) -> bool:
    bound = _numbers(wanted)
    if not version or not bound or sign == "===":
        return True
    if wanted.endswith(".*"):
        same = _padded(version, len(bound))[: len(bound)] == bound
        return same if sign == "==" else not same
    length = max(len(version), len(bound))
    here, there = _padded(version, length), _padded(bound, length)
    if sign == "~=":
        return here >= there and _padded(version, len(bound))[: len(bound) - 1] == bound[:-1]
    return _COMPARISONS[sign](here, there)


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"v?(?:\d+!)?(\d+(?:\.\d+)*)", version.strip())
    return tuple(map(int, match[1].split("."))) if match else ()


def _padded(numbers: tuple[int, ...], length: int) -> tuple[int, ...]:
    return numbers + (0,) * (length - len(numbers))

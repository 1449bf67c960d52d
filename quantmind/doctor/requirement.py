"""Requirements of a distribution: a name, and the versions that it takes, as metadata write them (PEP 508)."""

from __future__ import annotations

import re
from typing import Self

import msgspec
from packaging import requirements
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

_EXTRA = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")


class Requirement(msgspec.Struct, frozen=True):
    """One requirement."""

    name: str
    versions: str
    """Such as `<5,>=4.5.90`; empty where every version will do."""
    extra: str = ""
    """The extra that asks for it."""
    here: bool = True
    """Whether it is asked for on this platform."""

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a line of Requires-Dist; what is none is a name."""
        try:
            read = requirements.Requirement(line)
        except requirements.InvalidRequirement:
            return cls(line.strip(), "")
        found = _EXTRA.search(str(read.marker))
        extra = found[1] if found else ""
        here = read.marker is None or read.marker.evaluate({"extra": extra})
        return cls(read.name, str(read.specifier), extra, here)


def fits(version: str, versions: str) -> bool:
    """Say whether a version is one of those that are asked for; what cannot be compared fits.

    Only the numbers of a release count: a pre-release is taken for its release.
    """
    try:
        return SpecifierSet(versions).contains(Version(Version(version).base_version), prereleases=True)
    except (InvalidVersion, InvalidSpecifier):
        return True

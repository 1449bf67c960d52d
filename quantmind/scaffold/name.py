"""The name of a new plugin, and all that is called after it."""

from __future__ import annotations

import importlib.util
import keyword
import re
from collections.abc import Collection
from importlib.metadata import packages_distributions, version

import msgspec

from quantmind.errors import UsageError
from quantmind.plugins import Found
from quantmind.recipe.sections import is_inproc

_LONGEST = 40
_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_PREFIX = "quantmind-"
_BESIDE = "id"
"""The key that may stand beside a component in a recipe: none can be called so."""


class Name(msgspec.Struct, frozen=True):
    """The name that an author chose, in small letters, digits, - and _."""

    written: str

    @classmethod
    def read(cls, written: str) -> Name:
        """Read a name.

        Raises:
            UsageError: nothing can be called so; says why, and what to do.
        """
        if fault := _fault(written):
            raise UsageError(f"{written!r} cannot be the name of a plugin: {fault}")
        return cls(written)

    @property
    def distribution(self) -> str:
        """The name that pip knows it by: `quantmind-night-owl`."""
        return _PREFIX + self.written.replace("_", "-")

    @property
    def module(self) -> str:
        """The name that Python imports it by, with _ for each -."""
        return self.distribution.replace("-", "_")

    @property
    def component(self) -> str:
        """The name that a recipe knows it by: `night_owl`."""
        return self.written.replace("-", "_")

    @property
    def hyphened(self) -> str:
        """The name of its recipe: `night-owl`."""
        return self.written.replace("_", "-")

    @property
    def camel(self) -> str:
        """The name of its class: `NightOwl`."""
        return "".join(part.capitalize() for part in re.split("[-_]", self.written))


def expect_free(name: Name, kind: str, installed: Collection[Found], verbs: Collection[str] = ()) -> None:
    """Refuse a name whose component, command or module is there already.

    Raises:
        UsageError: it is; says whose it is.
    """
    if kind == "command" and name.component in verbs:
        raise UsageError(f"quantmind {name.component} is a verb already: choose another name")
    if kind == "transport" and is_inproc(name.component):
        raise UsageError(f"transport: {name.component} means none in a recipe: choose another name")
    for row in installed:
        if (row.kind, row.name) == (kind, name.component):
            whose = f"{row.distribution} {row.version}".strip() or row.module
            raise UsageError(f"there is a {kind} {name.component} already, of {whose}: choose another name")
    if importlib.util.find_spec(name.module) is not None:
        raise UsageError(f"there is a module {name.module} already{_whose(name.module)}: choose another name")


def _whose(module: str) -> str:
    distributions = packages_distributions().get(module, ())
    return "".join(f", of {each} {version(each)}" for each in distributions[:1])


def _fault(written: str) -> str:
    """Say why a name is none; empty if it is one."""
    from quantmind.recipe.document import parse

    if written.replace("_", "-").startswith(_PREFIX):
        return f"leave out {written[: len(_PREFIX)]}, the package is called so by itself"
    if not _NAME.fullmatch(written):
        return f"write small letters, digits, - and _, a letter first, such as {_likely(written)}"
    if len(written) > _LONGEST:
        return f"it has {len(written)} letters, more than {_LONGEST}"
    if keyword.iskeyword(written) or written == _BESIDE:
        return f"it is a word of {'recipes' if written == _BESIDE else 'Python'}: add one to it"
    if parse(written.encode(), "").data != written:
        return "YAML takes it for a value: add a word to it"
    return ""


def _likely(written: str) -> str:
    """Return what was meant, as a name is written: `night-owl` for `NightOwl`; else an example."""
    words = re.findall(r"[A-Z]*[a-z0-9]+|[A-Z]+", written)
    likely = "-".join(words).lower()
    meant = written.isascii() and _NAME.fullmatch(likely) and not _fault(likely)
    return likely if meant else "night-owl"

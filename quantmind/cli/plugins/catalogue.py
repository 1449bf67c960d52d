"""What is installed, to be described: found by kind and name, or by the distribution that brings it."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from quantmind.cli import VERBS
from quantmind.cli.calling import contributed
from quantmind.cli.calling.session import Session
from quantmind.entries import OWN
from quantmind.errors import QuantMindError, UsageError
from quantmind.kinds import KINDS, Component
from quantmind.plugins import Found, Origin, PluginError, Plugins, normalised
from quantmind.reference.command import CommandDescription, describe_command
from quantmind.reference.component import Description, describe

COMMAND = "command"
"""The kind of what is no component: a command that a plugin adds."""


class Catalogue:
    """The components and commands of an installation, loaded when they are asked for."""

    def __init__(self, session: Session, plugins: Plugins) -> None:
        self._session = session
        self._plugins = plugins
        self._rows: tuple[Found, ...] | None = None

    def describe(self, kind: str, name: str) -> Description | CommandDescription:
        """Describe a component, or a command.

        Raises:
            UsageError: there is none, or more than one; says which one may be meant.
            QuantMindError: it cannot be loaded.
        """
        if kind == COMMAND:
            return self._command(name)
        if kind not in KINDS:
            kinds = [*KINDS, COMMAND]
            raise UsageError(f"{_unknown('kind', kind, kinds)}; kinds: {', '.join(kinds)}".replace("?;", "?"))
        try:
            component = self._plugins.find(kind, name)
        except PluginError as error:
            raise UsageError(str(error)) from error
        return describe(component, self._origin(component))

    def kinds(self, name: str) -> tuple[str, ...]:
        """Return the kinds of which something has a name.

        Raises:
            UsageError: nothing has it; says which one may be meant.
        """
        found = [row.kind for row in self._all() if row.kind and row.name == name]
        if found:
            return tuple(dict.fromkeys(found))
        if name in {*KINDS, COMMAND}:
            of_kind = sorted({row.name for row in self._all() if row.kind == name})
            raise UsageError(f"{name} is a kind: name one of it as well: {', '.join(of_kind) or 'none is installed'}")
        names = sorted({row.name for row in self._all() if row.kind})
        broken = [
            f"the plugin {row.distribution} {row.version} ({row.module}) that has it: {row.fault}"
            for row in self._all()
            if row.fault and not row.kind and row.name == name
        ]
        told = [_unknown("component or command", name, names), *broken, "`quantmind plugins list` has all"]
        raise UsageError("; ".join(told).replace("?;", "?"))

    def components_of(self, distribution: str) -> tuple[Found, ...]:
        """Return the components of a distribution, by kind and name.

        Raises:
            QuantMindError: there are none.
        """
        rows = tuple(row for row in self._all() if row.kind not in {"", COMMAND} and _same(row, distribution))
        if not rows:
            raise QuantMindError(self._nothing_of("component", distribution))
        return rows

    def commands_of(self, distribution: str) -> Mapping[str, str]:
        """Return what each command of a distribution does, in one sentence: of QuantMind's own the verbs first.

        Raises:
            QuantMindError: there are none, or one of them cannot be loaded.
        """
        verbs = VERBS if normalised(distribution) == OWN else {}
        rows = [row for row in self._all() if row.kind == COMMAND and _same(row, distribution)]
        if not rows and not verbs:
            raise QuantMindError(self._nothing_of("command", distribution))
        return {**verbs, **{row.name: self._command(row.name).summary for row in rows}}

    def _command(self, name: str) -> CommandDescription:
        names = sorted(contributed.commands())
        if name not in names:
            told = f"{_unknown(COMMAND, name, names)}; plugins add {', '.join(names) or 'none'}"
            raise UsageError(told.replace("?;", "?"))
        command = contributed.load(name, self._session)
        row = next(row for row in self._all() if (row.kind, row.name) == (COMMAND, name))
        try:
            return describe_command(name, command, Origin(row.distribution, row.version, row.module))
        except Exception as error:
            text = " ".join(str(error).split())
            raise QuantMindError(
                f"the command {name} of {row.distribution} cannot be described: {type(error).__name__}: {text}"
            ) from error

    def _all(self) -> tuple[Found, ...]:
        if self._rows is None:
            self._rows = (*self._plugins.all(), *contributed.listed(self._plugins, tuple(VERBS)))
        return self._rows

    def _origin(self, component: type[Component[Any]]) -> Origin:
        """Return who brought a component; another plugin may have one of the same name."""
        rows = [row for row in self._all() if (row.kind, row.name) == (component.kind, component.name)]
        own = [row for row in rows if f"{component.__module__}.".startswith(f"{row.module}.")]
        row = (own or rows)[0]
        return Origin(row.distribution, row.version, row.module)

    def _nothing_of(self, what: str, distribution: str) -> str:
        names = sorted({row.distribution for row in self._all() if row.kind and row.distribution})
        close = difflib.get_close_matches(distribution, names, 1)
        hint = f"did you mean {close[0]}?" if close and not _same_name(close[0], distribution) else "is it installed?"
        return f"no {what} is brought by the distribution {distribution}; {hint} There are: {', '.join(names)}"


def _unknown(what: str, name: str, known: Collection[str]) -> str:
    """Say that nothing has a name, and which one may be meant."""
    close = difflib.get_close_matches(name, known, 1)
    return f"no {what} is called {name}" + (f"; did you mean {close[0]}?" if close and close[0] != name else "")


def _same(row: Found, distribution: str) -> bool:
    return _same_name(row.distribution, distribution)


def _same_name(one: str, other: str) -> bool:
    return normalised(one) == normalised(other)

"""A plugin that is written and not yet installed: what its README says of it."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from quantmind.kinds import Component
from quantmind.plugins import Origin
from quantmind.reference import markdown
from quantmind.reference.command import describe_command
from quantmind.reference.component import describe
from quantmind.reference.marked import parts, rewritten
from quantmind.scaffold.name import Name

if TYPE_CHECKING:
    from click import Command

VERSION = "0.1.0"
"""What a new package begins with."""


class Draft:
    """The module of a new plugin, run from its text: it is our own template."""

    def __init__(self, name: Name, kind: str, source: str) -> None:
        self._name = name
        module = ModuleType(name.module)
        # pydantic looks up annotations in the module of a class.
        sys.modules[name.module] = module
        try:
            exec(compile(source, f"{name.module}.py", "exec"), module.__dict__)  # noqa: S102 - a template of this package
        finally:
            del sys.modules[name.module]
        self._component: type[Component[Any]] | None = None
        self._command: Command | None = None
        if kind == "command":
            self._command = module.command
        else:
            (self._component,) = module.register_components()

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""
        if self._component is not None:
            return self._component.summary()
        return (self._command.help or "").partition("\n")[0] if self._command is not None else ""

    def documented(self, text: str) -> str:
        """Write the generated parts of its README, as `quantmind plugins readme` does."""
        return rewritten(text, {part: self._described() for part in parts(text, "README.md")})

    def _described(self) -> str:
        origin = Origin(self._name.distribution, VERSION, self._name.module)
        if self._component is not None:
            return markdown.component(describe(self._component, origin))
        return markdown.command(describe_command(self._name.component, self._command, origin)) if self._command else ""

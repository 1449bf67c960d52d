"""What all components have in common: a kind, a name, options, and being opened and closed."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar, get_args, get_origin

from quantmind.kinds.options import Options
from quantmind.kinds.server import Server

O = TypeVar("O", bound=Options)  # noqa: E741 - the type argument of every component, read as "options"


class Component(Generic[O]):
    """A part of a pipeline that a recipe names; an async context manager that opens and closes it.

    A subclass says its `name` (the recipe key), has a docstring whose first line is its summary, and gives its
    options model as type argument: `class Momentum(Strategy[MomentumOptions])`.
    """

    kind: ClassVar[str] = ""
    """What it is, such as `strategy`: said by the base class of each kind."""
    name: ClassVar[str] = ""
    """The recipe key, and the name of its entry point."""
    options_model: ClassVar[type[Options]]
    """The model of its options, read from the type argument."""
    capabilities: ClassVar[frozenset[str]] = frozenset()
    """What it promises to those who never know its name: `live`, `protects`, `caps_leverage`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Read the options model from the type argument, once."""
        super().__init_subclass__(**kwargs)
        for base in cls.__dict__.get("__orig_bases__", ()):
            origin = get_origin(base)
            if isinstance(origin, type) and issubclass(origin, Component):
                (argument,) = get_args(base)
                if isinstance(argument, type):
                    cls.options_model = argument

    def __init__(self, options: O) -> None:
        self.options = options
        """The validated options."""

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the docstring."""
        return (inspect.getdoc(cls) or "").partition("\n")[0]

    @classmethod
    def servers(cls, options: O) -> Sequence[Server]:  # noqa: ARG003 - for those that talk to some
        """Return the servers it talks to with these options, in any order; pure, `quantmind doctor` greets them."""
        return ()

    async def open(self) -> None:
        """Acquire what the component needs; heavy imports belong here."""

    async def close(self) -> None:
        """Release it again; called once for every `open`, also after a failure."""

    async def __aenter__(self) -> Self:
        """Open the component."""
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()

"""Tables of what there is: commands, components, and the hooks of QuantMind."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping

from quantmind.hookspecs import Hooks
from quantmind.plugins import Found
from quantmind.reference.markdown import code, table, text


def commands(found: Mapping[str, str]) -> str:
    """Write commands, each with what it does."""
    rows = ((code(f"quantmind {name}"), text(summary)) for name, summary in found.items())
    return table(("command", "what it does"), rows)


def components(found: Iterable[Found]) -> str:
    """Write components by kind and name."""
    return table(("kind", "name", "what it does"), ((row.kind, code(row.name), text(row.summary)) for row in found))


def hooks() -> str:
    """Write every hook: its signature, what it is for, and when it is called."""
    rows = ((code(signature), text(sentence), text(called)) for signature, sentence, called in _hooks())
    return table(("hook", "what it does", "called"), rows)


def _hooks() -> Iterator[tuple[str, str, str]]:
    for name, hook in vars(Hooks).items():
        if not name.startswith("_") and inspect.isfunction(hook):
            signature = inspect.signature(hook)
            own = signature.replace(parameters=[each for each in signature.parameters.values() if each.name != "self"])
            said = " ".join((inspect.getdoc(hook) or "").split())
            sentence, found, called = said.partition("; called ")
            yield f"{name}{own}".replace("'", ""), f"{sentence}." if found else sentence, called.rstrip(".")

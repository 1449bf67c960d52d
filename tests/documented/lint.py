"""The linter: everything that the docs of a module do not say."""

from collections.abc import Iterator

from tests.documented.api import FORMULAS
from tests.documented.items import Fault, members
from tests.documented.raising import errors
from tests.documented.syntax import classes, docs, functions
from tests.documented.words import holds_figures_only, shapeless, sourceless, undocumented, unitless


def lint(tree, module, only=None, formulas=frozenset(FORMULAS)) -> Iterator[Fault]:
    """Find everything that the docs of a module do not say."""
    items = list(members(tree, module, only))
    if not docs(tree).strip():
        yield Fault(module, "has no docstring")
    yield from undocumented(items)
    yield from unitless(items)
    yield from shapeless(items)
    worked_out = [*functions(tree.body), *(cls for cls in classes(tree.body) if not holds_figures_only(cls))]
    places = {f"{module}.{node.name}" for node in worked_out} | formulas
    yield from sourceless([item for item in items if item.place in places], module, formulas)
    yield from errors(tree, module, only)

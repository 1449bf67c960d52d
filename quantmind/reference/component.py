"""A component described: what it does, its options, an example, and what it needs and gives."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec
from pydantic import ValidationError

from quantmind.errors import QuantMindError
from quantmind.kinds import Component
from quantmind.plugins import Origin
from quantmind.reference.example import example
from quantmind.reference.option import Option, options
from quantmind.reference.relations import Relation, capabilities, relations
from quantmind.reference.snippet import Snippet, snippet


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be said of a component."""

    kind: str
    name: str
    summary: str
    explanation: str
    """What follows the summary in the docstring."""
    options: tuple[Option, ...]
    example: dict[str, Any]
    """Options, as YAML would hold them."""
    snippet: Snippet
    """The example in its place of a recipe; of an archive the command that reads from it."""
    relations: tuple[Relation, ...]
    """What it needs and gives with the options of the example."""
    capabilities: tuple[Relation, ...]
    distribution: str
    version: str
    module: str
    fault: str = ""
    """Why there is no example, or what is wrong with it."""

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        for name in ("relations", "capabilities"):
            plain[name] = {relation["word"]: relation["what"] for relation in plain[name]}
        return plain


def describe(component: type[Component[Any]], origin: Origin) -> Description:
    """Describe a component; asks nothing of it that opens or connects anything."""
    first, _, rest = (inspect.getdoc(component) or "").partition("\n")
    given: dict[str, Any] = {}
    made, fault = None, ""
    try:
        given = example(component)
        made = component.options_model.model_validate(given)
    except QuantMindError as error:
        fault = str(error)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}".lstrip(": ") for each in error.errors())
        fault = (
            f"{component.kind} {component.name}: its options refuse its own example: {said}: write other examples=[...]"
        )
    except Exception as error:  # noqa: BLE001 - a validator of a plugin may raise anything
        fault = f"{component.kind} {component.name}: its options cannot be checked: {type(error).__name__}: {error}"
    return Description(
        kind=component.kind,
        name=component.name,
        summary=first,
        explanation=rest.strip(),
        options=options(component.options_model),
        example=given,
        snippet=snippet(component, given),
        relations=relations(component, made),
        capabilities=capabilities(component),
        distribution=origin.distribution,
        version=origin.version,
        module=origin.module,
        fault=fault,
    )

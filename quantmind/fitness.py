"""Fitness: what keeps a class from being a component, found out before any of it is called."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from quantmind.blame import defined
from quantmind.kinds import KINDS, Component, Options, Strategy

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SCOPES = ("symbol", "universe")
_ALIKE = 0.8
_ASYNC = "must be async: write async def"
_WHOLE = "must return its answer, not yield it"
_SEVERAL = ("Signals", "Iterable")
"""What may as well be yielded as listed."""


def fault_of(component: object) -> str:
    """Say what keeps a class from being a component; empty if nothing does."""
    if not (isinstance(component, type) and issubclass(component, Component)):
        given = isinstance(component, Component)
        return (
            f"{type(component).__name__} is registered as an object: register the class itself"
            if given
            else f"{component!r} is no component class: derive it from one of the kinds in quantmind.kinds"
        )
    label = f"component {component.__module__}.{component.__qualname__}"
    kind = KINDS.get(component.kind)
    if kind is None or not issubclass(component, kind):
        kinds = ", ".join(known.__name__ for known in KINDS.values())
        return f"{label} is of no known kind: derive it from one of {kinds}"
    name: object = component.name
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        return f"{label} must have a name of small letters, digits and _, was {name!r}"
    if not component.__dict__.get("__doc__"):
        return f"{label} has no docstring: its first line is the summary"
    return _fault_of_options(component, kind, label)


def misfit_of(component: type[Component[Any]]) -> str:
    """Say why a component cannot be called as one of its kind, and where that is written; empty if it can.

    Each method is compared with what the kind has in its place: what it takes, and whether anybody waits for it.
    """
    label = f"component {component.__module__}.{component.__qualname__}"
    if issubclass(component, Strategy) and component.scope not in _SCOPES:
        return f"{label}: scope must be 'symbol' or 'universe', was {component.scope!r}"
    kind = KINDS[component.kind]
    contract = _contract(kind)
    written: dict[str, Any] = {}
    for base in reversed(component.__mro__[: component.__mro__.index(kind)]):
        written.update(vars(base))
    for name, own in written.items():
        if name in contract:
            if fault := _fault_of_method(name, contract[name], own):
                return f"{label}: {name} {fault}{defined(own)}"
        elif name.startswith("on_") and isinstance(own, FunctionType):
            close = difflib.get_close_matches(name, contract.keys() - written.keys(), 1, _ALIKE)
            if close:
                return f"{label}: {name} is never called: did you mean {close[0]}?{defined(own)}"
    return ""


def _fault_of_options(component: type[Component[Any]], kind: type[Component[Any]], label: str) -> str:
    model = getattr(component, "options_model", None)
    if not isinstance(model, type):
        return f"{label} has no options model: write class {component.__name__}({kind.__name__}[NoOptions])"
    if not issubclass(model, Options):
        return f"{label} has options {model.__name__}, which are not derived from quantmind.kinds.Options"
    return ""


def _contract(kind: type[Component[Any]]) -> Mapping[str, Any]:
    """Return the methods, class methods and properties that a kind has, by name."""
    found: dict[str, Any] = {}
    for base in kind.__mro__:
        if issubclass(base, Component):
            for name, member in vars(base).items():
                if isinstance(member, FunctionType | classmethod | property) and (
                    name == "__init__" or not name.startswith("_")
                ):
                    found.setdefault(name, member)
    return found


def _fault_of_method(name: str, promised: Any, own: Any) -> str:
    """Say what is wrong with what stands in the place of a method of the kind; empty if nothing is."""
    if getattr(promised, "__final__", False):
        return "must not be written anew: it is what keeps to the gate"
    if isinstance(promised, property):
        return "is a method, and must be a value: write @property before it" if isinstance(own, FunctionType) else ""
    if isinstance(promised, classmethod):
        if isinstance(own, classmethod | staticmethod):
            return _fault_of_call(promised.__func__, own.__func__, bound=isinstance(own, classmethod))
        asked = callable(own) and not isinstance(own, FunctionType)
        return "" if asked else "is asked of the class: write @classmethod before it"
    if isinstance(own, staticmethod | classmethod | property) or not (callable(own) and hasattr(own, "__get__")):
        return f"must be a method: write def {name}({', '.join(_parameters(promised))})"
    return _fault_of_call(promised, own, bound=True)


def _fault_of_call(promised: Any, own: Any, *, bound: bool) -> str:
    """Say why a function cannot be called as that of the kind is, or gives its answer otherwise."""
    if not isinstance(own, FunctionType):
        return ""
    return _fault_of_answer(promised, own) or _fault_of_parameters(promised, own, bound=bound)


def _fault_of_answer(promised: FunctionType, own: FunctionType) -> str:
    answer = str(promised.__annotations__.get("return", ""))
    yields = inspect.isgeneratorfunction(own) or inspect.isasyncgenfunction(own)
    awaited = inspect.iscoroutinefunction(own)
    fault = ""
    if answer.startswith("AsyncIterator"):
        if awaited:
            fault = "must yield its batches, and has no yield"
        elif inspect.isgeneratorfunction(own):
            fault = _ASYNC
    elif inspect.iscoroutinefunction(promised):
        if yields:
            fault = _WHOLE
        elif not (awaited or hasattr(own, "__wrapped__")):
            fault = _ASYNC
    elif awaited or inspect.isasyncgenfunction(own):
        fault = "must not be async, as nobody waits for it: write def, and return the answer"
    elif yields and not answer.startswith(_SEVERAL):
        fault = _WHOLE
    return fault


def _fault_of_parameters(promised: FunctionType, own: FunctionType, *, bound: bool) -> str:
    code = own.__code__
    if bound and code.co_argcount == promised.__code__.co_argcount and not code.co_kwonlyargcount:
        return ""
    given = _parameters(promised)[0 if bound else 1 :]
    try:
        inspect.signature(own).bind(*given)
    except TypeError:
        return f"must take ({', '.join(given)}), and takes {inspect.signature(own)}"
    return ""


def _parameters(function: FunctionType) -> list[str]:
    """Name what a function must be given, in order."""
    return [
        each.name
        for each in inspect.signature(function).parameters.values()
        if each.default is each.empty and each.kind is not each.KEYWORD_ONLY
    ]

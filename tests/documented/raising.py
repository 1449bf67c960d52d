"""Rules about errors: what is raised is documented, and what is documented is raised."""

import ast
import builtins
import functools
import re

import quantmind.errors
from tests.documented.items import Fault, wanted
from tests.documented.syntax import ROOT, classes, docs, functions, index, public, read

RAISED_BY_PYTHON = {"OSError": {"open", "connect"}, "TimeoutError": {"connect"}, "RuntimeError": {"run"}}
"""Errors of Python's own functions, by their names."""


def raises(text):
    """Return the exceptions that a docstring says are raised."""
    section = re.search(r"^\s*Raises:\n((?:\s+.*\n?)+)", text, re.MULTILINE)
    return re.findall(r"^\s+(\w+):", section[1], re.MULTILINE) if section else []


def caught(function):
    """Return, for each node of a function, the names of the exceptions that the `try`s around it catch."""
    around = {}

    def visit(node, names):
        around[node] = names
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and node is not function:
            return
        if isinstance(node, ast.Try):
            here = names | {n for handler in node.handlers if not _passes_on(handler) for n in _handled(handler)}
            for child in node.body:
                visit(child, here)
            for child in [*node.handlers, *node.orelse, *node.finalbody]:
                visit(child, names)
            return
        for child in ast.iter_child_nodes(node):
            visit(child, names)

    visit(function, frozenset())
    return around


def _handled(handler):
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {ast.unparse(each) if each is not None else "BaseException" for each in types}


def _passes_on(handler):
    """Say whether a handler raises again what it caught."""
    return any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))


def thrown(function):
    """Return the names of the exceptions that a function itself raises and does not catch."""
    found = set()
    for node, names in caught(function).items():
        if isinstance(node, ast.Raise) and node.exc is not None:
            what = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            name = ast.unparse(what).split(".")[-1]
            if name[0].isupper() and name != "NotImplementedError" and not names & {name, "Exception", "BaseException"}:
                found.add(name)
        if isinstance(node, ast.Assert):
            found.add("AssertionError")
    return found


def called(function):
    """Yield what a function calls, by name, and what is caught around the call."""
    for node, names in caught(function).items():
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), names


def below(function, tree, cls):
    """Return what the functions of the same module raise that this one calls."""
    known = {node.name: node for node in functions(tree.body)}
    for each in [node for node in tree.body if isinstance(node, ast.ClassDef)]:
        makers = [node for node in functions(each.body) if node.name == "__init__"]
        known |= dict.fromkeys([each.name], *makers) if makers else {}
    if cls is not None:
        known |= {f"{own}.{node.name}": node for node in functions(cls.body) for own in ("self", "cls", cls.name)}
    found = set()
    for name, names in called(function):
        if name in known and known[name] is not function:
            found |= {error for error in thrown(known[name]) if not names & {error, "Exception", "BaseException"}}
    return found


@functools.cache
def _everything():
    """Return, by the simple name of a function, what those of that name raise and call, in all of QuantMind."""
    found = {}
    for path in sorted((ROOT / "quantmind").rglob("*.py")):
        for node in ast.walk(read(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                throws, calls = found.setdefault(node.name, (set(), set()))
                throws |= thrown(node)
                if any(isinstance(each, ast.Import | ast.ImportFrom) for each in ast.walk(node)):
                    throws.add("ImportError")
                calls |= {name.split(".")[-1] for name, _ in called(node)}
    return found


def reachable(function, depth=5):
    """Return what may be raised somewhere below a function, and called: too much rather than too little."""
    throws, calls = _everything().get(function.name, (set(), set()))
    errors, names = throws | thrown(function), calls | {name.split(".")[-1] for name, _ in called(function)}
    seen = set()
    for _ in range(depth):
        fresh = names - seen
        seen |= fresh
        names = set()
        for name in fresh:
            throws, calls = _everything().get(name, (set(), set()))
            errors |= throws
            names |= calls
    return errors | {error for error, by in RAISED_BY_PYTHON.items() if seen & by}


def kind_of(name):
    """Return the class of an exception by its name; None for one that only its module knows."""
    return getattr(builtins, name, None) or getattr(quantmind.errors, name, None)


def same(documented, thrown_):
    """Say whether the docs of an exception cover what is raised: it, or what it is a kind of."""
    wide, narrow = kind_of(documented), kind_of(thrown_) or _error(thrown_)
    return documented == thrown_ or (wide is not None and narrow is not None and issubclass(narrow, wide))


@functools.cache
def _error(name):
    cls = index().get(name)
    for base in cls.bases if cls is not None else ():
        found = kind_of(ast.unparse(base)) or _error(ast.unparse(base))
        if found is not None:
            return found
    return None


def promise_only(function):
    """Say whether a function is a contract: nothing but a docstring, a refusal to do it, or a constant."""
    body = [node for node in function.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    return all(isinstance(node, ast.Raise | ast.Return | ast.Pass) and not list(called(node)) for node in body)


def errors(tree, module, only=None):
    """Find exceptions that are raised and not documented, and those that are documented and never raised."""
    places = [(node, None, f"{module}.{node.name}") for node in functions(tree.body) if wanted(node.name, only)]
    for cls in classes(tree.body):
        if wanted(cls.name, only):
            places += [(node, cls, f"{module}.{cls.name}.{node.name}") for node in functions(cls.body)]
    for node, cls, place in places:
        if not (public(node.name) or node.name == "__init__"):
            continue
        told = raises(docs(node)) + (raises(docs(cls)) if cls is not None and node.name == "__init__" else [])
        for error in sorted(thrown(node) | below(node, tree, cls)):
            if not error.startswith("_") and not any(same(one, error) for one in told):
                yield Fault(place, "does not say that it raises", error)
        if promise_only(node):
            continue
        found = reachable(node)
        for error in told:
            evident = error == "KeyError" and any(isinstance(each, ast.Subscript) for each in ast.walk(node))
            if not evident and not any(same(error, one) for one in found):
                yield Fault(place, "says that it raises what nothing below it does:", error)

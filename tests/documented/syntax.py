"""Reading syntax trees: what has a docstring, also where Python itself forgets it."""

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).parents[2]
NO_DOCS = {"model_config", "O"}
"""What the libraries ask for, and the type argument of components."""


@functools.cache
def read(path):
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text())


def public(name):
    return not name.startswith("_")


def docs(node):
    return ast.get_docstring(node) or ""


def named(node):
    """Return the names that a statement binds."""
    if isinstance(node, ast.AnnAssign):
        return [node.target]
    return node.targets if isinstance(node, ast.Assign) else []


def followed(body):
    """Yield each statement with the docstring right after it."""
    for node, after in zip(body, [*body[1:], None], strict=True):
        said = ""
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
            said = after.value.value
        yield node, said


def described(node):
    """Return the description that a Field in a statement has, or the meaning of a Metric."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Field":
            for keyword in call.keywords:
                if keyword.arg == "description" and isinstance(keyword.value, ast.Constant):
                    return str(keyword.value.value)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Metric" and len(call.args) > 3:
            return str(ast.literal_eval(call.args[3]))
    return ""


def attributes(cls):
    """Yield name, docs and type of what a class has: fields, constants, and what `__init__` sets."""
    about = docs(cls)
    for node, said in followed(cls.body):
        for target in named(node):
            if isinstance(target, ast.Name) and public(target.id) and target.id not in NO_DOCS:
                own = said or described(node)
                if not own and f"`{target.id}`" in about:
                    own = about
                yield target.id, own, ast.unparse(node.annotation) if isinstance(node, ast.AnnAssign) else ""
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            types = {each.arg: each.annotation for each in [*node.args.args, *node.args.kwonlyargs]}
            for inner, said_inside in followed(node.body):
                for target in named(inner):
                    if not (isinstance(target, ast.Attribute) and public(target.attr)):
                        continue
                    own = said_inside or (about if f"`{target.attr}`" in about else "")
                    type_ = getattr(inner, "annotation", None)
                    if type_ is None and isinstance(inner.value, ast.Name):
                        type_ = types.get(inner.value.id)
                    yield target.attr, own, ast.unparse(type_) if type_ is not None else ""


def functions(body):
    return [node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def classes(body):
    return [node for node in body if isinstance(node, ast.ClassDef) and public(node.name)]


@functools.cache
def index():
    """Return the classes of QuantMind by their simple name."""
    found = {}
    # A class of an API is meant before one of its name elsewhere.
    for path in [*(ROOT / "quantmind" / "kinds").glob("*.py"), *sorted((ROOT / "quantmind").rglob("*.py"))]:
        for cls in classes(read(path).body):
            found.setdefault(cls.name, cls)
    return found


def bases(cls):
    """Yield the base classes of a class that are QuantMind's, found by their simple names."""
    for base in cls.bases:
        found = index().get(ast.unparse(base).split("[")[0].split(".")[-1])
        if found is not None and found is not cls:
            yield found
            yield from bases(found)

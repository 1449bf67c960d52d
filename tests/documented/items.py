"""Items: everything that has a name in a module, with what is said of it."""

import ast
import re
from typing import NamedTuple

from tests.documented.syntax import (
    NO_DOCS,
    attributes,
    bases,
    classes,
    described,
    docs,
    followed,
    functions,
    named,
    public,
)


class Fault(NamedTuple):
    """A place, and what its docs do not say."""

    place: str
    rule: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.rule} {self.detail}".rstrip()


class Item(NamedTuple):
    """Something that has a name: its own docs, those of what is around it, and its type as written."""

    place: str
    name: str
    docs: str
    around: str
    type: str


def members(tree, module, only=None):
    """Yield every named thing of a module that its users see; parameters have their function's docs around them."""
    for node, said in followed(tree.body):
        for target in named(node):
            if (
                isinstance(target, ast.Name)
                and public(target.id)
                and target.id not in NO_DOCS
                and wanted(target.id, only)
            ):
                yield Item(f"{module}.{target.id}", target.id, said or described(node), "", type_of(node))
    for node in functions(tree.body):
        if public(node.name) and wanted(node.name, only):
            yield from _function(node, module, "")
    for cls in classes(tree.body):
        if wanted(cls.name, only):
            yield from _class(cls, module)


def type_of(node):
    """Return the type of what a statement binds, as written; empty where it is not."""
    return ast.unparse(node.annotation) if isinstance(node, ast.AnnAssign) else ""


def wanted(name, only):
    return only is None or name in only


def _class(cls, module):
    place, about = f"{module}.{cls.name}", docs(cls)
    yield Item(place, cls.name, about, "", "")
    inherited = {name for base in bases(cls) for name, _, _ in attributes(base)}
    promised = {node.name: f"{docs(base)} {docs(node)}" for base in bases(cls) for node in functions(base.body)}
    seen = set()
    for name, own, type_ in attributes(cls):
        if name not in seen and not (name in inherited and not own):
            yield Item(f"{place}.{name}", name, own, about, type_)
        seen.add(name)
    told = "\n".join([about, *(own for _, own, _ in attributes(cls))])
    for node in functions(cls.body):
        if node.name == "__init__":
            yield from _parameters(node, place, f"{told}\n{docs(node)}")
        elif public(node.name):
            yield from _function(node, place, f"{told} {promised.get(node.name, '')}")
    for inner in classes(cls.body):
        yield from _class(inner, place)


def _function(node, place, around):
    returns = ast.unparse(node.returns) if node.returns is not None else ""
    if any(ast.unparse(decorator).endswith("contextmanager") for decorator in node.decorator_list):
        returns = re.sub(r"^\w+\[(.*)\]$", r"\1", returns)
    yield Item(f"{place}.{node.name}", node.name, docs(node), around, returns)
    yield from _parameters(node, f"{place}.{node.name}", f"{docs(node)}\n{around}")


def _parameters(node, place, around):
    for each in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]:
        if each.arg not in {"self", "cls"} and each.annotation is not None:
            yield Item(f"{place}({each.arg})", each.arg, around, around, ast.unparse(each.annotation))

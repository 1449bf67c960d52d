"""A plugin package as it is started: one module, five lines of TOML, and what goes with them."""

from __future__ import annotations

import builtins
import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from quantmind.kinds import KINDS
from quantmind.scaffold.author import Author
from quantmind.scaffold.draft import VERSION, Draft
from quantmind.scaffold.folding import folded
from quantmind.scaffold.name import Name

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

COMMAND = "command"
WRITTEN_KINDS = (*KINDS, COMMAND)
"""What a package may be started for."""

_SUFFIX = ".tmpl"
_MARK = re.compile(r"\{\{(\w+)\}\}")
_PLACES = {
    "gitignore": ".gitignore",
    "module.py": "{{module}}.py",
    "test.py": "test_{{module}}.py",
    "recipe.yaml": "recipes/{{component}}.yaml",
    "data.csv": "data/BTC-USDT-USDT.csv",
}
"""Where a template goes; the others go where they are called like."""


def package(name: Name, kind: str, author: Author | None = None) -> dict[Path, bytes]:
    """Return the files of a package that gives one component, or one command, by their paths in its folder."""
    texts = dict(_templates(kind))
    named = _class(name, kind, texts)
    values = {
        "kind": kind,
        "distribution": name.distribution,
        "module": name.module,
        "component": name.component,
        "recipe": name.hyphened,
        "version": VERSION,
        "Class": named,
        "authors": "" if author is None else author.toml(),
        "group": '"quantmind.commands"' if kind == COMMAND else "quantmind",
        "value": f"{name.module}:command" if kind == COMMAND else name.module,
    }
    values |= {"steps": "\n".join(steps(name, kind))}
    draft = Draft(name, kind, _filled(texts["module.py"], values))
    values |= {"summary": draft.summary, "summary_in_quotes": json.dumps(draft.summary, ensure_ascii=False)}
    written = {
        _filled(_PLACES.get(place, place), values): (_code if place.endswith(".py") else _filled)(text, values)
        for place, text in texts.items()
    }
    written["README.md"] = draft.documented(written["README.md"])
    return {Path(place): text.encode() for place, text in written.items()}


def steps(name: Name, kind: str) -> list[str]:
    """Return the commands that show a package at work, and whether it is fit for others; in its folder, installed."""
    recipe = f"recipes/{name.component}.yaml"
    # Components of other kinds may be called alike, here or where its README is read.
    check = f"quantmind plugins check {name.component} --kind {kind}"
    if kind == "transport":
        # It carries frames between processes: only then are some started.
        check += " --live"
    lines = ["pytest", check, "quantmind plugins readme --check README.md"]
    if kind == "archive":
        span = "--start 2024-01-01 --end 2024-01-01T08:00"
        lines.append(f"quantmind data download {name.component} BTC/USDT:USDT {span} --to market")
    if kind == COMMAND:
        return [*lines, f"quantmind {name.component} --help"]
    return [*lines, f"quantmind test {recipe}", f"quantmind run {recipe}"]


def _templates(kind: str) -> Iterator[tuple[str, str]]:
    """Yield every template by its name: what packages share, then what is of the kind and goes before it."""
    root: Traversable = files("quantmind.scaffold").joinpath("templates")
    for folder in ("package", kind):
        for entry in sorted(root.joinpath(folder).iterdir(), key=lambda entry: entry.name):
            if entry.name.endswith(_SUFFIX):
                yield entry.name.removesuffix(_SUFFIX), entry.read_text("utf-8")


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _MARK.sub(lambda mark: values[mark[1]], text)


def _code(text: str, values: Mapping[str, str]) -> str:
    """Fill in a template of code, whose lines with a name in them are written long, whatever the name."""
    return "\n".join(folded(_filled(line, values)) if _MARK.search(line) else line for line in text.split("\n"))


def _class(name: Name, kind: str, texts: Mapping[str, str]) -> str:
    """Return the name of the class: one that means nothing else in the module, its test or to pytest."""
    taken = set(re.findall(r"\w+", texts["module.py"] + texts["test.py"])) | set(dir(builtins))
    camel, prefix = name.camel, kind.capitalize()
    for named in (camel, camel + prefix):
        if not named.startswith("Test") and taken.isdisjoint({named, f"{named}Options"}):
            return named
    return prefix + camel

"""Descriptions for a terminal: the same as in Markdown, in the width there is."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from quantmind.reference.command import CommandDescription, walk
from quantmind.reference.component import Description
from quantmind.reference.option import Option
from quantmind.reference.relations import Relation

_INDENT = "  "
_KEPT = ("- ", "* ", "1. ", " ", "|", "`" * 3)
"""How a line begins that is not run together with the next."""


def component(description: Description, width: int) -> str:
    """Write everything about a component."""
    lines = [*_title(description, width), "", *_wrapped(description.summary, width)]
    lines += _paragraphs(description.explanation, width)
    lines += ["", "Options", *(line for option in description.options for line in _option(option, width))]
    if not description.options:
        lines.append(f"{_INDENT}none")
    lines += ["", "Example"]
    if description.fault:
        lines += _wrapped(description.fault, width, _INDENT)
    else:
        lines += textwrap.indent(description.snippet.text, _INDENT).splitlines()
    if description.relations:
        lines += ["", "With these options", *_relations(description.relations, width)]
    if description.capabilities:
        lines += ["", "Capabilities", *_relations(description.capabilities, width)]
    return "\n".join(lines) + "\n"


def command(description: CommandDescription, width: int) -> str:
    """Write everything about a command of a plugin, and each below it."""
    lines = _title(description, width)
    for each in walk(description.command):
        if each is not description.command:
            lines += ["", each.path]
        lines += ["", *_wrapped(each.summary, width)]
        lines += _paragraphs(each.explanation, width)
        if each.commands:
            lines += ["", "Commands"]
            lines += [line for below in each.commands for line in _entry(below.path, below.summary, width)]
            continue
        lines += ["", "Usage", *_wrapped(each.usage, width, _INDENT, _INDENT * 2)]
        options = [parameter for parameter in each.parameters if parameter.type != "argument"]
        if options:
            lines += ["", "Options"]
        for option in options:
            default = "required" if option.required else f"default {option.default}" if option.default else ""
            said = ", ".join(filter(None, (option.type, default)))
            lines += _entry(f"{option.name} ({said})", option.description, width)
        if each.examples:
            lines += ["", "Examples", *(f"{_INDENT}{line}" for line in each.examples)]
    return "\n".join(lines) + "\n"


def _title(description: Description | CommandDescription, width: int) -> list[str]:
    origin = " ".join(filter(None, (description.distribution, description.version)))
    whose = ", ".join(filter(None, (origin, description.module)))
    return _wrapped(f"{description.kind} {description.name} ({whose})", width, "", _INDENT)


def _option(option: Option, width: int) -> Iterator[str]:
    need = option.need or f"default {option.default}"
    said = ", ".join(filter(None, (option.type, option.bounds, need)))
    yield from _entry(f"{option.name} ({said})", option.description, width)


def _entry(head: str, said: str, width: int) -> Iterator[str]:
    """Write a name, and what it is below it."""
    yield from _wrapped(head, width, _INDENT, _INDENT * 2)
    yield from _wrapped(said, width, _INDENT * 3)


def _relations(several: Iterable[Relation], width: int) -> Iterator[str]:
    for relation in several:
        yield from _wrapped(f"{relation.word}: {relation.what}".removesuffix(": "), width, _INDENT, _INDENT * 2)


def _paragraphs(said: str, width: int) -> Iterator[str]:
    """Write text; what is a list or code in it keeps its lines."""
    for paragraph in filter(None, said.split("\n\n")):
        yield ""
        kept = any(line.startswith(_KEPT) for line in paragraph.split("\n"))
        yield from paragraph.split("\n") if kept else _wrapped(paragraph, width)


def _wrapped(said: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        said,
        width,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )

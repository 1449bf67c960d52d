"""Descriptions as Markdown, for the README of a plugin: tables of options, an example, and what it needs and gives."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from quantmind.reference.command import Command, CommandDescription, walk
from quantmind.reference.component import Description
from quantmind.reference.option import Option
from quantmind.reference.relations import Relation

_CODE = re.compile(r"(`+[^`]*`+)")


def component(description: Description) -> str:
    """Write everything about a component, but for its heading and its version."""
    parts = [description.summary, description.explanation]
    if description.options:
        parts.append(table(("option", "type", "default", "what"), map(_option, description.options)))
    else:
        parts.append("It has no options.")
    if not description.fault:
        parts.append(_fenced(description.snippet.language, description.snippet.text))
    parts.append("\n".join([*map(_relation, description.relations), *map(_relation, description.capabilities)]))
    return "\n\n".join(filter(None, parts))


def command(description: CommandDescription) -> str:
    """Write everything about a command of a plugin, and each below it."""
    return "\n\n".join(part for each in walk(description.command) for part in _command(each, description))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; the cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "|" + "|".join(line) + "|" if line is lines[1] else "| " + " | ".join(line) + " |" for line in lines
    ).replace("|  |", "| |")


def text(said: str) -> str:
    """Write plain text in a cell: what is in backquotes stays as it is."""
    parts = _CODE.split(" ".join(said.split()).replace("|", "\\|"))
    return "".join(part if part.startswith("`") else part.replace("<", "&lt;") for part in parts)


def code(said: str) -> str:
    """Write code in a cell."""
    if not said:
        return ""
    quotes = "`" * (max(map(len, re.findall("`+", said)), default=0) + 1)
    padded = f" {said} " if "`" in said else said
    return f"{quotes}{padded}{quotes}".replace("|", "\\|")


def _option(option: Option) -> tuple[str, ...]:
    kind = ", ".join(filter(None, (option.type, option.bounds)))
    return (
        code(option.name),
        text(kind),
        option.need or code(option.default),
        text(option.description),
    )


def _relation(relation: Relation) -> str:
    return f"- **{relation.word}**: {relation.what}" if relation.what else f"- **{relation.word}**"


def _command(described: Command, whole: CommandDescription) -> Iterator[str]:
    if described is not whole.command:
        yield f"### `{described.path}`"
    yield from filter(None, (described.summary, described.explanation))
    if described.commands:
        yield table(("command", "what"), ((code(each.path), text(each.summary)) for each in described.commands))
        return
    yield _fenced("text", f"{described.usage}\n")
    if options := [each for each in described.parameters if each.type != "argument"]:
        rows = (
            (
                code(each.name),
                text(each.type),
                "required" if each.required else code(each.default),
                text(each.description),
            )
            for each in options
        )
        yield table(("option", "type", "default", "what"), rows)
    if described.examples:
        yield _fenced("sh", "".join(f"{line}\n" for line in described.examples))


def _fenced(language: str, said: str) -> str:
    return f"```{language}\n{said}```"

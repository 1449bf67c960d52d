"""A command described: what it does, its usage, options and examples, and those of the commands below it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import click
import msgspec

from quantmind.plugins import Origin

_TYPES: dict[type[Any], str] = {
    type(click.INT): "whole number",
    click.IntRange: "whole number",
    type(click.FLOAT): "number",
    click.FloatRange: "number",
    type(click.STRING): "text",
    click.Path: "path",
    click.File: "path",
    click.DateTime: "time",
}
_EXAMPLE = re.compile(r"^\s*Examples?:\s*", re.MULTILINE)


class Parameter(msgspec.Struct, frozen=True):
    """An option or an argument of a command."""

    name: str
    type: str
    default: str
    required: bool
    description: str


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command, or a group of them."""

    path: str
    """Such as `quantmind keys new`."""
    summary: str
    explanation: str
    usage: str
    parameters: tuple[Parameter, ...]
    examples: tuple[str, ...]
    commands: tuple[Command, ...]
    """Those below it."""


class CommandDescription(msgspec.Struct, frozen=True, kw_only=True):
    """A command that a plugin adds to `quantmind`."""

    kind: str
    name: str
    command: Command
    distribution: str
    version: str
    module: str

    @property
    def summary(self) -> str:
        """What the command does, in one sentence."""
        return self.command.summary

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return {**plain.pop("command"), **plain}


def describe_command(name: str, command: click.Command, origin: Origin) -> CommandDescription:
    """Describe a plugin's command and all below it."""
    return CommandDescription(
        kind="command",
        name=name,
        command=_described(command, click.Context(click.Group("quantmind"), info_name="quantmind"), name),
        distribution=origin.distribution,
        version=origin.version,
        module=origin.module,
    )


def walk(command: Command) -> Iterator[Command]:
    """Yield a command and all below it, each before its own."""
    yield command
    for below in command.commands:
        yield from walk(below)


def _described(command: click.Command, parent: click.Context, name: str) -> Command:
    context = click.Context(command, info_name=name, parent=parent)
    first, _, rest = inspect.cleandoc(command.help or command.short_help or "").replace("\b\n", "").partition("\n")
    below = []
    if isinstance(command, click.Group):
        found = ((each, command.get_command(context, each)) for each in command.list_commands(context))
        below = [_described(each, context, name) for name, each in found if each is not None and not each.hidden]
    pieces = " ".join(command.collect_usage_pieces(context))
    return Command(
        path=context.command_path,
        summary=first,
        explanation=rest.strip(),
        usage=f"{context.command_path} {pieces}".rstrip(),
        parameters=tuple(_parameter(each, context) for each in command.params if not getattr(each, "hidden", False)),
        examples=tuple(_examples(command.epilog or "")),
        commands=tuple(below),
    )


def _parameter(parameter: click.Parameter, context: click.Context) -> Parameter:
    if isinstance(parameter, click.Argument):
        return Parameter(parameter.make_metavar(context), "argument", "", parameter.required, "")
    flag = isinstance(parameter, click.Option) and (parameter.is_flag or parameter.count)
    default = "" if flag or parameter.default is None or callable(parameter.default) else _default(parameter)
    several = ", several times" if parameter.multiple else ""
    return Parameter(
        name=" / ".join([*parameter.opts, *parameter.secondary_opts]),
        type="flag" if flag else f"{parameter.metavar or _type(parameter.type)}{several}",
        default=default,
        required=parameter.required,
        description=getattr(parameter, "help", None) or "",
    )


def _type(kind: Any) -> str:
    if isinstance(kind, click.Choice):
        return f"one of {', '.join(map(str, kind.choices))}"
    words = next((words for known, words in _TYPES.items() if isinstance(kind, known)), kind.name)
    limits = [("at least", getattr(kind, "min", None)), ("at most", getattr(kind, "max", None))]
    return ", ".join([words, *(f"{word} {limit}" for word, limit in limits if limit is not None)])


def _default(parameter: click.Parameter) -> str:
    default = parameter.default
    if isinstance(default, list | tuple):
        return " ".join(map(str, default))
    # Click has a value of its own for "none was given".
    return str(default) if isinstance(default, str | int | float) else ""


def _examples(epilog: str) -> Iterator[str]:
    """Yield the lines of an epilog such as `Example: quantmind a b`, or several below `Examples:`."""
    if _EXAMPLE.search(epilog) is None:
        return
    for line in _EXAMPLE.sub("", epilog.replace("\b", "")).splitlines():
        yield from (part.strip() for part in line.split(" · ") if part.strip())

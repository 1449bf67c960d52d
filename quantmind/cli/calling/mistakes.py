"""What is told of an error: where, what and what to do, on one line."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Sequence
from pathlib import Path

import click

from quantmind.blame import place, told, within
from quantmind.errors import QuantMindError

_LONGEST = 1_000
"""Characters of a line at the most; the middle of a longer one is left out."""
_TAIL = 300
_LACKS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS})
_DEEPEST = 20
_QUOTED = re.compile(r"'?(.*?)'? is not (?:in the range|a valid)", re.DOTALL)
"""What click says of a number that is none, or out of bounds."""


def lines_of(error: BaseException, verb: str) -> Sequence[str]:
    """Return the lines that tell of an error of a verb: one, but for the problems of a recipe."""
    if isinstance(error, QuantMindError):
        return [_printable(line) for line in error.lines]
    return [_printable(_said(error, verb))]


def exit_code_of(error: BaseException) -> int:
    """Return the exit code of a command that ends with this error."""
    if isinstance(error, QuantMindError | click.ClickException):
        return error.exit_code
    return 1


def _said(error: BaseException, verb: str) -> str:
    if isinstance(error, click.UsageError):
        return _usage(error, verb)
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, OSError):
        return _of_system(error)
    if (cause := _lack(error)) is not None:
        return _of_system(cause)
    if isinstance(error, MemoryError):
        return "there is not enough memory: give it more, or less to do at once"
    owner, at = _owner(error, verb)
    return (
        f"this is a fault of {owner}, not yours: {told(error)}{at}: "
        "please report what `quantmind --debug` and the same arguments print"
    )


def _lack(error: BaseException | None) -> OSError | None:
    """Return what the system lacked, if what went wrong came of that; libraries hide it behind errors of theirs."""
    seen = 0
    while error is not None and seen < _DEEPEST:
        if isinstance(error, OSError) and error.errno in _LACKS:
            return error
        error, seen = error.__cause__ or error.__context__, seen + 1
    return None


def _of_system(error: OSError) -> str:
    """Say what the system refused, and where."""
    what = error.strerror or str(error) or type(error).__name__
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        what += ": raise the limit that `ulimit -n` shows"
    if isinstance(error.filename, str | bytes):
        return f"{os.fsdecode(error.filename)}: {what}"
    try:
        Path.cwd()
    except FileNotFoundError:
        return "the working directory is there no more: change to another one"
    return what


def _usage(error: click.UsageError, verb: str) -> str:
    """Say what is wrong with the arguments, and where it is written how they are."""
    if isinstance(error, click.NoSuchOption):
        close = f"; did you mean {error.possibilities[0]}?" if error.possibilities else ""
        text = f"there is no option {error.option_name}{close}"
    elif isinstance(error, click.MissingParameter):
        what = "argument" if isinstance(error.param, click.Argument) else "option"
        text = f"the {what} {_name(error)} is missing"
        choices = error.param.type.get_missing_message(error.param, error.ctx) if error.param is not None else None
        text += f": {_lowered(' '.join(choices.split()))}" if choices else ""
    elif isinstance(error, click.BadParameter) and _name(error):
        text = f"{_name(error)}: {_bounds(error) or _lowered(error.message)}"
    else:
        text = _lowered(error.format_message())
    command = error.ctx.command_path if error.ctx is not None else f"quantmind {verb}".strip()
    return f"{text.removesuffix('.')}{' See' if text.endswith('?') else '; see'} `{command} --help`"


def _bounds(error: click.BadParameter) -> str:
    """Say what a whole number must be, which click says as `x>=1`; empty where it is none."""
    kind = error.param.type if error.param is not None else None
    if not isinstance(kind, click.types.IntParamType):
        return ""
    low, high = (kind.min, kind.max) if isinstance(kind, click.IntRange) else (None, None)
    words = [f"at least {low}"] if low is not None else []
    words += [f"at most {high}"] if high is not None else []
    was = _QUOTED.match(error.message)
    return f"must be a whole number{' of ' if words else ''}{' and '.join(words)}, was {(was and was[1]) or 'empty'}"


def _name(error: click.BadParameter) -> str:
    """Return what a parameter is called on the command line."""
    if isinstance(error.param_hint, str):
        return error.param_hint
    if error.param_hint is not None:
        return " / ".join(error.param_hint)
    if error.param is None:
        return ""
    if isinstance(error.param, click.Argument):
        metavar = error.param.make_metavar(error.ctx) if error.ctx is not None else error.param.human_readable_name
        return metavar.strip("[].").removesuffix("]")
    return error.param.opts[-1] if len(error.param.opts[-1]) > 2 else error.param.opts[0]


def _lowered(text: str) -> str:
    """Begin without a capital, where it is a sentence of click's."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _owner(error: BaseException, verb: str) -> tuple[str, str]:
    """Name whose fault an unexpected error of a verb is, and the line of theirs that it came from.

    It is that of the plugin whose code it came through last, or whose command it is; else QuantMind's.
    """
    from quantmind.cli import VERBS
    from quantmind.cli.calling import contributed

    packages = contributed.packages()
    if package := within(error, frozenset(packages)):
        return packages[package], place(error, package)
    points = () if verb in VERBS else contributed.commands().get(verb, ())
    return (contributed.owner(points[0]) if points else "QuantMind"), ""


def _printable(line: str) -> str:
    """Write a line so that it is one, whatever names are in it: control characters as escapes, and not without end."""
    text = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in line)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - _TAIL]} … {text[-_TAIL:]}"

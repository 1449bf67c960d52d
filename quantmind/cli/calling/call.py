"""One call of the command: its result, or what went wrong with it, as an exit code."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
from collections.abc import Callable, Iterable, Sequence

import click

from quantmind.cli.calling.group import quantmind
from quantmind.cli.calling.mistakes import exit_code_of, lines_of
from quantmind.errors import UsageError

INTERRUPTED = 130
"""The exit code of what an interrupt ended before it was done."""
UNREAD = 141
"""The exit code of what wrote to a reader that has gone: what a shell says of others, which SIGPIPE ends.

It is no signal here: to systemd that one is a good end, and a unit that trades would not be started again.
"""
COMPLETION = "_QUANTMIND_COMPLETE"
"""The variable by which a shell asks how a line can go on."""


def call(arguments: Sequence[str], interrupted: Callable[[], bool] = lambda: False) -> int:
    """Call a verb, and return the exit code; what went wrong is told on the standard error.

    Once it is `interrupted`, whatever goes wrong comes of that, and nothing is told.
    """
    given = list(arguments)
    # The group itself takes nothing but flags before the verb.
    flags = list(itertools.takewhile(lambda argument: argument.startswith("-"), given))
    verb = next(iter(given[len(flags) :]), "")
    try:
        result = _called(given)
        sys.stdout.flush()
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - a fault of ours is told in one line as well
        if interrupted() or isinstance(error, KeyboardInterrupt | click.Abort):
            _leave_output()
            return INTERRUPTED
        if isinstance(error, BrokenPipeError) and _unread():
            # Whoever read has gone, and knows it.
            _leave_output()
            return UNREAD
        return _failed(error, verb, debug="--debug" in flags)
    return result if isinstance(result, int) else 0


def _called(given: list[str]) -> object:
    """Call a verb, and return what it returns."""
    _refuse_undecodable(given)
    if asked := os.environ.get(COMPLETION):
        from quantmind.cli.completing.shells import answer

        return answer(quantmind, asked)
    # Not by `main`, which writes an empty line after an interrupt.
    try:
        with quantmind.make_context("quantmind", given) as ctx:
            return quantmind.invoke(ctx)
    except click.exceptions.Exit as ended:
        return ended.exit_code


def _refuse_undecodable(arguments: Sequence[str]) -> None:
    """Refuse what is no text: it could be neither kept on record nor shown.

    Raises:
        UsageError: an argument has bytes that are not of the encoding that the environment names.
    """
    for number, argument in enumerate(arguments, 1):
        try:
            argument.encode()
        except UnicodeEncodeError:
            encoding = sys.getfilesystemencoding().upper()
            raise UsageError(
                f"argument {number} is not {encoding}: {argument}: write it, or name the file, so"
            ) from None


def _failed(error: BaseException, verb: str, *, debug: bool) -> int:
    """Tell what went wrong, and return the exit code."""
    _leave_output()
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        _tell([error.format_message()])
        return error.exit_code
    if debug:
        import traceback

        _tell("".join(traceback.format_exception(error)).splitlines())
    _tell(f"error: {line}" for line in lines_of(error, verb))
    return exit_code_of(error)


def _unread() -> bool:
    """Tell whether nobody is there any more to read the standard output or error."""
    import select

    poll = select.poll()
    for stream in (sys.stdout, sys.stderr):
        # One that is no file is read by who has put it there.
        with contextlib.suppress(OSError, ValueError):
            poll.register(stream.fileno(), 0)
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0))


def _leave_output() -> None:
    """Write nothing more to the standard output where it cannot be written, not even as the interpreter ends."""
    try:
        sys.stdout.flush()
    except OSError:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ValueError:
        # It was closed from within.
        return


def _tell(lines: Iterable[str]) -> None:
    """Write to the standard error; that nobody can read it is no error more."""
    with contextlib.suppress(OSError, ValueError):
        for line in lines:
            click.echo(line, err=True)

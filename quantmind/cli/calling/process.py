"""The command as a process: its standard streams are whole, and a signal at any time ends it without a word."""

from __future__ import annotations

import atexit
import io
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn, TextIO

from quantmind.cli.calling.call import INTERRUPTED, call
from quantmind.cli.calling.polars_hook import PolarsHook

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that end a process: an interrupt, a service manager's, and a terminal that is closed."""

OUTPUT = "the standard output"
"""What it is called in errors."""


def run(arguments: Sequence[str]) -> int:
    """Run the command as the whole process, and return its exit code."""
    _complete_streams()
    if not sys.warnoptions:
        # They are for authors, who ask for them with PYTHONWARNINGS.
        warnings.simplefilter("ignore")
    # The interpreter would let an interrupt kill it in its very last moments, when everything is done and told.
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    sys.meta_path.insert(0, PolarsHook())
    ending = Ending()
    try:
        ending.arm()
        code = call(arguments, lambda: ending.came != 0)
        ending.end()
    except KeyboardInterrupt:
        # It came while what went wrong was told, or before or after everything.
        code = INTERRUPTED
        ending.end()
    if code == INTERRUPTED:
        # All is unwound. The interpreter would end as if nobody had seen to the interrupt, if it came within `exec`.
        os._exit(code)
    if "--debug" not in arguments:
        _fall_silent()
    return code


class Ending:
    """What a signal does: the first one unwinds what is done, so that nothing half-written stays; the second kills.

    Work on an event loop takes signals itself, to end in its own order. SIGTERM and SIGHUP kill in the end, as who
    sent them expects; an interrupt ends with its exit code. What a parent had ignored stays so, but for interrupts.
    """

    def __init__(self) -> None:
        self.came = 0
        """The signal that came; 0 as long as none has."""

    def arm(self) -> None:
        """From now on unwind what is done."""
        for number in ENDING:
            if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._unwind)

    def end(self) -> None:
        """Have nothing left to unwind."""
        signal.signal(signal.SIGINT, _exit)
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        if self.came in {signal.SIGTERM, signal.SIGHUP}:
            os.kill(os.getpid(), self.came)

    def _unwind(self, number: int, _: FrameType | None) -> NoReturn:
        if self.came:
            self.end()
            os._exit(INTERRUPTED)
        self.came = number
        raise KeyboardInterrupt


def _fall_silent() -> None:
    """Have nothing more said while the interpreter ends: how the call ended has been told."""
    sys.unraisablehook = lambda _: None
    if (logging := sys.modules.get("logging")) is not None:
        logging.disable()


class Output(io.TextIOWrapper):
    """The standard output: a name that cannot be shown fails no result, and an error says that it is of the output."""

    at_once = False
    """Whether nothing waits to be written, as PYTHONUNBUFFERED has it."""

    @classmethod
    def of(cls, stream: TextIO) -> TextIO:
        """Take the place of a stream."""
        if not isinstance(stream, io.TextIOWrapper):
            return stream
        encoding, buffered, below = stream.encoding, stream.line_buffering, stream.detach()
        raw = isinstance(below, io.RawIOBase)
        # What a raw stream writes in part, because its reader goes meanwhile, is taken for all of it.
        output = cls(io.BufferedWriter(below) if raw else below, encoding, "backslashreplace", line_buffering=buffered)
        output.at_once = raw
        return output

    def write(self, text: str, /) -> int:
        """Write a text."""
        try:
            written = super().write(text)
            if self.at_once:
                super().flush()
        except OSError as error:
            error.filename = OUTPUT
            raise
        return written

    def flush(self) -> None:
        """Have everything written."""
        try:
            super().flush()
        except OSError as error:
            error.filename = OUTPUT
            raise


def _exit(_: int, __: FrameType | None) -> NoReturn:
    os._exit(INTERRUPTED)


def _complete_streams() -> None:
    """Put something in the place of a standard stream that is closed, or the next file opened would be taken for it.

    What is said to nobody is lost on the standard error, and an error on the standard output.
    """
    for descriptor, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, mode)
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stdout = Output.of(sys.stdout)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)

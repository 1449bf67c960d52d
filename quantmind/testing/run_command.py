"""Calls `quantmind` inside a test."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator

import msgspec

from quantmind.cli import main


class Ended(msgspec.Struct, frozen=True):
    """How a call of the command ended."""

    code: int
    """Its exit code: 0 done, 1 failed or faults found, 2 wrong usage, 78 a recipe that cannot be run."""
    output: str
    """What it wrote to the standard output."""
    errors: str
    """What it wrote to the standard error."""


def run_command(*arguments: object) -> Ended:
    """Call `quantmind` with these arguments as its user does, in this process, and return how it ended.

    What a plugin's command raises is told as the program tells it: in one line, with its exit code. The command must be
    installed. Afterwards the log is as it was.

        ended = run_command("fees", "--venue", "nowhere")
        assert ended.code == 2
        assert ended.errors.startswith("error: --venue: there is no nowhere")
    """
    output, errors = _Written(), _Written()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors), _log_as_it_was():
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 1 if left.code else 0
    return Ended(code, output.text, errors.text)


class _Written(io.TextIOWrapper):
    """Text, and bytes too, for whoever writes them."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        super().__init__(self._bytes, encoding="utf-8", newline="", write_through=True)

    @property
    def text(self) -> str:
        return self._bytes.getvalue().decode()


@contextlib.contextmanager
def _log_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, disabled = list(root.handlers), root.level, root.manager.disable
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.disable(disabled)

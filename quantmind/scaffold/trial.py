"""A trial: a stranger's component is looked at in a process of its own, whatever it does to that."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

from quantmind.errors import QuantMindError, UsageError
from quantmind.plugins import PluginError
from quantmind.scaffold.finding import Finding, Request, Subject

_CHILD = "from quantmind.cli.plugins.checked import main; main()"
_GRACE = 10.0
"""Seconds after which a process is killed that ought to have ended itself."""
_FRAME = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+) in (?P<where>.+)$', re.MULTILINE)
_OURS = (f"{Path(__file__).parents[1]}{os.sep}", f"{Path(os.__file__).parent}{os.sep}", "<")
_INSTALLED = re.compile(r"[/\\](site|dist)-packages[/\\]")


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """Nothing can be checked; as the error that the process had."""

    text: str
    exit_code: int


class Began(msgspec.Struct, frozen=True, tag="began"):
    """It was found, and is checked."""

    subject: Subject


class Told(msgspec.Struct, frozen=True, tag="told"):
    """Something was found out."""

    finding: Finding


class Done(msgspec.Struct, frozen=True, tag="done"):
    """All was looked at."""


Message = Refused | Began | Told | Done
"""What the process says, one JSON object a line."""

_DECODER = msgspec.json.Decoder(Message)
_ERRORS: dict[int, type[QuantMindError]] = {2: UsageError, 78: PluginError}


def trial(request: Request) -> Iterator[Subject | Finding]:
    """Check a component; yields what it is, once it is found, and then each finding as it comes.

    What hangs is ended after `request.patience`; what ends the process, or prints, is a finding as well.

    Raises:
        QuantMindError: there is nothing to check: the error of who looked for it.
    """
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as stack, contextlib.ExitStack() as closing:
        reading, process = _started(request, printed, stack, closing)
        subject: Subject | None = None
        last = ""
        quiet = False
        for message in _messages(reading, process, request.patience + _GRACE):
            if isinstance(message, Refused):
                raise _ERRORS.get(message.exit_code, QuantMindError)(message.text)
            if isinstance(message, Began):
                subject = message.subject
                yield subject
                continue
            looked_at = isinstance(message, Done) or message.finding.part == "package"
            if looked_at and not quiet and subject is not None and subject.kind != "command":
                quiet = True
                yield _silent(printed)
            if isinstance(message, Done):
                return
            last = message.finding.words
            yield message.finding
        yield Finding(
            "component", "comes to an end", "failed", _why_ended(process, stack, subject, last, request.patience)
        )


def _started(
    request: Request, printed: IO[bytes], stack: IO[bytes], closing: contextlib.ExitStack
) -> tuple[int, subprocess.Popen[bytes]]:
    """Start the process; returns what it tells by, and it."""
    reading, writing = os.pipe()
    closing.callback(os.close, reading)
    given = [msgspec.json.encode(request).decode(), str(writing), str(stack.fileno())]
    try:
        process = subprocess.Popen(  # noqa: S603 - our own program
            # -P: what lies in the current directory must not be taken for what is installed.
            [sys.executable, "-P", "-c", _CHILD, *given],
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.DEVNULL,
            pass_fds=(writing, stack.fileno()),
            start_new_session=True,
        )
    finally:
        os.close(writing)
    closing.callback(_end, process)
    return reading, process


def _messages(reading: int, process: subprocess.Popen[bytes], patience: float) -> Iterator[Message]:
    """Yield what the process says, until it has said all, has ended, or says nothing for too long."""
    buffer = b""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if not select.select([reading], [], [], 0.2)[0]:
            if process.poll() is not None:
                return
            continue
        data = os.read(reading, 65_536)
        if not data:
            return
        *lines, buffer = (buffer + data).split(b"\n")
        for line in lines:
            yield _DECODER.decode(line)
        end = time.monotonic() + patience


def _why_ended(
    process: subprocess.Popen[bytes], stack: IO[bytes], subject: Subject | None, last: str, patience: float
) -> str:
    """Say why the process said no more, and where in its author's file."""
    stack.seek(0)
    text = stack.read().decode(errors="replace")
    place = _place(text, subject.module if subject is not None else "")
    after = f"after '{last}'" if last else "at its first promise" if subject is not None else "while it was looked for"
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1)
    code = process.poll()
    if text.startswith("Timeout") or code is None:
        return f"{after} nothing came for {patience:g} s: it {f'is in {place}' if place else 'waits for something'}"
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with the exit code {code}"
    return f"{after} it ended the process {how}{f', in {place}' if place else ''}"


def _place(stack: str, module: str) -> str:
    """Return the innermost line of its author's file in a stack, else of what is neither ours nor Python's own."""
    frames = list(_FRAME.finditer(stack))
    own = re.compile(rf"[/\\]{re.escape(module.partition('.')[0] or '-')}(\.py$|[/\\])")
    others = (frame for frame in frames if not frame["file"].startswith(_OURS) or _INSTALLED.search(frame["file"]))
    frame = next((frame for frame in frames if own.search(frame["file"])), None) or next(others, None)
    return "" if frame is None else f"{Path(frame['file']).name}:{frame['line']} ({frame['where']})"


def _silent(printed: IO[bytes]) -> Finding:
    printed.seek(0)
    line = next(
        (line.strip() for line in printed.read(65_536).decode(errors="replace").splitlines() if line.strip()), ""
    )
    words = "prints nothing by itself"
    if not line:
        return Finding("component", words, "ok")
    told = f"it printed {line[:60]!r}: the standard output is for what a command answers; write to a log instead"
    return Finding("component", words, "failed", told)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process, and all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

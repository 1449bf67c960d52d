"""The supervisor: every stage of a recipe as a child process, restarted alone, and ended in order."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import io
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from quantmind.errors import QuantMindError
from quantmind.pipeline.printer import Printer
from quantmind.pipeline.restarts import FINAL, MOST, WINDOW, Restarts

_log = logging.getLogger(__name__)
PATIENCE = 15.0
"""Seconds that a stage has to end in good order."""
_GOODBYE = 2.0
"""Seconds that the reader of the output has for its last lines."""
_FAREWELL = 5.0
"""Seconds that the other live stages have to end by themselves, when one had nothing more to do."""

_BETWEEN = 0.5
_LONGEST_LINE = 1 << 20
_OURS = frozenset({"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"})
"""What a service manager tells its own child, and not a child of that."""
_PR_SET_PDEATHSIG = 1


class SupervisedError(QuantMindError):
    """A stage ended, and the pipeline with it; the exit code is the stage's."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Supervisor:
    """Runs the stages of one pipeline.

    Live stages that end are started again, by the rules of `Restarts`; a replay ends with the first one that fails.
    To stop is to end them one after the other, in the order in which a tick passes them.
    """

    def __init__(
        self, stages: Sequence[str], command: Sequence[str], *, live: bool, output: TextIO, errors: TextIO
    ) -> None:
        self._stages = tuple(stages)
        self._command = tuple(command)
        self._live = live
        self._output = output
        self._errors = errors
        self._children: dict[str, asyncio.subprocess.Process] = {}
        self._stopping = asyncio.Event()
        self._ended: set[str] = set()
        self._write: dict[TextIO, Callable[[str], None]] = {}
        self._failure: SupervisedError | None = None
        self._folder: str | None = None
        self._width = max(map(len, self._stages))

    def stop(self) -> None:
        """End every stage in good order."""
        self._stopping.set()

    def kill(self) -> None:
        """End every stage at once, and leave nothing behind: the process ends with it."""
        self._kill_stages()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _kill_stages(self) -> None:
        for child in self._children.values():
            with contextlib.suppress(ProcessLookupError):
                child.kill()

    async def run(self) -> dict[str, Any] | None:
        """Run until every stage has ended; returns the summary of execution, with what became of the sinks.

        Raises:
            SupervisedError: a stage failed for good.
        """
        async with contextlib.AsyncExitStack() as stack:
            # Who reads slowly, or not at all, must not keep the stages from being looked after.
            self._write = {
                stream: await stack.enter_async_context(_printed(stream)) for stream in (self._output, self._errors)
            }
            folder = self._folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="quantmind-"))
            watching = {stage: asyncio.create_task(self._watch(stage, Path(folder, stage))) for stage in self._stages}
            stopping = asyncio.create_task(self._stopping.wait())
            try:
                everything = asyncio.gather(*watching.values())
                await asyncio.wait((everything, stopping), return_when=asyncio.FIRST_COMPLETED)
                if not everything.done():
                    await self._drain(watching)
                await everything
            finally:
                stopping.cancel()
                # Or what is killed would be started again, and nobody be left to end it.
                self._stopping.set()
                self._kill_stages()
                await asyncio.gather(*watching.values(), stopping, return_exceptions=True)
            if self._failure is not None:
                raise self._failure
            return _summary(Path(folder))

    async def _drain(self, watching: dict[str, asyncio.Task[None]]) -> None:
        for stage in self._stages:
            child = self._children.get(stage)
            if child is None or child.returncode is not None:
                continue
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
            done, _ = await asyncio.wait((watching[stage],), timeout=PATIENCE)
            if not done:
                _log.error("stage %s did not end within %g s and is killed", stage, PATIENCE)
                with contextlib.suppress(ProcessLookupError):
                    child.kill()

    async def _watch(self, stage: str, summary: Path) -> None:
        """Keep one stage running until it is done, or the pipeline is to stop."""
        restarts = Restarts()
        while not self._stopping.is_set():
            code = await self._live_through(stage, summary)
            if code == 0 or self._stopping.is_set():
                # One that is told to end before it can heed it has done nothing yet.
                if code not in (0, -signal.SIGTERM) and self._stopping.is_set():
                    self._fail(stage, code, " while it was stopped")
                elif not self._stopping.is_set() and self._live:
                    if stage != self._stages[0] and not self._ended:
                        # Somebody told it alone to end; the pipeline goes on, and so does it.
                        _log.warning("stage %s was ended from outside; it is started again", stage)
                        await asyncio.sleep(_BETWEEN)
                        continue
                    # What has nothing more to say ends by itself; who did not hear it is told.
                    self._ended.add(stage)
                    asyncio.get_running_loop().call_later(_FAREWELL, self._stopping.set)
                return
            if code in FINAL or not self._live:
                self._fail(stage, code, "")
                return
            delay = restarts.delay(time.monotonic())
            if delay is None:
                self._fail(stage, code, f" and has been started {MOST} times in {WINDOW:g} s")
                return
            _log.warning("stage %s ended with %s; it is started again in %.1f s", stage, _told(code), delay)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)

    async def _live_through(self, stage: str, summary: Path) -> int:
        """Start a stage and hand on what it prints; returns how it ended."""
        child = self._children[stage] = await asyncio.create_subprocess_exec(
            *self._command,
            "--stage",
            stage,
            "--summary",
            str(summary),
            "--parent",
            str(os.getpid()),
            stdin=asyncio.subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if name not in _OURS},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            # An interrupt at the terminal is the supervisor's to handle: it ends the stages in order.
            start_new_session=True,
        )
        if child.stdout is None or child.stderr is None:
            raise QuantMindError(f"stage {stage} has no output")
        await asyncio.gather(
            self._hand_on(stage, child.stdout, self._output), self._hand_on(stage, child.stderr, self._errors)
        )
        return await child.wait()

    async def _hand_on(self, stage: str, source: asyncio.StreamReader, target: TextIO) -> None:
        while True:
            try:
                line = await source.readline()
            except ValueError:
                continue
            if not line:
                return
            self._write[target](f"{stage:<{self._width}} | {line.decode(errors='replace').rstrip()}")

    def _fail(self, stage: str, code: int, why: str) -> None:
        if self._failure is None:
            exit_code = code if code in FINAL else 1
            self._failure = SupervisedError(f"stage {stage} ended with {_told(code)}{why}", exit_code)
        self._stopping.set()


def command(recipe: Path, options: Sequence[str], flags: Sequence[str] = ()) -> list[str]:
    """Return how a stage is started, but for its name."""
    return [sys.executable, "-m", "quantmind", *flags, "run", os.fspath(recipe), *options]


def end_with_parent(supervisor: int) -> None:
    """Have this process end in good order when the one that supervises it is gone (on Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != supervisor:
            raise QuantMindError("who started this stage has gone")


@contextlib.asynccontextmanager
async def _printed(stream: TextIO) -> AsyncIterator[Callable[[str], None]]:
    """Give what writes lines to a stream without waiting for its reader; log lines go the same way meanwhile."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        yield lambda line: print(line, file=stream)
        return
    printer = Printer(descriptor)
    handlers = [h for h in logging.getLogger().handlers if isinstance(h, logging.StreamHandler) and h.stream is stream]
    for handler in handlers:
        handler.setStream(_Lines(printer))
    try:
        yield printer.print
    finally:
        for handler in handlers:
            handler.setStream(stream)
        await printer.close(_GOODBYE)


class _Lines(io.TextIOBase):
    """What a log handler writes to, handed to a printer."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer

    def write(self, text: str, /) -> int:
        """Have the lines of a text written."""
        for line in text.splitlines():
            self._printer.print(line)
        return len(text)


def _told(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _summary(folder: Path) -> dict[str, Any] | None:
    """Join what execution sums up and what the sinks lost."""
    execution, sink = folder / "execution", folder / "sink"
    if not execution.is_file():
        return None
    summed: dict[str, Any] = json.loads(execution.read_text())
    if sink.is_file():
        summed["sinks"] = {**summed.get("sinks", {}), **json.loads(sink.read_text())}
    return summed

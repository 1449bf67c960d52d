"""Work in the foreground, ended in good order by a signal."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Coroutine, Iterator
from typing import Any, Protocol, TypeVar

from quantmind.cli.calling.process import ENDING

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Work(Protocol[T_co]):
    """What runs until it ends, or is stopped."""

    async def run(self) -> T_co:
        """Run to the end."""

    def stop(self) -> None:
        """End in good order."""


def interruptible(work: Work[T_co]) -> T_co:
    """Run to the end; the first signal stops the run in good order, a second interrupt kills it.

    A terminal that is closed is a signal like the others, unless whoever started the process has it ignored.
    """
    import asyncio

    import uvloop

    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        if interrupted:
            kill = getattr(work, "kill", None)
            if kill is not None:
                kill()
            os._exit(130)
        interrupted = True
        work.stop()

    async def main() -> T_co:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, interrupt)
        loop.add_signal_handler(signal.SIGTERM, work.stop)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            loop.add_signal_handler(signal.SIGHUP, work.stop)
        return await work.run()

    with given_back(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())


def watch(work: Coroutine[Any, Any, T]) -> T | None:
    """Run what has nothing to end in order to its end, and return its result; None after a signal."""
    import asyncio

    import uvloop

    async def main() -> T | None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in ENDING:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, task.cancel)
        await asyncio.wait([task])
        return None if task.cancelled() else task.result()

    with given_back(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())


@contextlib.contextmanager
def given_back() -> Iterator[None]:
    """Let signals do again what they did before an event loop took them."""
    before = [signal.getsignal(number) for number in ENDING]
    try:
        yield
    finally:
        for number, handler in zip(ENDING, before, strict=True):
            signal.signal(number, handler)

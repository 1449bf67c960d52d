"""Work in the foreground, ended in good order by a signal."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Protocol, TypeVar

T_co = TypeVar("T_co", covariant=True)


class Work(Protocol[T_co]):
    """What runs until it ends, or is stopped."""

    async def run(self) -> T_co:
        """Run to the end."""

    def stop(self) -> None:
        """End in good order."""


def interruptible(work: Work[T_co]) -> T_co:
    """Run to the end; the first signal stops the run in good order, a second interrupt kills it."""
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
        return await work.run()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())

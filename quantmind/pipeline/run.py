"""Runs a recipe: builds its parts, opens them, drives them, and sums up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, TextIO

import msgspec

from quantmind.blame import place, told
from quantmind.control.server import Control
from quantmind.errors import ComponentError, QuantMindError, UsageError
from quantmind.kinds import Component, Run
from quantmind.pipeline import build
from quantmind.pipeline.deciding import Deciding
from quantmind.pipeline.driver import Driver
from quantmind.pipeline.executing import Executing
from quantmind.pipeline.feeding import Feeding
from quantmind.pipeline.folder import RunFolder, account_folder
from quantmind.pipeline.notify import attended
from quantmind.pipeline.record import Recorder
from quantmind.pipeline.sinking import Sinking
from quantmind.pipeline.summary import Summary
from quantmind.pipeline.vigil import Vigil
from quantmind.project import Project
from quantmind.recipe.model import Recipe
from quantmind.recipe.wiring import Wiring, wire
from quantmind.trader.journal import Journal

_log = logging.getLogger(__name__)


class Running(msgspec.Struct):
    """One run in this process: the recipe, where its record goes, and how it is stopped."""

    recipe: Recipe
    project: Project
    record: bool = False
    resume: str | None = None
    output: TextIO = sys.stdout
    durable: bool | None = None
    """Whether each command waits for the disk; left out, all but replays at full speed do."""
    feeding: Feeding | None = None

    def stop(self) -> None:
        """End the run after the events at hand."""
        if self.feeding is not None:
            self.feeding.stop()

    async def run(self) -> Summary:
        """Run to the end of the feeds, or until stopped."""
        with contained():
            return await self._run()

    async def _run(self) -> Summary:
        recipe = self.recipe
        wiring = wire(recipe)
        folder = self.folder()
        self.feeding, feeds = build.feeding(recipe, wiring)
        async with contextlib.AsyncExitStack() as stack:
            executing = await opened_executing(
                stack, self, wiring, folder, self.feeding.live, self.feeding.speed, self.stop
            )
            recorder = stack.enter_context(Recorder(folder.decider_record)) if self.record else None
            deciding = Deciding(build.decider(recipe, wiring, executing.trader.chronicle.epoch), recorder)
            run = Run(folder.name, folder.path, self.output)
            sinking = Sinking(build.sinks(recipe, run), self.feeding.live)
            await stack.enter_async_context(sinking)
            for feed in feeds:
                await enter(stack, feed, f"feed {feed.name}")
            vigil = Vigil(feeds, wiring, recipe.max_age) if self.feeding.live else None
            if vigil is not None:
                executing.ailing, executing.market_figures = vigil.ailing, vigil.figures
            driver = Driver(self.feeding, deciding, executing, sinking, vigil)
            async with attended(lambda: (driver.seq, 0)):
                await driver.run()
            return Summary.of(folder.name, driver.seq, executing, driver.latencies, sinking.failures)

    def folder(self) -> RunFolder:
        """Return the folder of this run: a new one, or the one to go on with."""
        recipe = self.recipe
        if self.resume is None:
            return RunFolder.create(self.project.state, recipe.name, recipe.resolved, str(recipe.file))
        if self.record:
            raise UsageError("--record and --resume exclude each other: a recording has every input from the first")
        folder = RunFolder.find(self.project.state, self.resume)
        folder.check(recipe.resolved)
        return folder


async def opened_executing(
    stack: contextlib.AsyncExitStack,
    running: Running,
    wiring: Wiring,
    folder: RunFolder,
    live: bool,
    speed: float | None,
    stop: Callable[[], None],
) -> Executing:
    """Open the journal and the executor of a run, and the socket of its operator, who may have it `stop`.

    A replayed account starts empty in the run's folder; a live one goes on from the account's own.
    """
    recipe = running.recipe
    account = build.account(recipe)
    home = folder.path
    if live:
        home = account_folder(running.project.state, account)
        folder.keep_journal_in(home)
    executor = build.executor(recipe, wiring)
    durable = (live or speed is not None) if running.durable is None else running.durable
    journal = Journal(home, account, str(executor.balance), durable)
    stack.callback(journal.close)
    trader = build.trader(recipe, journal, new_epoch=live)
    await enter(stack, executor, f"executor {executor.name}")
    recorder = stack.enter_context(Recorder(folder.trader_record)) if running.record else None
    executing = Executing(trader, executor, journal, recorder)
    await stack.enter_async_context(Control(home, folder.name, executing, stop, account=account, live=live))
    return executing


async def enter(stack: contextlib.AsyncExitStack, component: Component[Any], what: str) -> None:
    """Open a component, and have it closed with the others; one that cannot be is named.

    What went wrong before it is closed is told, whatever its closing raises.
    """

    async def leave(kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            await component.__aexit__(kind, error, trace)
        except Exception as closing:
            if error is None:
                raise _failure(f"{what} cannot be closed", closing) from closing
            _log.warning("%s cannot be closed: %s%s", what, told(closing), place(closing))

    try:
        await component.__aenter__()
    except Exception as error:
        raise _failure(f"{what} cannot be opened", error) from error
    stack.push_async_exit(leave)


def _failure(what: str, error: Exception) -> QuantMindError:
    return error if isinstance(error, QuantMindError) else ComponentError(f"{what}: {told(error)}")


@contextlib.contextmanager
def contained() -> Iterator[None]:
    """Have no component end the process, or seem to be interrupted: that is an error like any other.

    Raises:
        ComponentError: one tried to.
    """
    try:
        yield
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            raise
        raise ComponentError(f"a component raised {told(error)}: it must raise an Exception, or return") from error

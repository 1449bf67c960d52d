"""Opening: a component that does I/O is opened and closed under watch, in bounded time."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from quantmind.errors import QuantMindError
from quantmind.kinds import Component, Options
from quantmind.testing.proving.promise import LeftOut, one_line
from quantmind.testing.proving.reach import Reach, watched

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds that opening, or closing, may take."""
_GLANCE = 0.05


class Terms:
    """On what terms a component is checked: whether it may connect, and whether it must be possible to open it."""

    def __init__(self, *, live: bool, strict: bool) -> None:
        self.live = live
        self.strict = strict

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end; where nothing may be connected to, until something would be.

        Raises:
            LeftOut: it would connect.
        """
        return awaited(coroutine if self.live else self._offline(coroutine))

    async def _offline(self, coroutine: Coroutine[Any, Any, T]) -> T:
        with watched() as reach:
            running = asyncio.ensure_future(coroutine)
            try:
                while not running.done() and not reach.connected:
                    await asyncio.wait([running], timeout=_GLANCE)
                _refuse(reach)
                return await running
            except Exception:
                _refuse(reach)
                raise
            finally:
                # What tries again and again would do so for long.
                running.cancel()
                await asyncio.wait([running], timeout=PATIENCE)
                if running.done() and not running.cancelled():
                    running.exception()

    @contextlib.asynccontextmanager
    async def opened(self, component: Component[Any]) -> AsyncIterator[Reach]:
        """Open a component, and close it in the end.

        Raises:
            LeftOut: what its options name is not there.
            AssertionError: it takes too long.
        """
        with watched(connect=self.live) as reach:
            try:
                await within(component.open(), "open")
            except (QuantMindError, OSError) as error:
                await within(component.close(), "close")
                if self.strict or reach.connected:
                    raise
                raise LeftOut(f"it cannot be opened with these options: {one_line(str(error))}") from error
            try:
                yield reach
            except FileNotFoundError as error:
                option = _naming(component.options, error.filename)
                if self.strict or not option:
                    raise
                raise LeftOut(f"its option {option} names {error.filename}, which is not there") from error
            finally:
                await within(component.close(), "close")


def _naming(options: Options, path: object) -> str:
    """Return the option that names a path, or a folder that it would be in; empty if none does."""
    if not isinstance(path, str | os.PathLike):
        return ""
    wanted = Path(path).absolute()
    for name in type(options).model_fields:
        value = getattr(options, name)
        if (
            value
            and isinstance(value, str | os.PathLike)
            and wanted.is_relative_to(Path(value).expanduser().absolute())
        ):
            return name
    return ""


def _refuse(reach: Reach) -> None:
    """Leave out what came of a connection that was refused."""
    if reach.connected:
        raise LeftOut(f"it connects to {next(iter(reach.connected))}: live lets it")


async def within(waiting: Coroutine[Any, Any, T], what: str) -> T:
    """Wait for something that must not take long.

    Raises:
        AssertionError: it does.
    """
    try:
        return await asyncio.wait_for(waiting, PATIENCE)
    except TimeoutError:
        raise AssertionError(f"{what} took more than {PATIENCE:g} s") from None


def awaited(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, in an event loop of its own."""
    return asyncio.run(coroutine)


def expect_no_loop() -> None:
    """Refuse to be called inside an event loop.

    Raises:
        RuntimeError: one runs.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError("the check runs an event loop of its own: call it from a test that is not async, or in a thread")

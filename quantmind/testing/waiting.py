"""Waiting: for what others do in their own time."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

PATIENCE = 30.0
"""Seconds that anything may take: a slow machine is no fault of what is tested."""
_PAUSE = 0.005


async def until(
    condition: Callable[[], object],
    told: str | Callable[[], str] = "",
    *,
    act: Callable[[], Awaitable[object] | object] | None = None,
) -> None:
    """Wait until something holds, and let others run meanwhile; `act` is called again and again until then.

    It waits for 30 s, so that a slow machine fails no test: what is there soon is seen soon.

        await until(lambda: len(heard) == 3, lambda: f"of 3 frames came {heard}")
        await until(lambda: heard, act=lambda: feed.publish("market", b"hello"))

    Raises:
        AssertionError: it does not; says `told`, what it is that was waited for, or what was there instead.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not condition():
        if loop.time() > end:
            said = told if isinstance(told, str) else told()
            raise AssertionError(said or f"what is waited for has not come in {PATIENCE:g} s")
        if act is not None and inspect.isawaitable(doing := act()):
            await doing
        await asyncio.sleep(_PAUSE)

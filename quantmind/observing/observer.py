"""The observer: one end of the transport that hears all stages and says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Self

from quantmind.events import Incident, codec
from quantmind.kinds.transport import OBSERVER
from quantmind.pipeline import build
from quantmind.pipeline.reception import Reception
from quantmind.recipe.model import Recipe


class Observer:
    """Hears the frames of every stage of a recipe's pipeline, for as long as the context lasts.

    `hear` is called with each frame under one of `topics`, `notice` with each Incident; what they raise, `finished`
    raises.
    """

    def __init__(
        self,
        recipe: Recipe,
        hear: Callable[[codec.Frame], None],
        notice: Callable[[Incident], None],
        topics: Collection[str] | None = None,
    ) -> None:
        self.stages = build.stages(recipe)
        self.reception = Reception(build.identity(recipe), OBSERVER, notice, topics)
        self._hear = hear
        self._finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport = build.transport(recipe, OBSERVER)
        # Nobody waits for who only looks on.
        self._transport.lossless = False
        self._transport.subscribe(self.stages, self._receive)

    async def __aenter__(self) -> Self:
        """Begin to listen."""
        await self._transport.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Listen no longer."""
        self.finish()
        if not self._finished.cancelled():
            self._finished.exception()
        await self._transport.close()

    def finish(self) -> None:
        """Let `finished` return."""
        if not self._finished.done():
            self._finished.set_result(None)

    async def finished(self) -> None:
        """Wait until somebody calls `finish`.

        Raises:
            Exception: a frame could not be handled.
        """
        await self._finished

    def _receive(self, stage: str, data: bytes) -> None:
        if self._finished.done():
            return
        try:
            frame = self.reception.read(stage, data)
            if frame is not None:
                self._hear(frame)
        except Exception as error:  # noqa: BLE001 - it is raised by `finished`
            self._finished.set_exception(error)

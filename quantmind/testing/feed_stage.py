"""The feed stage around one feed, for tests: what a strategy with these needs would be given."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from quantmind.errors import ComponentError, RecipeError
from quantmind.events import Market
from quantmind.kinds import Feed, Needs, NoOptions, Strategy
from quantmind.pipeline.feeding import Feeding
from quantmind.recipe.model import Spec
from quantmind.recipe.wiring import Plan
from quantmind.testing.waiting import until

E = TypeVar("E")


class FeedStage:
    """Runs a feed as the feed stage does, and keeps what a strategy that `needs` this of its symbols would be given.

    The feed is asked for what is needed and nothing else. Bars that it does not offer are built, of its trades or of
    its shorter bars; live, they begin where their history ends. The feed is opened and closed with it.

        needs = Needs((bars(MINUTE),), history=20)
        async with FeedStage(Ticks(TicksOptions(), [KNOWN["BTC/USDT:USDT"]]), needs) as stage:
            await stage.until(lambda: len(stage.of(Bar)) == 2)
        assert stage.history[-1].ts < stage.of(Bar)[0].ts

    Raises:
        RecipeError: the feed does not offer what is needed, nor what it could be built of.
    """

    def __init__(self, feed: Feed[Any], needs: Needs) -> None:
        symbols = [instrument.symbol for instrument in feed.instruments]
        plan = Plan(symbols, [Spec(type(feed), feed.options, feed.name, feed.name)])
        plan.need(Spec(_Needy, needs, _Needy.name, _Needy.name))
        if plan.faults:
            raise RecipeError("; ".join(f"{fault.path} {fault.message}" for fault in plan.faults))
        wiring = plan.wiring()
        (feed.wanted,) = wiring.wanted
        self.feed = feed
        """The feed that it runs."""
        self.history: list[Market] = []
        """What a strategy is warmed up with, in order: events of before the first one."""
        self.events: list[Market] = []
        """What it is given then, in the order of arrival; may be cleared."""
        self._feeding = Feeding([feed], wiring, symbols)
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open the feed, ask for the history, and begin to read.

        Raises:
            Exception: what the feed raises.
        """
        await self.feed.open()
        try:
            self.history = await self._feeding.history()
        except BaseException:
            await self.feed.close()
            raise
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Read no more, and close the feed."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self.feed.close()

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one type, in the order of arrival."""
        return [event for event in self.events if isinstance(event, kind)]

    async def until(
        self,
        condition: Callable[[], object],
        told: str | Callable[[], str] = "",
        *,
        act: Callable[[], Awaitable[object] | object] | None = None,
    ) -> None:
        """Wait as `quantmind.testing.until` does, but no longer than the feed goes on.

        Raises:
            ComponentError: the feed has failed.
            AssertionError: it does not come; or the feed has ended before.
        """
        await until(lambda: self._has_ended() or condition(), told, act=act)
        failure = self._reading.exception() if self._reading is not None and self._reading.done() else None
        if failure is not None:
            raise ComponentError(str(failure)) from failure
        if not condition():
            said = told if isinstance(told, str) else told()
            raise AssertionError(f"{self.feed.name} has ended after {len(self.events)} events: {said}".rstrip(": "))

    async def ended(self) -> None:
        """Wait until the feed has no more events.

        Raises:
            ComponentError: the feed has failed.
            AssertionError: it goes on.
        """
        await self.until(self._has_ended, f"{self.feed.name} goes on")

    def _has_ended(self) -> bool:
        return self._reading is not None and self._reading.done()

    async def _read(self) -> None:
        async for batch in self._feeding.batches():
            self.events.extend(batch)


class _Needy(Strategy[NoOptions]):
    """Needs what its options are."""

    name = "needs"

    @classmethod
    def needs(cls, options: Any) -> Needs:
        needs: Needs = options
        return needs

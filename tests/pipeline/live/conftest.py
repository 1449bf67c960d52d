"""A pipeline of live stages in one process, over a transport that tests can tamper with."""

from __future__ import annotations

import asyncio
import io
import time
from typing import ClassVar

import pytest

from quantmind.events import Bar, Health, Incident, Quote, codec
from quantmind.kinds import QUOTES, Feed, Needs, NoOptions, Strategy, Transport, bars
from quantmind.pipeline.live.execution import ExecutionStage
from quantmind.pipeline.live.feed import FeedStage
from quantmind.pipeline.live.sink import SinkStage
from quantmind.pipeline.live.strategy import StrategyStage
from quantmind.pipeline.run import Running
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.load import load
from quantmind.testing import MemorySink

BTC = "BTC/USDT:USDT"
MINUTE = 60_000_000_000
STAGES = {"feed": FeedStage, "strategy": StrategyStage, "execution": ExecutionStage, "sink": SinkStage}


class Wire(Transport[NoOptions]):
    """Carries frames inside one process; `lose` says which of a stage's frames never arrive."""

    name = "wire"
    ends: ClassVar[dict[str, Wire]] = {}
    lose: ClassVar = staticmethod(lambda stage, frame: False)
    memory: ClassVar[dict[tuple[str, str], bytes]] = {}

    def subscribe(self, stages, handler):
        self.wanted, self.handler = stages, handler

    async def open(self):
        self.ends[self.stage] = self

    async def close(self):
        if self.ends.get(self.stage) is self:
            del self.ends[self.stage]

    async def drained(self):
        await asyncio.sleep(0)

    def publish(self, topic, frame, id=""):
        if self.lose(self.stage, codec.decode_frame(frame)):
            return
        for end in list(self.ends.values()):
            if self.stage in end.wanted:
                asyncio.get_running_loop().call_soon(end.handler, self.stage, frame)


class Ticker(Feed[NoOptions]):
    """A quote every few milliseconds, at the time of the clock on the wall, and three bars of before."""

    name = "ticker"
    live = True
    price: ClassVar[float] = 100.0
    silent: ClassVar[bool] = False

    @classmethod
    def offers(cls, options, symbols):
        return {symbol: frozenset({QUOTES, bars(MINUTE)}) for symbol in symbols}

    async def events(self):
        while True:
            await asyncio.sleep(0.005)
            if not self.silent:
                price = type(self).price
                yield [Quote(BTC, time.time_ns(), price - 0.5, price + 0.5, 10.0, 10.0)]

    async def history(self, symbol, channel, count):
        if channel.kind != "bar":
            return []
        first = time.time_ns() // MINUTE * MINUTE - 2 * MINUTE
        return [Bar(BTC, first + n * MINUTE, MINUTE, 100.0, 101.0, 99.0, 100.0, 1.0) for n in range(3)]


class Follower(Strategy[NoOptions]):
    """Holds what it is told to, once it has seen three bars; remembers its fills."""

    name = "follower"
    wanted: ClassVar[float] = 1.0
    fills: ClassVar[list] = []

    @classmethod
    def needs(cls, options):
        return Needs((QUOTES, bars(MINUTE)), history=3, fills=True)

    def start(self):
        self.bars = 0
        self.said = None

    def on_bar(self, bar):
        self.bars += 1

    def on_fill(self, fill):
        self.fills.append(fill)

    def on_quote(self, quote):
        if self.bars >= 3 and self.said != self.wanted:
            self.said = self.wanted
            return self.signal(self.wanted)
        return None


class Pipeline:
    """Stages that may be killed and started again, each as often as a test likes."""

    def __init__(self, folder, **changes):
        self.folder = folder
        self.seen = seen = []

        class Own(Wire):
            """The wire of one pipeline."""

            ends: ClassVar = {}
            memory: ClassVar = {}

        class Market(Ticker):
            """The market of one pipeline."""

        class Holder(Follower):
            """The strategy of one pipeline."""

            fills: ClassVar = []

        class Remembering(MemorySink):
            """Remembers for one pipeline, over all starts."""

            @property
            def events(self):
                return super().events | {Health, Incident}

            async def write(self, batch):
                seen.extend(batch)

        self.wire, self.market, self.strategy = Own, Market, Holder
        self.plain = {
            "name": "live",
            "instruments": [BTC],
            "feeds": ["ticker"],
            "transport": "wire",
            "strategies": ["follower"],
            "allocator": "equal_weight",
            "risk": {
                "sizing": [{"fixed_quantity": {"quantity": "1"}}],
                "protection": [{"fixed_stop": {"part": 0.1}}],
                "max_age": "1s",
            },
            "executor": {"paper": {"account": "live", "balance": 100000}},
            "sinks": ["memory"],
            **changes,
        }
        self.components = [Market, Own, Holder, Remembering]
        self.running = {}
        self.stages = {}

    def start(self, *names):
        for name in names or STAGES:
            project = Project(self.folder)
            recipe = load(self.plain, Plugins(extra=self.components), project, {})
            stage = self.stages[name] = STAGES[name](Running(recipe, project, output=io.StringIO()))
            self.running[name] = asyncio.create_task(stage.run(), name=name)

    async def stop(self, *names):
        for name in names or list(STAGES):
            if name in self.running:
                self.stages[name].stop()
                await asyncio.wait_for(self.running.pop(name), 10)

    async def until(self, true, seconds=10.0):
        end = time.monotonic() + seconds
        while not true():
            for name, task in self.running.items():
                if task.done():
                    raise AssertionError(f"stage {name} ended: {task.exception()!r}")
            assert time.monotonic() < end, "it never came true"
            await asyncio.sleep(0.02)

    def position(self):
        executing = self.stages["execution"]._executing
        return float(executing.trader.account.positions[BTC].quantity) if executing else 0.0

    def heard(self, kind):
        return [event for event in self.seen if type(event) is kind]


@pytest.fixture
async def pipeline(tmp_path):
    made = []

    def make(**changes):
        made.append(Pipeline(tmp_path, **changes))
        return made[-1]

    yield make
    for each in made:
        for name, task in each.running.items():
            each.stages[name].stop()
            await asyncio.wait((task,), timeout=10)

"""The stages between each other: facts that were missed are told again, stages of two recipes do not mix."""

from __future__ import annotations

import asyncio
import io
from typing import ClassVar

import pytest

from quantmind.events import Bar, Done, FactsWanted, codec
from quantmind.kinds import Needs, NoOptions, Strategy, Transport, bars
from quantmind.pipeline.lockstep.execution import ExecutionStage
from quantmind.pipeline.lockstep.link import StageError
from quantmind.pipeline.lockstep.strategy import StrategyStage
from quantmind.pipeline.run import Running
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.load import load
from quantmind.testing import ListFeed

BTC = "BTC/USDT:USDT"
MINUTE = 60_000_000_000
BARS = tuple(Bar(BTC, (n + 1) * MINUTE, MINUTE, 100.0 + n, 102.0 + n, 99.0 + n, 101.0 + n, 1.0) for n in range(12))


class Turning(Strategy[NoOptions]):
    """Turns around at every bar, the other way after an odd number of fills."""

    name = "turning"

    @classmethod
    def needs(cls, options):
        return Needs((bars(MINUTE),), fills=True)

    def start(self):
        self.seen = self.fills = 0

    def on_fill(self, fill):
        self.fills += 1

    def on_bar(self, bar):
        self.seen += 1
        return self.signal(-1.0 if (self.seen + self.fills // 3) % 2 else 1.0)


class Wire(Transport[NoOptions]):
    """Carries frames inside one process, through a test's fingers."""

    name = "wire"
    stages: ClassVar[dict[str, Wire]] = {}
    tamper = staticmethod(lambda stage, message: message)

    def subscribe(self, stages, handler):
        self.handler, self.wanted = handler, stages

    async def open(self):
        self.stages[self.stage] = self

    async def close(self):
        self.stages.pop(self.stage, None)

    async def drained(self):
        await asyncio.sleep(0)

    def publish(self, topic, frame, id=""):
        read = codec.decode_frame(frame)
        messages = tuple(m for m in (self.tamper(self.stage, m) for m in read.messages) if m is not None)
        data = codec.encode_frame(
            codec.Frame(read.version, read.pipeline, read.stage, read.start, read.topic, read.sequence, messages)
        )
        for other in list(self.stages.values()):
            if self.stage in other.wanted:
                asyncio.get_running_loop().call_soon(other.handler, self.stage, data)


def running(folder, quantity="1", tamper=None):
    class Tapped(Wire):
        """The wire of one stage."""

    if tamper:
        Tapped.tamper = staticmethod(tamper)
    recipe = {
        "name": "staged",
        "instruments": [BTC],
        "feeds": [{"list": {"events": BARS}}],
        "transport": "wire",
        "strategies": ["turning"],
        "allocator": "equal_weight",
        "risk": {"sizing": [{"fixed_quantity": {"quantity": quantity}}], "no_trade_band": 0},
        "executor": {"paper": {"balance": 100000}},
    }
    plugins = Plugins(extra=[ListFeed, Turning, Tapped])
    return Running(load(recipe, plugins, Project(folder), {}), Project(folder), output=io.StringIO())


async def together(feed, strategy, execution):
    from quantmind.pipeline.lockstep.feed import FeedStage

    stages = (FeedStage(feed), StrategyStage(strategy), ExecutionStage(execution))
    async with asyncio.timeout(20):
        return (await asyncio.gather(*(stage.run() for stage in stages)))[2]


async def test_facts_that_were_missed_are_told_again(tmp_path):
    plain = await together(*(running(tmp_path) for _ in range(3)))
    asked, lost = [], []

    def listen(stage, message):
        if isinstance(message, FactsWanted):
            asked.append(message.number)
        return message

    def lose(stage, message):
        if isinstance(message, Done) and message.seq == 6 and not lost:
            lost.append(message.facts[0].number)
            return Done(message.seq, message.facts[1:])
        return message

    patient = await together(running(tmp_path), running(tmp_path, tamper=listen), running(tmp_path, tamper=lose))
    assert plain.fills > 5
    assert asked == lost != []
    assert (patient.fills, patient.equity) == (plain.fills, plain.equity)


async def test_stages_of_two_recipes_do_not_trade_together(tmp_path):
    with pytest.raises(StageError, match="recipe"):
        await together(running(tmp_path), running(tmp_path, quantity="2"), running(tmp_path, quantity="2"))

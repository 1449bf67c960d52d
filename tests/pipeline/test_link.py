"""The link between stages: joining, messages in order, and every way in which a stage can be missed."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from quantmind.errors import QuantMindError
from quantmind.events import Done, Ended, Upto, codec
from quantmind.kinds import NoOptions, Transport
from quantmind.pipeline.lockstep import link as links
from quantmind.pipeline.lockstep.link import Link, StageError

STAGES = ("feed", "strategy", "execution")
pytestmark = pytest.mark.timeout(10)


class Wire(Transport[NoOptions]):
    """Carries frames in memory; `drop` says which frames get lost."""

    name = "wire"

    def __init__(self, stage, bus):
        super().__init__(NoOptions(), "demo", stage)
        self.bus = bus
        self.opened = self.closed = False
        self.drop = lambda _: False

    def subscribe(self, stages, handler):
        for stage in stages:
            self.bus.setdefault(stage, []).append(handler)

    async def open(self):
        self.opened = True

    async def close(self):
        self.closed = True

    def publish(self, topic, frame, id=""):
        if not self.drop(frame):
            for handler in self.bus.get(self.stage, ()):
                asyncio.get_running_loop().call_soon(handler, self.stage, frame)

    async def drained(self):
        pass


class Stage:
    def __init__(self, stage, bus, run="", pipeline="demo"):
        self.heard = []
        self.wire = Wire(stage, bus)
        peers = tuple(other for other in STAGES if other != stage)
        self.link = Link(self.wire, pipeline, peers, lambda *said: self.heard.append(said), run)


@contextlib.asynccontextmanager
async def pipeline():
    """Three stages that have joined."""
    bus = {}
    stages = {stage: Stage(stage, bus, "run-1" if stage == "execution" else "") for stage in STAGES}
    async with contextlib.AsyncExitStack() as stack:
        for stage in stages.values():
            await stack.enter_async_context(stage.link)
        assert await asyncio.gather(*(stage.link.join() for stage in stages.values())) == [True] * 3
        await settled()
        yield stages


async def settled():
    """Let what was sent arrive, and what came of it."""
    for _ in range(5):
        await asyncio.sleep(0)


async def failure_of(stage):
    with pytest.raises(StageError) as caught:
        await stage.link.wait(asyncio.Event(), 5.0)
    return str(caught.value)


async def test_all_have_joined_when_each_hears_every_other():
    async with pipeline() as stages:
        assert {stage.link.run for stage in stages.values()} == {"run-1"}
    assert all(stage.wire.opened and stage.wire.closed for stage in stages.values())


async def test_two_of_three_do_not_join():
    bus = {}
    feed, strategy = Stage("feed", bus), Stage("strategy", bus)
    async with feed.link, strategy.link:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(feed.link.join(), 0.15)


async def test_who_is_stopped_before_all_have_joined_is_not_kept_waiting():
    alone = Stage("feed", {})
    async with alone.link:
        joining = asyncio.create_task(alone.link.join())
        await asyncio.sleep(0.01)
        alone.link.stop()
        assert await joining is False


async def test_messages_come_in_order_and_presences_are_kept_back():
    async with pipeline() as stages:
        stages["strategy"].link.send("decisions", Upto(1), Upto(2))
        stages["strategy"].link.send("decisions", Upto(3))
        await settled()
        expected = [("strategy", Upto(seq)) for seq in (1, 2, 3)]
        assert stages["feed"].heard == stages["execution"].heard == expected
        assert stages["strategy"].heard == []


async def test_to_stop_is_to_ask_the_feed():
    async with pipeline() as stages:
        stages["execution"].link.stop()
        await settled()
        assert stages["feed"].heard == [("execution", Ended(0))]


async def test_what_waits_is_woken_by_its_event():
    async with pipeline() as stages:
        event = asyncio.Event()
        waiting = asyncio.create_task(stages["feed"].link.wait(event))
        await asyncio.sleep(0)
        event.set()
        await waiting
        with pytest.raises(TimeoutError):
            await stages["feed"].link.wait(asyncio.Event(), 0.01)


class TestMissing:
    async def test_a_lost_frame(self):
        async with pipeline() as stages:
            strategy = stages["strategy"]
            strategy.wire.drop = lambda _: True
            strategy.link.send("decisions", Upto(1))
            strategy.link.send("decisions", Upto(2))
            strategy.wire.drop = lambda _: False
            strategy.link.send("decisions", Upto(3))
            await settled()
            assert "stage strategy lost 2 frames" in await failure_of(stages["feed"])
            assert stages["feed"].heard == []

    async def test_a_restarted_stage(self):
        async with pipeline() as stages:
            again = Stage("strategy", {})
            again.wire.bus = stages["strategy"].wire.bus
            again.link.send("decisions", Upto(1))
            assert "stage strategy restarted" in await failure_of(stages["execution"])

    async def test_a_stage_of_another_pipeline(self):
        bus = {}
        feed = Stage("feed", bus)
        async with feed.link:
            stranger = Stage("strategy", {}, pipeline="other")
            stranger.wire.bus = bus
            stranger.link.send("decisions", Upto(1))
            message = await failure_of(feed)
        assert "stage strategy is another pipeline's (stage strategy of pipeline other)" in message
        assert "at its own endpoint" in message

    async def test_a_failed_stage_tells_the_others_why(self):
        async with pipeline() as stages:
            await stages["strategy"].link.__aexit__(ValueError, ValueError("no such bar"), None)
            for other in ("feed", "execution"):
                assert await failure_of(stages[other]) == "stage strategy failed: no such bar"

    async def test_one_failure_is_told_once(self):
        async with pipeline() as stages:
            frames = []
            stages["execution"].wire.drop = frames.append
            await stages["execution"].link.__aexit__(StageError, StageError("stage feed failed"), None)
            said = [message for frame in frames for message in codec.decode_frame(frame).messages]
            assert not [message for message in said if "Failed" in type(message).__name__]

    async def test_a_silent_stage(self, monkeypatch):
        monkeypatch.setattr(links, "SILENCE", 0.1)
        monkeypatch.setattr(links, "_HEARTBEAT", 0.02)
        async with pipeline() as stages:
            stages["strategy"].wire.drop = lambda _: True
            assert await failure_of(stages["feed"]) == "stage strategy has been silent for 0.1 s"

    async def test_a_heartbeat_is_enough(self, monkeypatch):
        monkeypatch.setattr(links, "SILENCE", 0.15)
        monkeypatch.setattr(links, "_HEARTBEAT", 0.02)
        async with pipeline() as stages:
            with pytest.raises(TimeoutError):
                await stages["feed"].link.wait(asyncio.Event(), 0.3)

    async def test_garbage_is_dropped_and_counted(self, caplog):
        async with pipeline() as stages:
            for handler in stages["strategy"].wire.bus["strategy"]:
                handler("strategy", b"\xc1 no frame")
            stages["strategy"].link.send("decisions", Upto(1))
            await settled()
            assert stages["feed"].link.bus.reception.incidents["bad_frame", "strategy"] == 1
            assert stages["feed"].heard == [("strategy", Upto(1))]
            assert "bad_frame from stage strategy" in caplog.text

    async def test_a_transport_that_breaks_ends_the_waiting(self):
        def broken(_):
            raise QuantMindError("the socket is gone")

        alone = Stage("feed", {})
        alone.wire.drop = broken
        with pytest.raises(QuantMindError, match="the socket is gone"):
            async with alone.link:
                await alone.link.join()
        assert alone.wire.closed


async def test_what_has_no_bytes_is_not_sent():
    async with pipeline() as stages:
        with pytest.raises(codec.CodecError):
            stages["feed"].link.send("decisions", Done(1, ("no fact",)))

"""Sinks see what they want, and never stop the trading."""

from __future__ import annotations

import asyncio
import io

import pytest
import yaml

from quantmind.errors import ComponentError
from quantmind.events import Mark, Signal
from quantmind.kinds import NoOptions, Run, Sink
from quantmind.pipeline import sinking
from quantmind.pipeline.sinking import Sinking

BTC = "BTC/USDT:USDT"


class Kept(Sink[NoOptions]):
    """Keeps what it is given."""

    name = "kept"

    def __init__(self, run, types=None, pause=None):
        super().__init__(NoOptions(), run)
        self.types = types
        self.pause = pause
        self.seen = []
        self.state = []

    @property
    def events(self):
        return self.types or super().events

    async def open(self):
        self.state.append("open")

    async def write(self, batch):
        if self.pause is not None:
            await self.pause.wait()
        self.seen.extend(batch)

    async def close(self):
        self.state.append("closed")


class Failing(Kept):
    """Fails at every write."""

    name = "failing"
    error = OSError("the disk is full")

    async def write(self, _):
        raise self.error


class Unopened(Kept):
    """Cannot be opened."""

    name = "unopened"

    async def open(self):
        await super().open()
        raise ConnectionRefusedError("nobody listens")


def signals(count, first=0):
    return [Signal(BTC, "momentum", 1.0, 1.0, ts) for ts in range(first, first + count)]


@pytest.fixture
def run(tmp_path):
    return Run("demo", tmp_path, io.StringIO())


async def test_each_gets_what_it_wants_in_order(run):
    decisions, marks = Kept(run), Kept(run, frozenset({Mark}))
    mark = Mark(BTC, 1, 2.0)
    async with Sinking([decisions, marks]) as both:
        assert both.wants == decisions.events | {Mark}
        await both.write([*signals(2), mark])
        await both.write(signals(1, 2))
    assert decisions.seen == signals(3)
    assert marks.seen == [mark]
    assert both.failures == {}
    assert decisions.state == marks.state == ["open", "closed"]


class TestFailing:
    async def test_the_others_go_on_and_what_was_lost_is_counted(self, run, caplog):
        failing, kept = Failing(run), Kept(run)
        async with Sinking([failing, kept]) as both:
            await both.write(signals(3))
            await both.write(signals(2))
        assert kept.seen == [*signals(3), *signals(2)]
        assert both.failures == {"failing": "5 events lost: OSError: the disk is full"}
        assert failing.state == ["open", "closed"]
        assert [record.levelname for record in caplog.records] == ["WARNING"]

    @pytest.mark.timeout(10)
    @pytest.mark.parametrize("live", [False, True])
    async def test_what_a_sink_cancelled_itself_is_a_failure_too(self, run, live):
        failing = Failing(run)
        failing.error = asyncio.CancelledError()
        async with Sinking([failing], live) as alone:
            await alone.write(signals(2))
            await alone.write(signals(1))
        assert alone.failures["failing"].startswith("3 events lost: CancelledError")

    async def test_closing_may_fail_as_well(self, run):
        class Clinging(Kept):
            """Cannot be closed."""

            name = "clinging"

            async def close(self):
                await super().close()
                raise OSError("the last page is lost")

        first, second = Kept(run), Clinging(run)
        async with Sinking([first, second]) as both:
            await both.write(signals(1))
        assert first.state == ["open", "closed"]
        assert both.failures == {"clinging": "0 events lost: OSError: the last page is lost"}


class TestOpening:
    async def test_a_sink_that_cannot_open_is_named_and_the_others_are_closed(self, run):
        first, second, third = Kept(run), Unopened(run), Kept(run)
        with pytest.raises(ComponentError, match=r"sink unopened cannot be opened: .*nobody listens"):
            async with Sinking([first, second, third]):
                pytest.fail("it opened")
        assert first.state == second.state == ["open", "closed"]
        assert third.state == []


class TestWaiting:
    @pytest.mark.timeout(10)
    async def test_a_replay_waits_for_the_slowest(self, run):
        pause = asyncio.Event()
        slow, quick = Kept(run, pause=pause), Kept(run)
        async with Sinking([slow, quick]) as both:
            writing = asyncio.create_task(both.write(signals(3)))
            await asyncio.sleep(0.02)
            assert not writing.done()
            assert quick.seen == signals(3)
            pause.set()
            await writing
            assert slow.seen == signals(3)

    @pytest.mark.timeout(10)
    async def test_live_nobody_waits_and_the_oldest_are_lost_and_counted(self, run, monkeypatch):
        monkeypatch.setattr(sinking, "_MOST_WAITING", 5)
        pause = asyncio.Event()
        slow = Kept(run, pause=pause)
        async with Sinking([slow], live=True) as alone:
            await alone.write(signals(1))
            await asyncio.sleep(0)
            await alone.write(signals(4, 1))
            await alone.write(signals(4, 5))
            assert slow.seen == []
            pause.set()
        assert slow.seen == [*signals(1), *signals(5, 4)]
        assert alone.failures == {"kept": "3 events lost: it was too slow"}


RECIPE = {
    "name": "sinks",
    "instruments": [BTC],
    "feeds": [{"synthetic": {"duration": "20m", "seed": 3}}],
    "strategies": [{"momentum": {"interval": "10s", "fast": 5, "slow": 13, "rsi": 7}}],
    "allocator": "equal_weight",
    "risk": {"sizing": [{"fixed_quantity": {"quantity": 0.1}}]},
    "executor": "paper",
}


def test_in_a_run_a_failing_sink_changes_nothing_but_the_summary(program):
    for name, sinks in (("without", []), ("with", ["failing_sink"])):
        recipe = {**RECIPE, "name": name, "sinks": sinks}
        (program.folder / f"{name}.yaml").write_text(yaml.safe_dump(recipe))
    plain = program.summary("without.yaml")
    failed = program.summary("with.yaml")
    lost = failed.pop("sinks")
    assert plain.pop("sinks") == {}
    assert set(lost) == {"failing_sink"}
    count = int(lost["failing_sink"].partition(" ")[0])
    assert count >= plain["signals"] + plain["targets"] + plain["fills"] > 10
    assert lost["failing_sink"].endswith("OSError: the disk is full")
    for own in ("run", "latency_us"):
        del plain[own], failed[own]
    assert failed == plain

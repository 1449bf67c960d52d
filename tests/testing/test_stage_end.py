"""The end of a stage: it numbers, reads and counts as the stages of a pipeline do."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.events import Clock, Presence, codec
from quantmind.kinds import NoOptions, Transport
from quantmind.kinds.transport import OBSERVER, TOPICS
from quantmind.testing import StageEnd, meet, until, waiting


class Air(Transport[NoOptions]):
    """Hands frames on at once, but those that are to be lost."""

    name = "air"

    def __init__(self, stage, ends, pipeline="demo"):
        super().__init__(NoOptions(), pipeline, stage)
        self.ends, self.lost = ends, set()

    def subscribe(self, stages, handler):
        self.stages, self.handler = stages, handler

    async def open(self):
        self.ends.append(self)

    async def close(self):
        self.ends.remove(self)

    def publish(self, topic, frame, id=""):
        self.said = (topic, frame, id)
        for end in self.ends:
            if self.stage in end.stages and topic not in self.lost:
                end.handler(self.stage, frame)

    async def drained(self):
        await asyncio.sleep(0)


@pytest.fixture
def ends():
    """Return what makes ends that hear each other."""
    opened = []
    return lambda stage, pipeline="demo": StageEnd(Air(stage, opened, pipeline))


async def test_frames_are_numbered_by_topic_and_heard_in_order(ends):
    async with ends("feed") as feed, ends("sink") as sink, ends(OBSERVER) as observer:
        feed.send("market", Clock(1), Clock(2))
        feed.send("facts", Clock(3))
        feed.send("market", Clock(4))
        for end in (sink, observer):
            assert end.of("feed") == [Clock(1), Clock(2), Clock(3), Clock(4)]
            assert end.numbers("feed", "market") == [1, 2]
            assert end.numbers("feed", "facts") == [1]
            assert end.numbers("strategy", "market") == []
        assert feed.said == {"market": 2, "facts": 1}
        assert not feed.heard
        assert not sink.incidents


async def test_a_frame_has_the_id_that_it_is_given_or_its_own(ends):
    async with ends("feed") as feed:
        feed.send("facts", Clock(1), id="account-1")
        assert feed.transport.said[2] == "account-1"
        feed.send("facts", Clock(1))
        first = feed.transport.said[2]
        feed.send("facts", Clock(1))
        assert first != feed.transport.said[2] != ""


async def test_a_frame_by_hand_is_the_next_one_or_has_no_place(ends):
    async with ends("feed") as feed:
        frames = [
            feed.frame("market", Clock(1)),
            feed.frame("market", Clock(1), sequence=0),
            feed.frame("market", Clock(2)),
        ]
        assert [codec.decode_frame(frame).sequence for frame in frames] == [1, 0, 2]
        assert {codec.decode_frame(frame).start for frame in frames} == {feed.start}


async def test_what_a_stage_would_drop_is_dropped_and_counted(ends):
    async with ends("feed") as feed, ends("sink") as sink, ends("feed", "another pipeline") as stranger:
        first, second, third, fourth = (feed.frame("market", Clock(number)) for number in range(1, 5))
        for data in (first, b"garbage", first, fourth, second, fourth):
            feed.transport.publish("market", data)
        stranger.send("market", Clock(9))
        assert sink.numbers("feed", "market") == [1, 4]
        assert sink.noticed == {
            ("bad_frame", "feed"): 1,
            ("duplicate", "feed"): 2,
            ("gap", "feed"): 2,
            ("reordering", "feed"): 1,
            ("stranger", "feed"): 1,
        }
        assert [each.what for each in sink.incidents].count("duplicate") == 2
        assert codec.decode_frame(third).sequence == 3


async def test_ends_that_met_know_each_other_and_forget_it(ends):
    async with ends("feed") as feed, ends("strategy") as strategy, ends(OBSERVER) as observer:
        feed.send("market", Clock(1))
        await meet(feed, strategy, observer)
        assert all(end.knows(feed) for end in (strategy, observer))
        assert feed.knows(strategy)
        assert not any(end.heard or end.incidents for end in (feed, strategy, observer))
        before = feed.said["market"]
        feed.send("market", Clock(2))
        assert strategy.numbers("feed", "market") == [before + 1]
        # Only the own greeting is one: another Presence is heard as anything else.
        feed.send("operations", Presence("feed", (), "run"))
        assert strategy.of("feed") == [Clock(2), Presence("feed", (), "run")]


async def test_one_that_is_started_again_is_another_one(ends):
    async with ends("sink") as sink:
        for start in range(2):
            async with ends("feed") as feed:
                assert not sink.knows(feed)
                await meet(feed, sink)
                assert sink.noticed["restart", "feed"] == start


async def test_who_does_not_hear_whom_is_told(ends, monkeypatch):
    monkeypatch.setattr(waiting, "PATIENCE", 0.1)
    async with ends("feed") as feed, ends("sink") as sink:
        feed.transport.lost.add("facts")
        with pytest.raises(AssertionError, match=r"stages find each other: sink does not hear feed$"):
            await meet(feed, sink)


async def test_it_waits_for_what_is_heard(ends):
    async with ends("feed") as feed, ends("sink") as sink:
        asyncio.get_running_loop().call_later(0.01, feed.send, "market", Clock(1))
        await until(lambda: sink.of("feed") == [Clock(1)])


@given(st.lists(st.tuples(st.sampled_from(TOPICS), st.booleans()), max_size=60))
def test_gaps_are_counted_truly_however_much_is_lost(story):
    async def main():
        opened = []
        async with StageEnd(Air("feed", opened)) as feed, StageEnd(Air("sink", opened)) as sink:
            for topic, lost in story:
                feed.transport.lost = {topic} if lost else set()
                feed.send(topic, Clock(1))
            # Who joins late misses nothing, and what is lost at the end is not seen yet.
            missed = sum(
                numbers[-1] - numbers[0] + 1 - len(numbers)
                for topic in TOPICS
                if (numbers := sink.numbers("feed", topic))
            )
            assert sink.noticed["gap", "feed"] == missed

    asyncio.run(main())

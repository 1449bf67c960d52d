"""Reception: every irregularity in what others publish is seen, counted and told; nothing of it gets through."""

from __future__ import annotations

from collections import Counter

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.events import Ended, codec
from quantmind.pipeline.reception import Reception

pytestmark = pytest.mark.filterwarnings("error")


def frame(sequence, start="a", topic="market", stage="feed", pipeline="demo", version=codec.FRAME_VERSION):
    made = codec.Frame(codec.FRAME_VERSION, pipeline, stage, start, topic, sequence, (Ended(sequence),))
    data = codec.encode_frame(made)
    if version == codec.FRAME_VERSION:
        return data
    raw = msgpack.unpackb(data, use_list=True)
    raw[0] = version
    return msgpack.packb(raw)


@pytest.fixture
def told():
    return []


@pytest.fixture
def reception(told):
    return Reception("demo", "strategy", told.append)


def read(reception, *frames, stage="feed"):
    got = [reception.read(stage, data) for data in frames]
    return [each.sequence for each in got if each is not None]


def kinds(told):
    return [(incident.what, incident.count) for incident in told]


def test_frames_in_order_pass_without_a_word(reception, told):
    assert read(reception, *(frame(n) for n in range(1, 6))) == [1, 2, 3, 4, 5]
    assert told == []
    assert reception.frames == {"feed": 5}


def test_who_joins_late_begins_with_what_it_hears(reception, told):
    assert read(reception, frame(700), frame(701)) == [700, 701]
    assert told == []


def test_where_everything_must_come_the_first_frame_is_missed(reception, told):
    reception.complete = True
    assert read(reception, frame(3)) == [3]
    assert kinds(told) == [("gap", 2)]


def test_a_gap_counts_what_is_missing(reception, told):
    assert read(reception, frame(1), frame(5)) == [1, 5]
    assert kinds(told) == [("gap", 3)]
    assert told[0].of == "feed"
    assert told[0].topic == "market"
    assert told[0].stage == "strategy"
    assert reception.incidents["gap", "feed"] == 3


def test_a_duplicate_is_dropped(reception, told):
    assert read(reception, frame(1), frame(2), frame(2), frame(1)) == [1, 2]
    assert kinds(told) == [("duplicate", 1), ("duplicate", 1)]


def test_what_comes_too_late_is_told_from_a_duplicate(reception, told):
    assert read(reception, frame(1), frame(3), frame(2), frame(2)) == [1, 3]
    assert kinds(told) == [("gap", 1), ("reordering", 1), ("duplicate", 1)]


def test_a_restart_is_told_once_for_all_topics(reception, told):
    before = [frame(1), frame(1, topic="operations")]
    after = [frame(1, "b"), frame(1, "b", topic="operations")]
    assert read(reception, *before, *after) == [1, 1, 1, 1]
    assert kinds(told) == [("restart", 1)]


def test_a_frame_of_an_earlier_start_is_dropped(reception, told):
    assert read(reception, frame(1), frame(1, "b"), frame(2)) == [1, 1]
    assert kinds(told) == [("restart", 1), ("reordering", 1)]


def test_what_a_new_start_said_before_it_was_heard_is_a_gap(reception, told):
    assert read(reception, frame(1), frame(4, "b")) == [1, 4]
    assert kinds(told) == [("restart", 1), ("gap", 3)]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xc1 garbage", "no MessagePack"),
        (b"", "no MessagePack"),
        (frame(1)[:-3], "no MessagePack"),
        (frame(1, version=codec.FRAME_VERSION + 1), "run the same version"),
        (b"\x00" * (codec.MAX_FRAME + 1), "at most"),
    ],
)
def test_what_is_no_frame_is_dropped_and_named(reception, told, data, why):
    assert read(reception, data, frame(1)) == [1]
    assert kinds(told) == [("bad_frame", 1)]
    assert why in told[0].detail


def test_another_pipeline_or_stage_is_a_stranger(reception, told):
    assert read(reception, frame(1, pipeline="other"), frame(1, stage="sink"), frame(1)) == [1]
    assert kinds(told) == [("stranger", 1), ("stranger", 1)]


def test_topics_that_are_not_wanted_are_passed_over_unread(told):
    reception = Reception("demo", "strategy", told.append, ("market",))
    assert read(reception, frame(1), frame(7, topic="facts"), frame(9, topic="facts"), frame(2)) == [1, 2]
    assert read(reception, frame(3, topic="facts")[:-1] + b"broken") == []
    assert read(reception, frame(1, "b", topic="facts"), frame(1, "b")) == [1]
    assert kinds(told) == [("restart", 1)]
    assert reception.frames == {"feed": 3}


@given(st.lists(st.integers(1, 30), max_size=60))
def test_each_frame_passes_once_and_in_order_whatever_comes(sequences):
    told = []
    reception = Reception("demo", "strategy", told.append)
    passed = read(reception, *(frame(n) for n in sequences))
    assert passed == sorted(set(passed))
    seen = Counter()
    for incident in told:
        seen[incident.what] += incident.count
    assert len(passed) + seen["duplicate"] + seen["reordering"] == len(sequences)
    if passed:
        never = set(range(passed[0], passed[-1] + 1)) - set(sequences)
        assert seen["gap"] - seen["reordering"] == len(never)

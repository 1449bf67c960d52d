"""The conformance check of transports passes one that keeps its promises, and finds each fault."""

from __future__ import annotations

import asyncio
import sys
import textwrap
import time

import pytest
from pydantic import Field

from quantmind.errors import QuantMindError
from quantmind.events import codec
from quantmind.kinds import Options, Transport
from quantmind.kinds.transport import OBSERVER
from quantmind.testing import check_transport, transport, waiting
from quantmind.testing.proving import transport_end, transport_processes


class WireOptions(Options):
    fault: str = Field(default="", description="What it does wrong.")


class Wire(Transport[WireOptions]):
    """Carries frames inside one process."""

    name = "wire"

    def __init__(self, options, pipeline, stage, world):
        super().__init__(options, pipeline, stage)
        self.world, self.fault, self.count, self.held = world, options.fault, 0, None
        self.opened = 0

    def subscribe(self, stages, handler):
        self.wanted, self.handler = stages, handler

    async def open(self):
        self.world["starts"] = self.opened = self.world.get("starts", 0) + 1
        self.world.setdefault("ends", []).append(self)

    async def close(self):
        self.world["ends"].remove(self)
        if self.fault == "never closes":
            await asyncio.Event().wait()

    async def drained(self):
        await asyncio.sleep(0)

    def publish(self, topic, frame, id=""):
        if self.stage == OBSERVER and self.fault != "observer publishes":
            raise QuantMindError("wire: an observer only listens")
        if len(frame) > codec.MAX_FRAME and self.fault != "no bound":
            raise QuantMindError("wire: a frame is too large")
        if self.fault == "blocks" and self.count == 50:
            time.sleep(1.1)
        self.count += 1
        odd = self.count % 97 == 0
        if (self.fault == "loses" and odd) or (self.fault == "falls silent" and self.count > 500):
            return
        if self.fault == "swaps" and odd:
            self.held = (topic, frame)
            return
        self._hand_on(topic, frame)
        if self.held is not None and self.held[0] == topic:
            held, self.held = self.held, None
            self._hand_on(*held)
        if self.fault == "repeats" and odd:
            self._hand_on(topic, frame)

    def _hand_on(self, topic, frame):
        for end in list(self.world["ends"]):
            if self.stage in end.wanted and self._reaches(end, topic, frame):
                asyncio.get_running_loop().call_soon(end.handler, self.stage, self._altered(frame))

    def _reaches(self, end, topic, frame):
        if self.fault == "forgets who joins late" and end.opened > self.opened and self.stage == "strategy":
            return False
        if self.fault == "forgets a stage" and self.opened > 2 and self.stage == "feed":
            return False
        if self.fault == "hides facts" and end.stage == OBSERVER and topic == "facts":
            return False
        return self.fault != "drops garbage" or _is_frame(frame)

    def _altered(self, frame):
        return frame.replace(b"trend", b"bread") if self.fault == "alters" else frame

    def keep(self, key, frame):
        kept = self.world.setdefault("kept", {})
        if self.fault == "keeps the first":
            kept.setdefault((self.stage, key), frame)
        else:
            kept[self.stage, key] = frame

    async def kept(self, stage):
        if self.fault == "forgets what was kept" and all(end.stage != stage for end in self.world["ends"]):
            return ()
        return [frame for (of, _), frame in self.world.get("kept", {}).items() if of == stage]


def _is_frame(data):
    try:
        codec.decode_frame(data)
    except codec.CodecError:
        return False
    return True


def wires(fault=""):
    world = {}
    return lambda stage: Wire(WireOptions(fault=fault), "wired", stage, world)


@pytest.fixture
def impatient(monkeypatch):
    """Let the checks wait for a few seconds only."""

    def wait(seconds):
        for module in (waiting, transport_end):
            monkeypatch.setattr(module, "PATIENCE", seconds)

    return wait


async def test_a_sound_transport_passes():
    await check_transport(wires(), processes=False)


@pytest.mark.parametrize(
    ("fault", "check", "promise"),
    [
        ("loses", "check_order", "arrive once and in order: .* what='gap'"),
        ("swaps", "check_order", "arrive once and in order: .* what='gap'"),
        ("repeats", "check_order", "arrive once and in order: .* what='duplicate'"),
        ("falls silent", "check_order", "every frame arrives"),
        ("alters", "check_events", "events come out as they went in"),
        ("forgets who joins late", "check_late_joiner", "find each other: execution does not hear strategy"),
        ("keeps the first", "check_late_joiner", "the last word on each key is kept"),
        ("forgets what was kept", "check_late_joiner", "what was kept outlives its stage"),
        ("forgets a stage", "check_restart", "find each other: sink does not hear feed"),
        ("drops garbage", "check_bad_frames", "what is no frame reaches who counts it"),
        ("no bound", "check_bad_frames", "a frame that is too large is refused"),
        ("blocks", "check_absent_peer", "publish never blocks"),
        ("never closes", "check_absent_peer", "close ends in bounded time"),
        ("hides facts", "check_observer", "find each other: observer does not hear feed"),
        ("observer publishes", "check_observer", "an observer publishes nothing"),
    ],
)
async def test_each_fault_is_found(impatient, monkeypatch, fault, check, promise):
    impatient(1.0)
    monkeypatch.setattr(transport, "CHECKS", (getattr(transport, check),))
    with pytest.raises(AssertionError, match=promise):
        await check_transport(wires(fault), processes=False)


FAULTY = """
from quantmind_zeromq import ZeroMQ

class Always(ZeroMQ):
    '''Takes no instruction.'''
    answer = True

    @property
    def lossless(self):
        return self.answer

    @lossless.setter
    def lossless(self, value):
        pass

class Never(Always):
    '''Loses frames always.'''
    answer = False

class Hoarder(ZeroMQ):
    '''Keeps everything that was published.'''
    kept_frames = []

    def publish(self, topic, frame, id=""):
        self.kept_frames.append(bytearray(frame))
        super().publish(topic, frame, id)

class Deaf(ZeroMQ):
    '''Hears of each stage its first start only.'''

    def subscribe(self, stages, handler):
        self.known = {}
        def heard(stage, frame):
            from quantmind.events import codec
            if self.known.setdefault(stage, codec.decode_frame(frame).start) == codec.decode_frame(frame).start:
                handler(stage, frame)
        super().subscribe(stages, heard)
"""


@pytest.fixture
def faulty(tmp_path, monkeypatch):
    (tmp_path / "faulty_zeromq.py").write_text(textwrap.dedent(FAULTY))
    monkeypatch.syspath_prepend(str(tmp_path))
    import faulty_zeromq

    yield faulty_zeromq
    sys.modules.pop("faulty_zeromq")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "check", "promise"),
    [
        ("Always", "check_slow_subscriber", "holds up nobody"),
        ("Never", "check_lossless", "in a replay nothing is lost"),
        ("Hoarder", "check_slow_subscriber", "is bounded"),
        ("Deaf", "check_kill", "a stage that was killed is found again"),
    ],
)
async def test_each_fault_between_processes_is_found(faulty, free_ports, impatient, name, check, promise):
    impatient(8.0)
    kind = getattr(faulty, name)
    options = kind.options_model.model_validate({"endpoint": f"tcp://127.0.0.1:{free_ports}"})
    with pytest.raises(AssertionError, match=promise):
        await getattr(transport_processes, check)(lambda stage: kind(options, "faulty", stage))

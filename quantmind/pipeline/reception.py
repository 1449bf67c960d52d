"""Reception: bytes from other stages become frames, and whatever is wrong with them is counted and told."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection

import msgspec

from quantmind.events import Incident, IncidentKind, codec

_log = logging.getLogger(__name__)
_MOST_MISSING = 1_000
_MOST_STARTS = 16
_MOST_HEADS = 32
_GONE = 5.0
"""Seconds without a frame after which a publisher's start is over."""


class _Line(msgspec.Struct):
    """What was heard of one publisher under one topic."""

    start: str
    sequence: int
    before: list[str] = []
    """Starts of before this one, as far as they are remembered."""
    missing: dict[int, None] = {}
    """Sequences that were passed over, the oldest first; one of them may still come, too late."""


class Reception:
    """Reads frames of other stages: each once, in order, of this pipeline only.

    A frame that cannot be read, is not new or comes too late is dropped; a gap is passed over. Each is told as an
    Incident, and none of them raises. `pipeline` is what tells the own one from others; None takes any. Frames under
    other topics than `topics` are passed over unread.
    """

    def __init__(
        self,
        pipeline: str | None,
        stage: str,
        notice: Callable[[Incident], None],
        topics: Collection[str] | None = None,
    ) -> None:
        self.frames: Counter[str] = Counter()
        """Frames read, by publisher."""
        self.incidents: Counter[tuple[IncidentKind, str]] = Counter()
        """What was noticed, by kind and publisher."""
        self.complete = False
        """Whether a topic that is heard for the first time must begin with its first frame."""
        self._topics = topics
        self._passed_over: tuple[bytes, ...] = ()
        """How frames begin that are passed over: all of one start and topic begin alike."""
        self._pipeline = pipeline
        self._stage = stage
        self._notice = notice
        self._lines: dict[tuple[str, str], _Line] = {}
        self._starts: dict[str, str] = {}
        self._heard_at: dict[str, float] = {}

    def read(self, stage: str, data: bytes) -> codec.Frame | None:
        """Return the frame that is to be handled; None where there is none."""
        if data.startswith(self._passed_over):
            return None
        try:
            frame = codec.decode_frame(data)
        except codec.CodecError as error:
            self.tell("bad_frame", stage, "", 1, str(error))
            return None
        if frame.stage != stage or (self._pipeline is not None and frame.pipeline != self._pipeline):
            self.tell("stranger", stage, frame.topic, 1, f"stage {frame.stage} of pipeline {frame.pipeline}")
            return None
        if self._topics is not None and frame.topic not in self._topics:
            self._passed_over = (*self._passed_over, codec.frame_head(frame))[-_MOST_HEADS:]
            return None
        if not self._is_next(stage, frame):
            return None
        self.frames[stage] += 1
        return frame

    def _is_next(self, stage: str, frame: codec.Frame) -> bool:
        line = self._lines.get((stage, frame.topic))
        if line is None:
            # Who joins late begins with what it hears first.
            self._started(stage, frame)
            before = 0 if self.complete else frame.sequence - 1
            line = self._lines[stage, frame.topic] = _Line(frame.start, before)
        if frame.start != line.start:
            again = frame.start in line.before
            if again and time.monotonic() - self._heard_at.get(line.start, 0.0) < _GONE:
                self.tell("reordering", stage, frame.topic, 1, "a frame of an earlier start")
                return False
            self._started(stage, frame)
            line.before = [*line.before, line.start][-_MOST_STARTS:]
            # Of two that were started at once, the one that is left goes on, though it was the first.
            line.start, line.sequence = frame.start, frame.sequence - 1 if again else 0
            line.missing = {}
        self._heard_at[frame.start] = time.monotonic()
        expected = line.sequence + 1
        if frame.sequence == expected:
            line.sequence = expected
            return True
        if frame.sequence > expected:
            lost = frame.sequence - expected
            for sequence in range(max(expected, frame.sequence - _MOST_MISSING), frame.sequence):
                line.missing[sequence] = None
            while len(line.missing) > _MOST_MISSING:
                del line.missing[next(iter(line.missing))]
            line.sequence = frame.sequence
            self.tell("gap", stage, frame.topic, lost, f"frames {expected} to {frame.sequence - 1}")
            return True
        if frame.sequence in line.missing:
            del line.missing[frame.sequence]
            self.tell("reordering", stage, frame.topic, 1, f"frame {frame.sequence} after {line.sequence}")
        else:
            self.tell("duplicate", stage, frame.topic, 1, f"frame {frame.sequence}")
        return False

    def _started(self, stage: str, frame: codec.Frame) -> None:
        """Take note of a publisher's start; a new one after another is told once, not for each topic."""
        while len(self._heard_at) > _MOST_HEADS:
            del self._heard_at[next(iter(self._heard_at))]
        known = self._starts.get(stage)
        self._starts[stage] = frame.start
        if known is not None and known != frame.start:
            self.tell("restart", stage, frame.topic, 1, f"start {frame.start[:8]} after {known[:8]}")

    def tell(self, what: IncidentKind, of: str, topic: str, count: int, detail: str = "") -> None:
        """Count something that was noticed, tell it, and log it the first time and ever more seldom."""
        seen = self.incidents[what, of]
        self.incidents[what, of] += count
        if (seen + 1).bit_count() == 1 or (seen + count).bit_length() > seen.bit_length():
            total = self.incidents[what, of]
            _log.warning("%s from stage %s: %s (%d so far)", what, of, detail or topic, total)
        self._notice(Incident(self._stage, time.time_ns(), what, of, topic, count, detail[:200]))

"""Transports: bytes between the stages of a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, get_args

from quantmind.kinds.component import Component, O

Topic = Literal["market", "decisions", "facts", "operations"]
"""What a frame is about: market events, signals and Targets, what execution did, and running itself."""

TOPICS: tuple[Topic, ...] = get_args(Topic)
"""All topics, in the order of the pipeline."""

STAGES = ("feed", "strategy", "execution", "sink")
"""The stages of a pipeline, in the order in which a tick passes them."""

OBSERVER = "observer"
"""Who only listens, such as `quantmind top`: it publishes nothing, and there may be several."""

Handler = Callable[[str, bytes], None]
"""Called with the publishing stage and a frame, on the event loop; in the order of publication per topic."""


class Transport(Component[O]):
    """Carries frames from each stage of a pipeline to the others.

    Frames arrive whole or not at all, those of one stage and topic in order. Stages start in any order, and one that
    is started again, or cut off for a while, is found again. What was published before a subscriber joined, or while
    it was cut off, need not reach it: the pipeline sees each gap and catches up.
    """

    kind = "transport"

    def __init__(self, options: O, pipeline: str, stage: str) -> None:
        super().__init__(options)
        self.pipeline = pipeline
        """The recipe's name: pipelines of other names may share a broker."""
        self.stage = stage
        """The stage that it carries frames from and to, or `OBSERVER`."""
        self.lossless = True
        """Set before `open`. In a replay nothing is dropped: a frame that finds no room makes `drained` wait. Live,
        one subscriber that does not read must hold up nobody: it loses frames, and the publisher's memory is bounded.
        """

    def subscribe(self, stages: tuple[str, ...], handler: Handler) -> None:
        """Ask for all frames of other stages; called once, before `open`."""
        raise NotImplementedError

    def publish(self, topic: Topic, frame: bytes, id: str = "") -> None:
        """Send a frame to whoever subscribed to this stage; never blocks.

        A frame with an `id` is the same as every other one with it, also from another start of this stage: where the
        transport stores, it does so once.
        """
        raise NotImplementedError

    async def drained(self) -> None:
        """Wait until what was published has been handed on."""
        raise NotImplementedError

    def keep(self, key: str, frame: bytes) -> None:
        """Keep a frame as this stage's last word on `key` for stages that join later.

        A transport without a memory does nothing: then the stage itself says it again to who joins.
        """

    async def kept(self, stage: str) -> Sequence[bytes]:  # noqa: ARG002 - for those that have a memory
        """Return the last words of a stage, one frame for each key."""
        return ()

    @property
    def figures(self) -> Mapping[str, float]:
        """What the transport publishes of itself, by name: reconnects, what it dropped, clients it refused."""
        return {}

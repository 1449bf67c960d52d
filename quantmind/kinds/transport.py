"""Transports: bytes between the stages of a pipeline."""

from __future__ import annotations

from collections.abc import Callable

from quantmind.kinds.component import Component, O

Handler = Callable[[str, bytes], None]
"""Called with the publishing stage and a frame, in the order of publication, on the event loop."""


class Transport(Component[O]):
    """Carries frames from each stage to the others.

    `lossless` transports drop nothing: a frame that finds no room makes `drained` wait.
    """

    kind = "transport"

    def __init__(self, options: O, stage: str) -> None:
        super().__init__(options)
        self.stage = stage

    def subscribe(self, stages: tuple[str, ...], handler: Handler) -> None:
        """Ask for the frames of other stages; called once, before `open`."""
        raise NotImplementedError

    def publish(self, frame: bytes) -> None:
        """Send a frame to whoever subscribed to this stage; never blocks."""
        raise NotImplementedError

    async def drained(self) -> None:
        """Wait until what was published has been handed on."""
        raise NotImplementedError

"""Risk rules: what sizing, protection and limits have in common."""

from __future__ import annotations

from collections.abc import Mapping

from quantmind.events import Fact, Market
from quantmind.kinds.channel import Needs
from quantmind.kinds.component import Component, O


class Rule(Component[O]):
    """A part of the Trader: it does no I/O, reads no clock and draws no unseeded random number.

    A handler that a subclass does not override is never called. After a restart the same history and the same
    facts are shown again; what cannot be learned from them is kept by `save` and given back by `load`.
    """

    @classmethod
    def needs(cls, options: O) -> Needs:  # noqa: ARG003
        """Return the channels and the history that the rule must be given; pure."""
        return Needs()

    def on_market(self, event: Market) -> None:
        """Take note of a market event of a channel that the rule needs."""

    def on_fact(self, fact: Fact) -> None:
        """Take note of what the Trader did: orders, fills, funding; in the order of their numbers."""

    def save(self) -> str:
        """Return what a restart cannot find out again, as text; asked for at each commit of the journal."""
        return ""

    def load(self, state: str) -> None:
        """Take back what was saved last, before any event; not called on a new account."""

    @property
    def figures(self) -> Mapping[str, float]:
        """The rule's own estimates, by name, as `status` and the summary of a run publish them."""
        return {}

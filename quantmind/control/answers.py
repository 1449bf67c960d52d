"""What an operator asks of an account, and what is answered: one JSON object on a line, each way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec

from quantmind.events import Latch
from quantmind.trader.latches import Latches

LONGEST_REASON = 500
"""Characters in a reason at the most."""

Action = Literal["halt", "resume", "flatten", "reset"]


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question, or an instruction with its reason; `name` is the latch to reset, left out all of them."""

    ask: Literal["status", "halt", "resume", "flatten", "reset"]
    reason: Annotated[str, msgspec.Meta(max_length=LONGEST_REASON)] = ""
    name: Annotated[str, msgspec.Meta(max_length=100)] = ""


class Outcome(msgspec.Struct, frozen=True):
    """What an instruction came to, once it is durable: the latches it set or cleared, those in force, what is held.

    `held` has the quantity of each position that is open at that moment, short is negative.
    """

    account: str
    run: str
    running: bool
    action: Action
    changed: tuple[str, ...]
    latches: Mapping[str, str]
    seq: int
    ts: int
    held: Mapping[str, Decimal] = {}

    def lines(self) -> Iterator[str]:
        """Return it as lines for a person."""
        where = f"account {self.account}, run {self.run}" if self.run else f"account {self.account}"
        yield f"{where}: {self._said()}"
        if self.latches:
            yield "latched: " + ", ".join(f"{name} ({level})" for name, level in self.latches.items())

    def _said(self) -> str:
        changed = ", ".join(self.changed)
        if self.action == "resume":
            return f"resumed; cleared {changed}" if changed else "nothing to resume; the operator had not stopped it"
        if self.action == "reset":
            return f"reset; cleared {changed}" if changed else "nothing to reset; no limit had stopped it"
        done = "halted" if self.action == "halt" else "flattened"
        if not changed:
            return f"was {done} already" + (f"; {self._follows}" if self.action == "flatten" and self.running else "")
        if not self.running:
            return f"{done} while stopped; at the next start entries are cancelled, {self._follows}"
        return f"{done}; entries are cancelled, {self._follows}"

    @property
    def _follows(self) -> str:
        """What becomes of what is held."""
        if not self.held:
            return "no position is held"
        if self.action == "halt":
            return "positions keep their stops"
        held = ", ".join(f"{quantity:f} {symbol}" for symbol, quantity in self.held.items())
        if not self.running:
            return f"positions are closed at market: {held}"
        return f"positions are being closed at market: {held}; see `quantmind status`"


def in_force(latches: Latches) -> dict[str, str]:
    """Return the level of each latch that is set, by name."""
    return {name: latch.level for name, latch in latches.set.items() if latch.level is not None}


def changed(before: Mapping[str, Latch], after: Mapping[str, Latch]) -> tuple[str, ...]:
    """Return the names of the latches that were set, strengthened or cleared."""
    return tuple(name for name in {**before, **after} if before.get(name) != after.get(name))


def plain(value: Any) -> Any:
    """Return plain data for JSON, Decimals as plain strings."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value

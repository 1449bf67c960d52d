"""Latches: what keeps trading stopped, until somebody clears it on the record."""

from __future__ import annotations

from collections.abc import Mapping

from quantmind.errors import QuantMindError
from quantmind.events import Instruction, Latch, LatchLevel

OPERATOR: Mapping[str, str] = {"halt": "halted", "flatten": "flattened"}
"""The latches of the operator: the codes of what they refuse."""

_STRENGTH: Mapping[LatchLevel, int] = {"reduce": 1, "flatten": 2, "halt": 3}


class Latches:
    """The latches of an account: each has a name, the code of its refusals, and only ever gets stronger.

    `reduce` refuses what increases a position. `flatten` cancels entries and closes every position as well. `halt`
    cancels entries and refuses increases; what is held stays with its stops, and exits pass.
    """

    def __init__(self) -> None:
        self.set: dict[str, Latch] = {}
        self.refusing: Latch | None = None
        """The one that increases are refused by: the first of the strongest; None while they pass."""
        self.flattening = False
        """Whether positions must be closed."""
        self.cancelling = False
        """Whether entries must be cancelled."""

    def take(self, latch: Latch) -> None:
        """Set a latch, or clear it with the level None."""
        if latch.level is None:
            self.set.pop(latch.name, None)
        else:
            self.set[latch.name] = latch
        self.refusing = max(self.set.values(), key=_strength, default=None)
        levels = {each.level for each in self.set.values()}
        self.flattening = "flatten" in levels
        self.cancelling = bool(levels & {"flatten", "halt"})

    def cleared(self, instruction: Instruction) -> list[str]:
        """Return the latches that an instruction clears: the operator's by `resume`, all others by `reset`.

        Raises:
            QuantMindError: the one it names is not among them.
        """
        if instruction.action not in {"resume", "reset"}:
            return []
        own = set(OPERATOR.values())
        names = [name for name in self.set if (name in own) == (instruction.action == "resume")]
        if not instruction.name:
            return names
        if instruction.name not in names:
            hint = ": that is what `resume` clears" if instruction.name in own & self.set.keys() else ""
            known = f"; what can be reset: {', '.join(names) or 'nothing'}"
            raise QuantMindError(f"{instruction.name} is not the latch of a limit{hint or known}")
        return [instruction.name]

    def would_change(self, name: str, level: LatchLevel) -> bool:
        """Say whether setting a latch would add to what is in force."""
        held = self.set.get(name)
        return held is None or held.level is None or _STRENGTH[level] > _STRENGTH[held.level]


def _strength(latch: Latch) -> int:
    return _STRENGTH[latch.level] if latch.level is not None else 0

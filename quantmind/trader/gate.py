"""The gate: the one place where an order that may leave the process is made."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NoReturn

import msgspec

from quantmind.blame import misanswered, told
from quantmind.errors import ComponentError, QuantMindError
from quantmind.events import Amend, Command, Latch, Side
from quantmind.kinds.limit import Allowed, Increase, Limit, Refused, Shrunk
from quantmind.kinds.standing import Standing
from quantmind.market.instruments import Instrument
from quantmind.trader.orders import Order

STALE = "stale"
"""The code of what is refused because another part of the pipeline is not well."""

_ZERO = Decimal(0)
_process = [0]
"""Which process this is, counted in forks: asking the system would cost a call for every order."""


def _forked() -> None:
    _process[0] += 1


os.register_at_fork(after_in_child=_forked)


class GateError(QuantMindError):
    """Something tried to pass without an approval of this gate."""


class Approved:
    """A command that passed the gate; valid once, in the process that made it.

    It cannot be constructed, copied, changed or pickled, and no bus message carries it.
    """

    __slots__ = ("_command",)
    _command: Command

    def __new__(cls, *_: Any, **__: Any) -> NoReturn:
        """Refuse: only the gate makes one."""
        raise GateError("only the gate approves a command")

    def __init_subclass__(cls, **_: Any) -> NoReturn:
        """Refuse: a subclass could be constructed."""
        raise GateError("an approval has no variants")

    @property
    def command(self) -> Command:
        """The command that was approved."""
        return self._command

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise GateError("an approval cannot be copied, changed or pickled; ask the gate for another one")

    __copy__ = __deepcopy__ = __replace__ = __reduce__ = __reduce_ex__ = __setattr__ = _refuse


_set_command: Final = Approved._command.__set__  # type: ignore[attr-defined] # noqa: SLF001 - the slot itself


class Intent(msgspec.Struct, frozen=True, gc=False):
    """What the Trader would like to order: a quantity > 0 of which `reducing` takes the position towards 0.

    `unprotected` says why nothing may be increased for want of a stop; empty where it may.
    """

    instrument: Instrument
    side: Side
    quantity: Decimal
    reducing: Decimal
    price: Decimal
    held: Decimal
    gross: Decimal
    equity: Decimal
    ts: int
    priced_at: int
    mark: Decimal | None
    standing: Standing
    unprotected: str = ""

    def increase(self, quantity: Decimal) -> Increase:
        """Return the increase of `quantity` that limits are asked about."""
        return Increase(
            self.instrument,
            self.side,
            quantity,
            self.price,
            self.held,
            self.gross,
            self.equity,
            self.ts,
            self.priced_at,
            self.mark,
            self.standing,
        )


class Cut(msgspec.Struct, frozen=True, gc=False):
    """A part of an intent that may not pass, and why."""

    quantity: Decimal
    code: str
    figures: str


class Gate:
    """Judges intents by the limits and the latch, and issues approvals that can be spent once.

    What reduces a position always passes, after a halt too.
    """

    def __init__(self, limits: Sequence[Limit[Any]] = ()) -> None:
        self._limits = tuple(limits)
        self._issued: dict[int, Approved] = {}
        self._process = _process[0]
        self.latch: Latch | None = None
        """What keeps everything from being increased any more; None while it may."""
        self.ailing = ""
        """Why nothing is increased for as long as it lasts, a stage that is stale perhaps; empty when all is well."""
        self.ailing_symbols: Mapping[str, str] = {}
        """Symbols that nothing is increased in for as long as it lasts, each with why."""

    def judge(self, intent: Intent) -> tuple[Decimal, bool, list[Cut]]:
        """Return the quantity that may pass, whether as reduce-only, and what was cut off."""
        cuts: list[Cut] = []
        reducing = intent.reducing
        wanted = allowed = intent.quantity - reducing
        ailing = self.ails(intent.instrument.symbol)
        if wanted and (self.latch is not None or ailing or intent.unprotected):
            cuts.append(self._refusal(wanted, ailing, intent.unprotected))
            allowed = _ZERO
        if allowed:
            allowed = self._limited(intent, allowed, cuts)
        quantity = reducing + allowed
        if allowed and quantity * intent.price < intent.instrument.min_notional:
            figures = f"notional {quantity * intent.price} < minimum {intent.instrument.min_notional}"
            cuts.append(Cut(allowed, "below_minimum_notional", figures))
            return reducing, True, cuts
        return quantity, not allowed, cuts

    def ails(self, symbol: str) -> str:
        """Return why nothing is increased in a symbol for want of health; empty when all is well."""
        return self.ailing or (self.ailing_symbols.get(symbol, "") if self.ailing_symbols else "")

    def _refusal(self, wanted: Decimal, ailing: str, unprotected: str) -> Cut:
        """Say why nothing of an increase may pass, whatever the limits would say."""
        if self.latch is not None:
            return Cut(wanted, self.latch.name, self.latch.figures)
        if ailing:
            return Cut(wanted, STALE, ailing)
        return Cut(wanted, "unprotected", unprotected)

    def _limited(self, intent: Intent, allowed: Decimal, cuts: list[Cut]) -> Decimal:
        for limit in self._limits:
            increase = intent.increase(allowed)
            try:
                verdict = limit.check(increase)
            except Exception as error:
                raise ComponentError(f"limit {limit.name} failed on {increase}: {told(error)}") from error
            if not isinstance(verdict, Allowed):
                _expect_sound(limit, verdict)
            if isinstance(verdict, Shrunk):
                # A limit that answers with more than it was asked must not enlarge the order.
                shrunk = max(_ZERO, min(allowed, intent.instrument.quantity(verdict.quantity)))
                if shrunk < allowed:
                    cuts.append(Cut(allowed - shrunk, verdict.code, verdict.figures))
                allowed = shrunk
            elif isinstance(verdict, Refused):
                cuts.append(Cut(allowed, verdict.code, verdict.figures))
                allowed = _ZERO
            if not allowed:
                return allowed
        return allowed

    def approve(self, order: Order) -> Approved:
        """Issue the approval to place an order that was judged."""
        return self._issue(order.submit())

    def protect(self, order: Order) -> Approved:
        """Issue the approval to place an order that can only close a position.

        Raises:
            GateError: it could open one.
        """
        if not (order.reduce_only or order.close_position):
            raise GateError(f"order {order.id} could open a position, so it is no protection")
        return self._issue(order.submit())

    def amend(self, order: Order) -> Approved:
        """Issue the approval to move the trigger of a protective order to where it is said to move.

        Raises:
            GateError: the order could open a position.
        """
        if not order.close_position:
            raise GateError(f"order {order.id} could open a position: its price is not moved without judging it anew")
        return self._issue(Amend(order.id, order.symbol, order.moved_ts, trigger=order.moving, after=order.moved_after))

    def cancel(self, order: Order) -> Approved:
        """Issue the approval to take back an order that is being cancelled; that never adds risk.

        Raises:
            GateError: it is not.
        """
        command = order.cancel()
        if command is None:
            raise GateError(f"order {order.id} is not being cancelled")
        return self._issue(command)

    def _issue(self, command: Command) -> Approved:
        approved: Approved = object.__new__(Approved)  # type: ignore[arg-type] # its own __new__ refuses
        _set_command(approved, command)
        self._issued[id(approved)] = approved
        return approved

    def spend(self, approved: Approved) -> Command:
        """Return the command, once.

        Raises:
            GateError: this gate did not issue it, it was spent, or it comes from another process.
        """
        if _process[0] != self._process:
            raise GateError("an approval is valid only in the process that made it")
        issued = self._issued.pop(id(approved), None)
        if issued is None or issued is not approved:
            raise GateError("this approval was not issued by this gate, or it is spent")
        return issued._command  # noqa: SLF001 - the gate's own token


def _expect_sound(limit: Limit[Any], verdict: object) -> None:
    """Take nothing for an answer that is none: whoever says False means that nothing may pass.

    Raises:
        ComponentError: it is none.
    """
    if not isinstance(verdict, Shrunk | Refused):
        raise misanswered(limit, "check", "ALLOWED, Shrunk(...) or Refused(...)", verdict)
    words: Sequence[object] = (verdict.code, verdict.figures)
    if not all(isinstance(word, str) for word in words):
        raise misanswered(limit, "check", "a code and figures in words", verdict)
    quantity: object = verdict.quantity if isinstance(verdict, Shrunk) else _ZERO
    if not (isinstance(quantity, Decimal) and quantity.is_finite()):
        raise misanswered(limit, "check", "Shrunk with a quantity that is a finite Decimal", verdict)

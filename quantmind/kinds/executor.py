"""Executors: commands to a venue, order events from it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, final

from quantmind.events import Amend, Cancel, Market, OrderEvent, Query, Submit
from quantmind.kinds.channel import Channel
from quantmind.kinds.component import Component, O
from quantmind.market.instruments import Instrument

if TYPE_CHECKING:
    from quantmind.ledger.accounts import Account
    from quantmind.trader.gate import Approved, Gate
    from quantmind.trader.orders import Order


class Executor(Component[O]):
    """Performs commands that the gate approved.

    One that is `simulated` answers synchronously, and the driver shows it every market event.
    """

    kind = "executor"
    simulated: ClassVar[bool] = False
    """Whether it answers synchronously and is shown every market event."""

    def __init__(self, options: O, instruments: Sequence[Instrument]) -> None:
        super().__init__(options)
        self.instruments = {instrument.symbol: instrument for instrument in instruments}
        """What it trades, by symbol, in the order of the recipe."""
        self.waiting: Collection[Any] = (self,)
        """While it is empty, a simulated executor need not be shown market events; the same object for ever."""
        self._gate: Gate | None = None

    @classmethod
    def account(cls, options: O) -> str:
        """Return the key of the account this executor trades: its lock, latches and journal belong to it."""
        raise NotImplementedError

    @classmethod
    def wants(cls, options: O, offered: frozenset[Channel]) -> frozenset[Channel]:  # noqa: ARG003
        """Choose, of what the feeds offer of a symbol, what this executor must see; pure."""
        return frozenset()

    @property
    def balance(self) -> Decimal:
        """The balance a new account starts with, in the settlement currency."""
        return Decimal(0)

    def prepare(self, channels: Mapping[str, frozenset[Channel]]) -> None:
        """Learn which channels of each symbol will come, before the first event."""

    def restore(self, orders: Sequence[Order], account: Account) -> None:
        """Take back what the journal knows: the orders, in no particular order, that are acknowledged and not done.

        `account` has the wallet and the positions.
        """

    def remember(self, seq: int, event: Market) -> None:
        """Take note, after `restore`, of market event number `seq`, handled before a restart (simulated executors)."""

    @property
    def figures(self) -> Mapping[str, float]:
        """What the executor publishes of itself, by name, as the summary of a run shows it."""
        return {}

    @final
    def connect(self, gate: Gate) -> None:
        """Learn the gate whose approvals are valid here."""
        self._gate = gate

    @final
    def perform(self, approved: Approved) -> Sequence[OrderEvent]:
        """Perform a command once, if this gate issued it and it has not been spent; return what came of it, in order.

        Raises:
            GateError: it was not, or it was.
            RuntimeError: no gate is connected.
        """
        if self._gate is None:
            raise RuntimeError("an executor performs nothing before it is connected to a gate")
        command = self._gate.spend(approved)
        if isinstance(command, Submit):
            return self.submit(command)
        if isinstance(command, Amend):
            return self.amend(command)
        return self.cancel(command)

    def submit(self, command: Submit) -> Sequence[OrderEvent]:
        """Place an order; return the order events that are known already, in order."""
        raise NotImplementedError

    def amend(self, command: Amend) -> Sequence[OrderEvent]:
        """Change a resting order, so that at no moment neither the old nor the new one is there.

        Returns:
            The order events that are known already, in order.
        """
        raise NotImplementedError

    def cancel(self, command: Cancel) -> Sequence[OrderEvent]:
        """Take back what is left of an order; return the order events that are known already, in order."""
        raise NotImplementedError

    def query(self, query: Query) -> Sequence[OrderEvent]:
        """Say what became of an order, as order events in order; `Absent` where the venue never had it."""
        raise NotImplementedError

    def on_market(self, seq: int, event: Market) -> Sequence[OrderEvent]:
        """Match a market event, of sequence number `seq`, against the open orders (simulated executors).

        Returns:
            What came of it, in order.
        """
        raise NotImplementedError

    def listen(self, handler: Callable[[OrderEvent], None]) -> None:
        """Learn where to report order events that no call returned (executors that are not simulated)."""

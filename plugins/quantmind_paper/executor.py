"""The paper executor: orders against the simulation, money that is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import ClassVar

import msgspec
from pydantic import Field

from quantmind.events import Cancel, Market, OrderEvent, Query, Submit
from quantmind.kinds import QUOTES, TRADES, Channel, Duration, Executor, Options
from quantmind.simulation.matching import Matching
from quantmind.trader.orders import Order


class PaperOptions(Options):
    """Options of `paper`."""

    account: str = Field(
        default="paper",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$",
        description="Name of the account; its journal and lock belong to it.",
    )
    balance: Decimal = Field(default=Decimal(10000), gt=0, description="Balance a new account starts with.")
    taker_fee: Decimal = Field(
        default=Decimal("0.0005"), ge=0, lt=1, description="Fee of a market order, as a part of its notional."
    )
    latency: Duration = Field(default=0, description="Time an order or a cancel takes to reach the venue.")


class Paper(Executor[PaperOptions]):
    """Fills orders by the market data of the recipe, without a venue."""

    name = "paper"
    simulated: ClassVar[bool] = True

    @classmethod
    def account(cls, options: PaperOptions) -> str:
        """Return the account's key."""
        return f"paper-{options.account}"

    @classmethod
    def wants(cls, options: PaperOptions, offered: frozenset[Channel]) -> frozenset[Channel]:  # noqa: ARG003
        """Choose quotes, else trades, else the shortest bars to fill by, and marks to value by."""
        best = _best(offered)
        return frozenset(c for c in offered if c == best or c.kind == "mark")

    @property
    def balance(self) -> Decimal:
        """The balance a new account starts with."""
        return self.options.balance

    def prepare(self, channels: Mapping[str, frozenset[Channel]]) -> None:
        """Make the matching engine for what will come."""
        prices = {}
        for symbol, published in channels.items():
            best = _best(published)
            if best is not None:
                prices[symbol] = best
        self._matching = Matching(self.instruments, prices, self.options.latency, self.options.taker_fee)
        self.waiting = self._matching.orders

    def restore(self, orders: Sequence[Order]) -> None:
        """Take back the open orders of the journal."""
        for order in orders:
            rest = msgspec.structs.replace(order.submit(), quantity=order.quantity - order.filled)
            self._matching.restore(rest, order.cancel_ts)

    def submit(self, command: Submit) -> Sequence[OrderEvent]:
        """Place an order."""
        return self._matching.submit(command)

    def cancel(self, command: Cancel) -> Sequence[OrderEvent]:
        """Take back an order."""
        return self._matching.cancel(command)

    def query(self, query: Query) -> Sequence[OrderEvent]:
        """Say what became of an order."""
        return self._matching.query(query.order)

    def on_market(self, seq: int, event: Market) -> Sequence[OrderEvent]:
        """Match a market event."""
        return self._matching.on_market(seq, event)


def _best(offered: frozenset[Channel]) -> Channel | None:
    for channel in (QUOTES, TRADES):
        if channel in offered:
            return channel
    return min((c for c in offered if c.kind == "bar"), default=None)

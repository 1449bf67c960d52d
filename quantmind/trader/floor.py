"""The floor: what the parts of the Trader share, and how an order gets on the record and through the gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from quantmind.errors import QuantMindError
from quantmind.events import OrderState, Purpose, Side
from quantmind.ledger.accounts import Account
from quantmind.market.instruments import Instrument
from quantmind.trader.books import Books
from quantmind.trader.chronicle import Chronicle
from quantmind.trader.desk import Desk
from quantmind.trader.gate import Approved, Gate
from quantmind.trader.journal import Journal
from quantmind.trader.latches import Latches
from quantmind.trader.orders import Order
from quantmind.trader.rules import Rules

MOST_PARTS = 20
"""How many orders one intent is split into at the most, where it is larger than the venue takes at once."""


class Floor:
    """The desks, the account, the rules and the record of one Trader."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        strategies: Sequence[str],
        rules: Rules,
        gate: Gate,
        journal: Journal,
        new_epoch: bool,
    ) -> None:
        self.rules = rules
        self.gate = gate
        self.journal = journal
        self.account = Account(Decimal(journal.balance), [i.symbol for i in instruments])
        self.chronicle = Chronicle(journal, new_epoch)
        self.latches = Latches()
        self.desks = {
            instrument.symbol: Desk(index, instrument, self.account.positions[instrument.symbol], strategies)
            for index, instrument in enumerate(instruments)
        }
        for symbol, desk in self.desks.items():
            desk.routes = rules.routes(symbol)
        self.books = Books(self.account, list(self.desks.values()))
        self.orders: dict[str, Order] = {}
        """Every open order by id."""
        self.unanswered: set[str] = set()
        """Orders whose fate is not known: until it is, nothing is intended."""
        self.unpriced: set[str] = set()
        """The symbols whose intent waits for a first price; the same object for ever."""
        self.unvalued = False
        """Whether, after a restart, something that is held has had no price yet: the equity is not known."""
        self.resets: list[str] = []
        """Limits whose latches were cleared while nothing ran: they begin anew as soon as the equity is known."""
        self.arrived = self.now = 0
        self.moved = False
        """Whether the account has changed since it was valued last."""
        self.valued = 0
        """When it was valued last, ns UTC."""
        self.alarm = 0
        """The next time (ns) at which something is due before a market event."""

    @property
    def came_in(self) -> int:
        """The last market event that came in: handled, or being matched before it is."""
        return max(self.chronicle.seq, self.arrived)

    def desk(self, symbol: str) -> Desk:
        """Return the desk of a symbol.

        Raises:
            QuantMindError: the recipe does not trade it.
        """
        desk = self.desks.get(symbol)
        if desk is None:
            raise QuantMindError(
                f"the account {self.journal.account} has traded {symbol}, which is not an instrument of this recipe: "
                "add it to instruments, or give the recipe's executor an account of its own"
            )
        return desk

    def find(self, id: str) -> Order:
        """Return an order, open or done.

        Raises:
            QuantMindError: the account never had it.
        """
        order = self.orders.get(id) or self.journal.find_order(id)
        if order is None:
            raise QuantMindError(f"the executor reports order {id}, which is not in the journal of this account")
        return order

    def keep(self, desk: Desk, order: Order) -> None:
        """Hold an order while it is open."""
        held = desk.protective if order.protective else desk.orders
        if order.open:
            self.orders[order.id] = held[order.id] = order
        else:
            self.orders.pop(order.id, None)
            held.pop(order.id, None)

    def draft(
        self,
        desk: Desk,
        side: Side,
        quantity: Decimal,
        ts: int,
        cause: str,
        purpose: Purpose,
        *,
        reduce_only: bool = False,
    ) -> Order:
        """Make an order that is not on record yet."""
        symbol = desk.instrument.symbol
        order = self.chronicle.intent(symbol, side, quantity, reduce_only, ts, cause, self.came_in)
        order.purpose = purpose
        return order

    def place(self, desk: Desk, order: Order, commands: list[Approved]) -> None:
        """Put an order on record, and its command among those to perform."""
        self.chronicle.intended(order)
        self.keep(desk, order)
        closing = order.purpose != "target"
        commands.append(self.gate.protect(order) if closing else self.gate.approve(order))

    def pass_on(self, desk: Desk, changes: Mapping[str, Decimal], price: Decimal, ts: int, cause: str) -> None:
        """Let strategies pass positions to each other, on the record."""
        parts = desk.subs.transfer(changes, price)
        self.chronicle.transfer(desk.instrument.symbol, price, parts, ts, cause)

    def cancel(self, order: Order, ts: int, commands: list[Approved]) -> None:
        """Take an order back, unless that is under way."""
        if order.state is not OrderState.CANCELLING:
            order.cancel_ts, order.cancel_after = ts, self.came_in
            self.chronicle.step(order, OrderState.CANCELLING, ts)
            commands.append(self.gate.cancel(order))

    def move(self, order: Order, trigger: Decimal, ts: int, commands: list[Approved]) -> None:
        """Move the trigger of a resting order."""
        order.moving, order.moved_ts, order.moved_after = trigger, ts, self.came_in
        self.journal.order(order)
        commands.append(self.gate.amend(order))

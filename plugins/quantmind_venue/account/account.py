"""The account: one API key's orders and positions, matched by the engine that backtests and paper trading use."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from quantmind.events import Amend, AmendRejected, Cancel, Cancelled, Mark, Market, Quote, Rejected
from quantmind.kinds import FUNDING, MARKS, QUOTES
from quantmind.simulation.fees import Fees
from quantmind.simulation.hosting import Hosting
from quantmind.simulation.terms import Terms
from quantmind_venue.account import algo_entry, entry
from quantmind_venue.account.algo_orders import AlgoOrder, AlgoOrders
from quantmind_venue.account.ledger import Ledger
from quantmind_venue.account.margin_call import MarginCall
from quantmind_venue.account.margins import Margins
from quantmind_venue.account.orders import Order, Orders
from quantmind_venue.account.outcomes import REASONS, Outcomes
from quantmind_venue.account.present import Present
from quantmind_venue.account.settings import LEVERAGE, Settings
from quantmind_venue.account.timers import Timers
from quantmind_venue.account.user_stream import UserStream
from quantmind_venue.api import parameters
from quantmind_venue.errors import VenueError
from quantmind_venue.figures import ZERO
from quantmind_venue.listing import Listed, Listing

if TYPE_CHECKING:
    from quantmind_venue.clock import Clock
    from quantmind_venue.market.board import Board
    from quantmind_venue.streaming.hub import Hub

FEES = Fees(Decimal("0.0002"), Decimal("0.0005"))
"""What a new account pays."""

_FIRST = 8_389_765_500_000
"""Ids of orders are of the size that a venue's are: clients must not keep them in 32 bits, or in floats."""
_UNKNOWN = "Unknown order sent."
_REFUSED = {"margin": -2019, "reduce_only": -2022}
_NOT_RECORDED = "The order will not be recorded in the order history"
_NO_ORDER = {
    "post_only": (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected. " + _NOT_RECORDED,
    ),
    "fok": (
        -5021,
        "Due to the order could not be filled immediately, the FOK order has been rejected. " + _NOT_RECORDED,
    ),
}


class AccountOptions(Protocol):
    """What an account needs to be told."""

    @property
    def balance(self) -> Decimal:
        """The balance it begins with."""


class Account:
    """Places, changes and cancels orders, and follows what the market makes of them."""

    def __init__(self, clock: Clock, listing: Listing, board: Board, hub: Hub, options: AccountOptions) -> None:
        self.clock = clock
        self.listing = listing
        self.board = board
        symbols = {listed.symbol: listed for listed in listing}
        channels = dict.fromkeys(symbols, frozenset({QUOTES, MARKS, FUNDING}))
        terms = Terms(fees=FEES, partial=True, leverage=Decimal(LEVERAGE))
        self.matching = Hosting(
            {symbol: listed.instrument for symbol, listed in symbols.items()}, channels, terms, options.balance
        )
        self.settings = Settings(self.matching)
        self.ledger = Ledger(options.balance, next(iter(symbols.values())).quote, clock.now())
        self.margins = Margins(self)
        self.orders = Orders()
        self.algos = AlgoOrders()
        self.timers = Timers(clock)
        self.stream = UserStream(clock, hub, self.timers)
        self.present = Present(board)
        self.outcomes = Outcomes(self)
        self._margin_call = MarginCall(self)
        self.seq = 0
        self._spellings = {symbol: listed.spelling for symbol, listed in symbols.items()}
        self._number = _FIRST
        for listed in symbols.values():
            self.matching.set_leverage(listed.symbol, Decimal(self.settings.leverage(listed)))
        board.listen(self.on_market)

    @property
    def updated(self) -> int:
        """When (ms) the wallet changed last."""
        return self.ledger.incomes[-1].time

    def by_symbol(self, symbol: str) -> Listed:
        """Return the contract of a unified symbol."""
        return self.listing[self._spellings[symbol]]

    def next_number(self) -> int:
        """Return the id of a new order."""
        self._number += 1
        return self._number

    def price_of(self, listed: Listed) -> Decimal | None:
        """Return the mark price of a contract, else the price that its position is valued at."""
        mark = self.board.mark(listed.symbol)
        return Decimal(repr(mark)) if mark else self.matching.valued(listed.symbol)

    def trigger_price(self, listed: Listed, buys: bool, working_type: str) -> Decimal | None:
        """Return the price that conditional orders of a side are held against."""
        if working_type == "MARK_PRICE":
            mark = self.board.mark(listed.symbol)
            return Decimal(repr(mark)) if mark else None
        best = self.present.best(listed.symbol, buys)
        return None if best is None else Decimal(repr(best))

    def on_market(self, seq: int, event: Market) -> None:
        """Match a market event."""
        self.seq = seq
        self.timers.check(self.clock.now())
        if isinstance(event, Quote):
            event = self.present.came(event)
        events = self.matching.on_market(seq, event)
        if events:
            self._tell(events)
        if event.__class__ is Mark:
            self._margin_call.check()

    def _tell(self, events: Any) -> None:
        before = {spelling for spelling, held in self.ledger.held.items() if held.quantity}
        self.outcomes.tell(events)
        for spelling, held in self.ledger.held.items():
            if held.quantity and spelling not in before:
                self._mark(held.listed)

    def _mark(self, listed: Listed) -> None:
        """Show the present mark price to a position that was just opened: the venue values it by that."""
        mark = self.board.mark(listed.symbol)
        if mark:
            self.outcomes.tell(self.matching.on_market(self.seq, Mark(listed.symbol, self.clock.ns(), mark)))

    def meet(self, listed: Listed, engine: str) -> None:
        """Let an order that was just triggered meet the present price."""
        present = self.present.of(listed)
        if present is not None:
            self.outcomes.tell(self.matching.show(engine, present))

    def place(self, sent: Mapping[str, str]) -> dict[str, Any]:
        """Place an order and return what is answered.

        Raises:
            VenueError: it is refused, and was never there.
        """
        order, submit = entry.order_of(self, sent)
        kind = parameters.optional(sent, "newOrderRespType", ("ACK", "RESULT"), "ACK")
        present = self.present.of(order.listed)
        if present is None and order.type == "MARKET":
            raise VenueError(-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit.")
        self.matching.submit(submit)
        events = self.matching.show(order.engine, present) if present is not None else ()
        self._refused(order, events)
        self.orders.add(order)
        self.outcomes.records[order.engine] = order
        if order.good_till:
            self.timers.at(("good till", order.id), order.good_till, lambda: self._till(order))
        self.stream.order(order, "NEW", order.time)
        answer = order.answer() if kind == "ACK" else None
        if events:
            self._tell(events)
        return answer or order.answer()

    def _refused(self, order: Order, events: Any) -> None:
        for event in events:
            if event.__class__ is Rejected and event.order == order.engine:
                raise VenueError(_REFUSED[event.reason], REASONS[event.reason])
            if event.__class__ is Cancelled and event.order == order.engine and event.reason in _NO_ORDER:
                raise VenueError(*_NO_ORDER[event.reason])

    def test(self, sent: Mapping[str, str]) -> dict[str, Any]:
        """Judge an order without placing it."""
        order, _ = entry.order_of(self, sent)
        zero = order.listed.price_text(ZERO)
        return order.answer() | {"activatePrice": zero, "priceRate": "0"}

    def place_algo(self, sent: Mapping[str, str]) -> dict[str, Any]:
        """Place a conditional order and return what is answered.

        Raises:
            VenueError: it is refused, and was never there.
        """
        algo, submit = algo_entry.algo_of(self, sent)
        self.matching.submit(submit)
        self.algos.add(algo)
        self.outcomes.records[algo.engine] = algo
        self.stream.algo(algo, algo.time)
        answer = algo.answer()
        self.meet(algo.listed, algo.engine)
        return answer

    def amend(self, sent: Mapping[str, str]) -> dict[str, Any]:
        """Change price and quantity of a limit order and return what is answered.

        Raises:
            VenueError: it cannot be changed so; it stays as it was. One that finds no margin any more has ended.
        """
        order, quantity, price = entry.amendment_of(self, sent)
        now = self.clock.now()
        before = {"price": order.price_text, "origQty": order.listed.quantity_text(order.quantity)}
        if quantity <= order.filled:
            self.withdraw(order)
            return order.amended()
        events = [*self.matching.amend(Amend(order.engine, order.listed.symbol, 0, quantity, price, after=self.seq))]
        present = self.present.of(order.listed)
        if present is not None:
            events += self.matching.show(order.engine, present)
        refused = next((event.reason for event in events if isinstance(event, AmendRejected)), "")
        if not refused:
            order.quantity, order.price, order.update_time = quantity, price, now
            after = {"price": order.price_text, "origQty": order.listed.quantity_text(order.quantity)}
            order.amendments.append({"number": self.next_number(), "time": now, "before": before, "after": after})
            order.modification = parameters.integer(sent, "modifyId")
            self.stream.order(order, "AMENDMENT", now)
        self._tell(events)
        if refused:
            raise VenueError(-1000, f"The order stays as it was: {refused}.")
        self._refused(order, [event for event in events if event.__class__ is Rejected])
        return order.amended()

    def cancel(self, sent: Mapping[str, str]) -> dict[str, Any]:
        """Cancel an order and return what is answered."""
        order = self.known(sent, -2011, _UNKNOWN)
        if not order.open:
            raise VenueError(-2011, _UNKNOWN)
        self.withdraw(order)
        return order.answer()

    def known(self, sent: Mapping[str, str], code: int, words: str) -> Order:
        """Return the order that is meant."""
        spelling = self.listing[parameters.text(sent, "symbol")].spelling
        return self.orders.known(
            spelling, parameters.integer(sent, "orderId"), sent.get("origClientOrderId"), code, words
        )

    def withdraw(self, order: Order) -> None:
        """Take back what is left of an order."""
        self.outcomes.tell(self.matching.cancel(Cancel(order.engine, order.listed.symbol, 0, self.seq)))

    def _till(self, order: Order) -> None:
        self.matching.cancel(Cancel(order.engine, order.listed.symbol, 0, self.seq))
        self.outcomes.tell((Cancelled(order.engine, 0, "good_till"),))

    def withdraw_all(self, spelling: str) -> None:
        """Take back all orders of a contract; conditional ones stay."""
        for order in self.orders.of(spelling):
            self.withdraw(order)

    def withdraw_algo(self, algo: AlgoOrder) -> None:
        """Take back a conditional order."""
        self.outcomes.tell(self.matching.cancel(Cancel(algo.engine, algo.listed.symbol, 0, self.seq)))

    def flat(self, spelling: str) -> None:
        """Let conditional orders expire that were good while there was a position."""
        listed = self.listing[spelling]
        if self.ledger.position(listed).quantity:
            return
        for algo in self.algos.of(spelling):
            if algo.time_in_force == "GTE_GTC":
                self.matching.cancel(Cancel(algo.engine, listed.symbol, 0, self.seq))
                self.outcomes.expired(algo, "the position was closed")

    def countdown(self, spelling: str, ms: int) -> None:
        """Take back all orders of a contract when this time has gone by; 0 calls it off."""
        if ms:
            self.timers.at(("countdown", spelling), self.clock.now() + ms, lambda: self.withdraw_all(spelling))
        else:
            self.timers.cancel(("countdown", spelling))

    def inject(self, kind: str, **arguments: Any) -> None:
        """Let something happen to the account.

        Raises:
            ValueError: there is no such thing, or it cannot happen now.
        """
        from quantmind_venue.account.tampering import tamper

        tamper(self, kind, arguments)

"""The status of an account: what it holds, what rests and works, what it is worth, and what has stopped it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Self

import msgspec

from quantmind.control.streams import StreamRow, VenueRow, by_name, streams, venues
from quantmind.events import Fill, Funding, Latch, OrderState, Purpose, Side, Valuation
from quantmind.export.lines import money
from quantmind.kinds.moment import format_moment
from quantmind.ledger.accounts import Account
from quantmind.ledger.positions import Position
from quantmind.ledger.sub_positions import SubPositions
from quantmind.pipeline.executing import Executing
from quantmind.trader.desk import Desk
from quantmind.trader.journal_reader import JournalReader, Progress
from quantmind.trader.orders import Order
from quantmind.trader.restart import cleared

_ZERO = Decimal(0)


class Latched(msgspec.Struct, frozen=True):
    """A latch that is set: how strong it is, which figure broke which limit, since when."""

    name: str
    level: str
    figures: str
    since: int


class SubPosition(msgspec.Struct, frozen=True):
    """What of a position is one strategy's."""

    quantity: Decimal
    average_price: Decimal
    realised: Decimal


class Held(msgspec.Struct, frozen=True):
    """A position, valued at `price`, the last mark, else the last price, and what rests to close it."""

    symbol: str
    quantity: Decimal
    average_price: Decimal
    price: float | None
    unrealised: Decimal
    stop: Decimal | None
    take_profit: Decimal | None
    strategies: Mapping[str, SubPosition]


class OpenOrder(msgspec.Struct, frozen=True):
    """An order that is not done."""

    id: str
    symbol: str
    side: Side
    type: str
    quantity: Decimal
    filled: Decimal
    price: Decimal | None
    trigger: Decimal | None
    purpose: Purpose
    state: OrderState


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """An account at one moment; money in the settlement currency, times in ns UTC.

    `ts` is the time of the last event, and 0 before one; of a stopped account, the last time on record, at whose
    prices it is valued. `drawdown` is the largest fall of the equity from its peak since the account began, as a
    part of it; of a stopped account, by the valuations on record and this one. `pending` has the latches that were
    cleared since it stopped: those limits begin anew at the next start. `ailing` says what keeps a running account
    from entering positions; `streams` and `venues` have what its feeds count.
    """

    account: str
    run: str
    running: bool
    pid: int | None
    ready: bool
    seq: int
    ts: int
    balance: Decimal
    wallet: Decimal
    equity: Decimal
    drawdown: float
    latches: tuple[Latched, ...]
    pending: tuple[str, ...]
    positions: tuple[Held, ...]
    orders: tuple[OpenOrder, ...]
    counts: Mapping[str, int]
    refusals: Mapping[str, int]
    figures: Mapping[str, float]
    ailing: tuple[str, ...] = ()
    streams: tuple[StreamRow, ...] = ()
    venues: tuple[VenueRow, ...] = ()

    @classmethod
    def of(cls, executing: Executing, account: str, run: str) -> Self:
        """Look at an account that is traded in this process."""
        trader, market = executing.trader, by_name(executing.market_figures())
        desks = [holding for holding in trader.books.holdings.values() if isinstance(holding, Desk)]
        orders = [order for desk in desks for order in (*desk.orders.values(), *desk.protective.values())]
        return cls(
            account=account,
            run=run,
            running=True,
            pid=os.getpid(),
            ready=trader.ready,
            seq=trader.chronicle.seq,
            ts=trader.now,
            balance=trader.account.started_with,
            wallet=trader.account.wallet,
            equity=trader.equity(),
            drawdown=trader.books.fall,
            latches=_latched(trader.latches.set.values()),
            pending=(),
            positions=_held(((d.instrument.symbol, d.position, d.subs, d.value_price) for d in desks), orders),
            orders=_open(orders),
            counts=dict(trader.chronicle.counts),
            refusals=dict(sorted(trader.chronicle.refusals.items())),
            figures=executing.figures,
            ailing=tuple(executing.ailing()),
            streams=streams(market),
            venues=venues(market),
        )

    @classmethod
    def read(cls, journal: JournalReader, run: str) -> Self:
        """Read what is on record of an account that nobody trades now."""
        past = _Past(journal)
        progress = journal.progress() or Progress()
        latches, orders = journal.latches().values(), journal.open_orders()
        positions = [(s, p, past.subs[s], past.prices.get(s)) for s, p in past.account.positions.items()]
        held = _held(positions, orders)
        past.value(equity := past.account.wallet + sum((position.unrealised for position in held), _ZERO))
        return cls(
            account=journal.account,
            run=run,
            running=False,
            pid=None,
            ready=all(order.acknowledged for order in orders),
            seq=progress.seq,
            ts=max([past.ts, *(order.trail[-1].ts for order in orders), *(latch.ts for latch in latches)]),
            balance=past.account.started_with,
            wallet=past.account.wallet,
            equity=equity,
            drawdown=past.fall,
            latches=_latched(latches),
            pending=tuple(cleared(journal.states())),
            positions=held,
            orders=_open(orders),
            counts=journal.counts(),
            refusals=dict(sorted(journal.refusal_counts().items())),
            figures={},
        )

    def lines(self) -> Iterator[str]:
        """Return it as lines for a person."""
        state = f"running as process {self.pid}" if self.running else "stopped"
        ready = "" if self.ready or not self.running else ", waiting to learn what became of its orders"
        yield f"account   {self.account}{f', run {self.run}' if self.run else ''}: {state}{ready}"
        when = "" if self.running else "the last on record at "
        yield f"event     {self.seq:,}{f', {when}{format_moment(self.ts)}' if self.ts else ''}"
        yield f"equity    {self.equity:,.4f}, wallet {self.wallet:,.4f}, began with {self.balance:,.4f}"
        yield f"drawdown  {self.drawdown:.2%}"
        for reason in self.ailing:
            yield f"ailing    {reason}"
        for latch in self.latches:
            yield f"latched   {latch.name} ({latch.level}) since {_moment(latch.since)}: {latch.figures}"
        for name in self.pending:
            yield f"cleared   {name}; it takes effect at the next start"
        for held in self.positions:
            yield from _position_lines(held)
        if not self.positions:
            yield "position  flat"
        for order in self.orders:
            at = order.price if order.trigger is None else order.trigger
            yield (
                f"order     {order.side} {order.quantity:f} {order.symbol} {order.type}"
                f"{f' at {at:f}' if at is not None else ''}, filled {order.filled:f}, {order.state}, a {order.purpose}"
            )
        yield "counts    " + ", ".join(f"{name} {count:,}" for name, count in self.counts.items())
        for code, count in self.refusals.items():
            yield f"refused   {code} {count:,}"
        for name, figure in self.figures.items():
            yield f"figure    {name} {figure:g}"


class _Past:
    """What the money on record adds up to."""

    def __init__(self, journal: JournalReader) -> None:
        facts = list(money(journal))
        symbols = sorted({fact.symbol for fact in facts if not isinstance(fact, Valuation)})
        self.account = Account(Decimal(journal.balance), symbols)
        # The step matters where a fill is divided; here that is on record.
        self.subs = {symbol: SubPositions((), Decimal(1)) for symbol in symbols}
        self.prices: dict[str, float] = {}
        self.ts = 0
        self.fall = 0.0
        self._peak = float(self.account.wallet)
        for fact in facts:
            self.ts = max(self.ts, fact.ts)
            if isinstance(fact, Valuation):
                self.prices.update(fact.prices)
                self.value(fact.equity)
                continue
            self.subs[fact.symbol].book(fact)
            if isinstance(fact, Fill):
                signed = fact.quantity if fact.side == "buy" else -fact.quantity
                self.account.fill(fact.symbol, signed, fact.price, fact.fee)
                self.prices[fact.symbol] = float(fact.price)
            elif isinstance(fact, Funding):
                self.account.fund(fact.symbol, fact.amount)
                self.prices[fact.symbol] = float(fact.mark)

    def value(self, equity: Decimal) -> None:
        """Take note of how far an equity is below its peak."""
        self._peak = max(self._peak, float(equity))
        self.fall = max(self.fall, 1.0 - float(equity) / self._peak)


def _held(
    positions: Iterable[tuple[str, Position, SubPositions, float | None]], orders: Sequence[Order]
) -> tuple[Held, ...]:
    """Describe what is held, by the net or by a strategy."""
    described = []
    for symbol, position, subs, price in positions:
        strategies = {
            strategy: SubPosition(sub.quantity, sub.average_price, sub.realised)
            for strategy, sub in subs.positions.items()
            if sub.quantity
        }
        if not position.quantity and not strategies:
            continue
        unrealised = _ZERO
        if price is not None:
            unrealised = position.quantity * Decimal(repr(price)) - position.cost
        described.append(
            Held(
                symbol,
                position.quantity,
                position.average_price,
                price,
                unrealised,
                _resting(symbol, orders, stop=True),
                _resting(symbol, orders, stop=False),
                strategies,
            )
        )
    return tuple(described)


def _resting(symbol: str, orders: Iterable[Order], *, stop: bool) -> Decimal | None:
    """Return the trigger of the stop, or the take-profit, of a position, unless it is being taken back."""
    for order in orders:
        ours = order.symbol == symbol and order.protective and (order.purpose == "stop") == stop
        if ours and order.state is not OrderState.CANCELLING:
            return order.trigger
    return None


def _latched(latches: Iterable[Latch]) -> tuple[Latched, ...]:
    return tuple(Latched(latch.name, latch.level, latch.figures, latch.ts) for latch in latches if latch.level)


def _open(orders: Iterable[Order]) -> tuple[OpenOrder, ...]:
    return tuple(
        OpenOrder(
            order.id,
            order.symbol,
            order.side,
            order.order_type,
            order.quantity,
            order.filled,
            order.price,
            order.trigger,
            order.purpose,
            order.state,
        )
        for order in sorted(orders, key=lambda order: (order.epoch, order.seq, order.n))
    )


def _position_lines(held: Held) -> Iterator[str]:
    stop = "no stop" if held.stop is None else f"stop {held.stop:f}"
    take_profit = "no take-profit" if held.take_profit is None else f"take-profit {held.take_profit:f}"
    yield (
        f"position  {held.quantity:f} {held.symbol} at {_price(held.average_price)}, unrealised "
        f"{held.unrealised:+,.4f}, {stop}, {take_profit}"
    )
    for strategy, sub in held.strategies.items():
        yield f"            {sub.quantity:f} of {strategy} at {_price(sub.average_price)}"


def _price(value: Decimal) -> str:
    """Write a price with four decimals, a small one with six digits."""
    return f"{value:,.{max(4, 5 - value.adjusted()) if value else 4}f}"


def _moment(ts: int) -> str:
    return format_moment(ts) if ts else "before the first event"

"""The promises of executors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from quantmind.events import Absent, Accepted, Amend, AmendRejected, Cancel, CancelRejected, Market, OrderEvent, Query
from quantmind.kinds import BOOKS, FUNDING, MARKS, QUOTES, TRADES, Channel, Executor, Options
from quantmind.kinds import bars as bars_of
from quantmind.testing.examples import MINUTE, amounts, markets
from quantmind.testing.proving.dealing import Dealing, Wish
from quantmind.testing.proving.drawing import Examples, hypothesis
from quantmind.testing.proving.promise import Check, LeftOut, expect, keep
from quantmind.testing.proving.reach import watched
from quantmind.testing.proving.walk import Segment, walk

_OFFERS = (
    frozenset({QUOTES, TRADES, MARKS, FUNDING}),
    frozenset({TRADES, MARKS}),
    frozenset({bars_of(MINUTE), FUNDING}),
    frozenset({BOOKS, MARKS}),
)
"""What feeds may offer: an executor fills by what it wants of it."""

_PLACE = ("submit", "amend", "cancel", "query")


class ExecutorSubject:
    """What makes the executor under test, and the dealings it is tried on."""

    def __init__(self, make: Callable[[], Executor[Any]], examples: int = 100) -> None:
        self.make = make
        one = make()
        self.kind = type(one)
        self.options: Options = one.options
        self.symbols = list(one.instruments)
        self._examples = Examples(self._cases, examples)

    def wants(self, offered: frozenset[Channel]) -> frozenset[Channel]:
        """What it wants of an offer."""
        return self.kind.wants(self.options, offered)

    def dealing(self, channels: frozenset[Channel], *, lazy: bool = False) -> Dealing:
        """Begin a dealing with a new one."""
        self.expect_simulated()
        return Dealing(self.make(), dict.fromkeys(self.symbols, channels), lazy=lazy)

    def each(self, test: Callable[[_Case], None]) -> None:
        """Try it on every dealing."""
        self.expect_simulated()
        self._examples.each(test)

    def lively(self) -> tuple[frozenset[Channel], tuple[Market, ...]]:
        """Return channels that it wants, and a lively market of them."""
        self.expect_simulated()
        channels = next((wanted for offer in _OFFERS if (wanted := self.wants(offer))), frozenset[Channel]())
        expect(bool(channels), "it wants nothing of what feeds offer: it could fill no order")
        segments = [Segment(80, drift, 0.002, False, 0) for drift in (0.002, -0.004, 0.003)]
        return channels, walk(self.symbols, channels, segments=segments, price=50_000.0, seed=11, most=240)

    def expect_simulated(self) -> None:
        """Leave out what can be checked without a venue only."""
        if not self.kind.simulated:
            raise LeftOut("it trades at a venue: only its own tests can say")

    def _cases(self) -> Any:
        st = hypothesis()
        wanted = [wanted for offer in _OFFERS if (wanted := self.wants(offer))]
        wish = st.builds(
            Wish,
            st.integers(0, 200),
            st.sampled_from(["submit", "submit", "submit", "amend", "cancel", "query"]),
            symbol=st.integers(0, 1),
            side=st.sampled_from(["buy", "sell"]),
            quantity=amounts("0.001", "0.2", 3).filter(bool),
            order_type=st.sampled_from(["market", "market", "limit", "stop_market"]),
            off=st.integers(-300, 300),
            reduce_only=st.sampled_from([False, False, True]),
            close_position=st.sampled_from([False, False, False, True]),
            time_in_force=st.sampled_from(["gtc", "gtc", "gtx", "ioc", "fok"]),
        )
        return st.one_of(
            *(
                st.builds(
                    _Case,
                    st.just(channels),
                    markets(self.symbols, sorted(channels), most=60).filter(bool),
                    st.lists(wish, min_size=1, max_size=16).map(tuple),
                )
                for channels in wanted
            )
        )


class _Case(msgspec.Struct, frozen=True):
    channels: frozenset[Channel]
    market: tuple[Market, ...]
    wishes: tuple[Wish, ...]


def check_executor(executor: Executor[Any] | Callable[[], Executor[Any]], *, examples: int = 100) -> None:
    """Check an executor, or what makes one.

    The account's key and what it wants are pure. One that is `simulated` is given drawn orders on drawn markets: it
    answers with what can be true of them, in the order of their lives; fills nothing by the event it was decided on or
    by an earlier price, nothing twice, and no more than was ordered; what only reduces never increases; it says what
    became of an order; it need not be shown events while `waiting` is empty; and it goes on after a restart as without
    one. Of one that trades at a venue it is seen that it has what the pipeline calls.

        check_executor(Replayed(ReplayedOptions(fee="0.0004"), tuple(KNOWN.values())))

    Raises:
        AssertionError: a promise is broken; says which, and what was seen.
        ImportError: hypothesis is not installed.
    """
    make = (
        partial(type(executor), executor.options, tuple(executor.instruments.values()))
        if isinstance(executor, Executor)
        else executor
    )
    keep(make().name, PROMISES, ExecutorSubject(make, examples))


def _pure(subject: ExecutorSubject) -> None:
    kind, options = subject.kind, subject.options
    with watched() as reach:
        key: object = kind.account(options)
        same = kind.account(options) == key
        for offered in _OFFERS:
            wanted = subject.wants(offered)
            expect(isinstance(wanted, frozenset), f"wants answers a frozenset of channels, was {wanted!r}")
            expect(wanted <= offered, f"of {_names(offered)} it wants {_names(wanted - offered)}")
            expect(subject.wants(offered) == wanted, "asked twice, wants changed its answer")
        expect(not subject.wants(frozenset()), "where nothing is offered, it wants something")
    if not isinstance(key, str):
        raise AssertionError(f"the key of an account is a text, was {key!r}")  # noqa: TRY004 - a check has failed
    plain = bool(key) and not key.startswith(".") and all(c.isalnum() or c in "-_." for c in key)
    expect(plain, f"the key of an account names a folder: letters, digits, - and _, was {key!r}")
    expect(same, "asked twice, account changed its answer: its journal and its lock would be lost")
    expect(not reach.beyond, f"they are for lint, which opens nothing, but {', '.join(reach.beyond)}")


def _balance(subject: ExecutorSubject) -> None:
    balance: object = subject.make().balance
    sound = isinstance(balance, Decimal) and balance.is_finite() and balance >= 0
    expect(sound, f"a balance is a Decimal not below 0, was {balance!r}")


def _complete(subject: ExecutorSubject) -> None:
    wanted = ["submit", "amend", "cancel", "query", "on_market" if subject.kind.simulated else "listen"]
    missing = [name for name in wanted if getattr(subject.kind, name) is getattr(Executor, name)]
    if "on_market" in missing and "on_market" in vars(_prepared(subject)):
        missing.remove("on_market")
    expect(not missing, f"it has no {', no '.join(missing)}")


def _prepared(subject: ExecutorSubject) -> Executor[Any]:
    executor = subject.make()
    executor.prepare(dict.fromkeys(subject.symbols, subject.wants(_OFFERS[0])))
    return executor


def _answers(subject: ExecutorSubject) -> None:
    def test(case: _Case) -> None:
        subject.dealing(case.channels).run(case.market, case.wishes)

    subject.each(test)


def _fills(subject: ExecutorSubject) -> None:
    channels, market = subject.lively()
    dealing = subject.dealing(channels)
    dealing.run(market[: len(market) // 2], [Wish(10, "submit")])
    placed = list(dealing.orders.values())
    expect(bool(placed) and (placed[0].accepted or placed[0].ended is not None), "a market order was not answered")
    done = placed[0].ended is not None or placed[0].filled == placed[0].quantity
    expect(done, f"a market order of {placed[0].quantity} was filled to {placed[0].filled} in a lively market")


def _closes(subject: ExecutorSubject) -> None:
    channels, market = subject.lively()
    dealing = subject.dealing(channels)
    symbol = subject.symbols[0]
    stop = Wish(60, "submit", order_type="stop_market", off=5, close_position=True)
    dealing.run(market, [Wish(10, "submit"), stop])
    stops = [order for order in dealing.orders.values() if order.command.close_position]
    if stops and stops[0].filled:
        position = dealing.position(symbol)
        expect(not position, f"a stop that closes the position left {position}")
    else:
        left = dealing.position(symbol)
        expect(not left, f"the price went through a stop, and {left} is still held")


def _knows(subject: ExecutorSubject) -> None:
    channels, market = subject.lively()
    dealing = subject.dealing(channels)
    for event in market[:20]:
        dealing.show(event)
    executor, symbol, ts = dealing.executor, subject.symbols[0], dealing.ts
    unknown, seq = "nobody's", dealing.seq
    asked: tuple[tuple[str, type[Any], Sequence[OrderEvent]], ...] = (
        ("query", Absent, executor.query(Query(unknown, symbol))),
        ("cancel", CancelRejected, executor.cancel(Cancel(unknown, symbol, ts, seq))),
        ("amend", AmendRejected, executor.amend(Amend(unknown, symbol, ts, price=Decimal(1), after=seq))),
    )
    for what, wanted, answer in asked:
        kinds = [type(event).__name__ for event in answer]
        expect(kinds == [wanted.__name__], f"{what} of an order that it never had is {wanted.__name__}, was {kinds}")
    order = dealing.do(Wish(0, "submit", order_type="limit", side="buy", off=-100_000))
    if dealing.orders[order].ended is None:
        told = list(executor.query(Query(order, symbol)))
        expect([type(event) for event in told] == [Accepted], f"query of an open order is Accepted, was {told}")


def _once(subject: ExecutorSubject) -> None:
    channels, market = subject.lively()
    dealing = subject.dealing(channels)
    half = len(market) // 2
    for event in market[:20]:
        dealing.show(event)
    order = dealing.do(Wish(0, "submit"))
    # A connection broke, and nobody knows whether the order arrived: it is sent again.
    dealing.take(dealing.executor.submit(dealing.orders[order].command))
    for event in market[20:half]:
        dealing.show(event)
    placed = dealing.orders[order]
    expect(placed.filled <= placed.quantity, f"an order that was sent twice is one, but it filled {placed.filled}")


def _steady(subject: ExecutorSubject) -> None:
    def test(case: _Case) -> None:
        first, second = subject.dealing(case.channels), subject.dealing(case.channels)
        first.run(case.market, case.wishes)
        second.run(case.market, case.wishes)
        _expect_same(first.told, second.told, "the second time")

    subject.each(test)


def _waits(subject: ExecutorSubject) -> None:
    def test(case: _Case) -> None:
        first, second = subject.dealing(case.channels), subject.dealing(case.channels, lazy=True)
        # What became of an order that is over, an executor may forget as time passes.
        wishes = [wish for wish in case.wishes if wish.what != "query"]
        first.run(case.market, wishes)
        second.run(case.market, wishes)
        _expect_same(first.told, second.told, "shown events only while waiting is not empty")

    subject.each(test)


def _restarts(subject: ExecutorSubject) -> None:
    channels, market = subject.lively()
    place, half = 10, len(market) // 2
    for wish in (
        Wish(place, "submit", order_type="limit", side="buy", off=-200),
        Wish(place * 4, "submit", order_type="stop_market", off=2_000, close_position=True),
    ):
        wishes: Sequence[Wish] = [wish] if wish.order_type == "limit" else [Wish(place, "submit"), wish]
        told = []
        for restarts in (False, True):
            dealing = subject.dealing(channels)
            dealing.run(market[:half], wishes)
            before = len(dealing.told)
            if restarts:
                dealing.restart(subject.make())
            for event in market[half:]:
                dealing.show(event)
            told.append([(type(event).__name__, *_essence(event)) for event in dealing.told[before:]])
        expect(told[0] == told[1], f"without a restart it tells {told[0]}, and with one {told[1]}")


def _essence(event: Any) -> tuple[Any, ...]:
    """What of an event a restart must not change: ids of executions may go on otherwise."""
    return tuple(getattr(event, name, None) for name in ("order", "ts", "price", "quantity", "fee"))


PROMISES: tuple[Check[ExecutorSubject], ...] = (
    Check("answers its account and what it wants the same when asked twice, and opens nothing", _pure),
    Check("begins with a balance that is not below 0", _balance),
    Check("has every method that the pipeline calls", _complete),
    Check("answers with what can be true of its orders, and fills none by the event it was decided on", _answers),
    Check("fills a market order once it has reached the venue", _fills),
    Check("closes the position by a stop that says so, whole", _closes),
    Check("knows which orders it has", _knows),
    Check("takes an order that is sent twice once", _once),
    Check("answers the same to the same market and orders", _steady),
    Check("misses nothing while `waiting` is empty", _waits),
    Check("goes on after a restart as without one", _restarts),
)
"""What every executor promises."""


def _names(channels: frozenset[Channel]) -> str:
    return ", ".join(str(channel) for channel in sorted(channels)) or "nothing"


def _expect_same(first: Sequence[Any], second: Sequence[Any], when: str) -> None:
    for one, two in zip(first, second, strict=False):
        expect(one == two, f"it told {one}, and {when} {two}")
    expect(len(first) == len(second), f"it told {len(first)} things, and {when} {len(second)}")

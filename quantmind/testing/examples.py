"""Examples to test with: hypothesis strategies of market events, signals, accounts and facts; an event of each type.

Every strategy of market events draws a tuple of events in order of time, as a feed would give them: prices are whole
ticks and sizes whole steps of the instrument, a quote's bid is below its ask, a bar's high and low hold its open and
close, and a bar opens where the last one closed. Prices are in quote and sizes in base currency, times in ns UTC; the
first event comes after `START`. Markets are calm, wild, flat to the last digit, or stop for a while, and may be empty.

    from hypothesis import given
    from quantmind.testing import examples

    @given(examples.bars("BTC/USDT:USDT", 60_000_000_000))
    def test_it_is_silent_in_a_flat_market(history): ...

They need hypothesis (`pip install hypothesis`), and raise an ImportError that says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from quantmind.events import (
    Bar,
    Book,
    Fact,
    Fill,
    Funding,
    FundingRate,
    Latch,
    Mark,
    Market,
    OrderState,
    OrderUpdate,
    Part,
    Quote,
    Refusal,
    Share,
    Side,
    Signal,
    Target,
    Ticker,
    Trade,
    Transfer,
    Valuation,
)
from quantmind.events.names import EventName
from quantmind.kinds import BOOKS, FUNDING, MARKS, QUOTES, TICKERS, TRADES, Channel, Lot, Standing
from quantmind.kinds import bars as bars_of
from quantmind.market.instruments import KNOWN, Instrument
from quantmind.testing.proving.drawing import hypothesis
from quantmind.testing.proving.walk import START, Segment, walk

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = [
    "BTC",
    "ETH",
    "MINUTE",
    "START",
    "accounts",
    "amounts",
    "bars",
    "books",
    "facts",
    "funding",
    "markets",
    "marks",
    "one_of_each",
    "quotes",
    "signals",
    "tickers",
    "trades",
]

BTC, ETH = KNOWN
"""The symbols of the instruments that need no description."""

MINUTE = 60_000_000_000
"""In ns."""


def markets(
    symbols: Sequence[str], channels: Sequence[Channel], *, most: int = 200
) -> SearchStrategy[tuple[Market, ...]]:
    """Draw the market of several symbols: events of these channels of each, mixed, in the order a feed gives them.

    They walk at most `most` steps. With bars a step is as long as the longest interval that divides all of theirs, else
    a second; of each symbol it has a quote, two trades, a book, a mark price, a ticker and what bars close. Funding is
    settled each 8 hours: markets with that channel stop for 8 hours now and then.
    """
    st = hypothesis()
    segment = st.builds(
        Segment,
        steps=st.integers(1, max(most, 1)),
        drift=st.sampled_from([0.0, 0.0, 0.0005, -0.0005, 0.01, -0.01]),
        volatility=st.sampled_from([0.0005, 0.0, 0.002, 0.02]),
        idle=st.booleans(),
        gap=st.sampled_from([0, 0, 1, 3]),
    )
    drawn: SearchStrategy[tuple[Market, ...]] = st.builds(
        walk,
        st.just(tuple(symbols)),
        st.just(frozenset(channels)),
        segments=st.lists(segment, max_size=4).map(tuple),
        price=st.floats(10.0, 90_000.0),
        seed=st.integers(0, 2**32 - 1),
        most=st.just(most),
    )
    return drawn


def quotes(symbol: str = BTC, *, most: int = 100) -> SearchStrategy[tuple[Market, ...]]:
    """Draw quotes of a symbol in order of time, one a second, `most` at the most."""
    return markets([symbol], [QUOTES], most=most)


def trades(symbol: str = BTC, *, most: int = 100) -> SearchStrategy[tuple[Market, ...]]:
    """Draw trades of a symbol in order of time, up to two a second, for `most` seconds at the most."""
    return markets([symbol], [TRADES], most=most)


def bars(symbol: str = BTC, interval: int = MINUTE, *, most: int = 100) -> SearchStrategy[tuple[Market, ...]]:
    """Draw bars of `interval` ns of a symbol in order of time, `most` at the most; some have no volume."""
    return markets([symbol], [bars_of(interval)], most=most)


def marks(symbol: str = BTC, *, most: int = 100) -> SearchStrategy[tuple[Market, ...]]:
    """Draw mark prices of a symbol in order of time, one a second, `most` at the most."""
    return markets([symbol], [MARKS], most=most)


def funding(symbol: str = BTC, *, most: int = 20) -> SearchStrategy[tuple[Market, ...]]:
    """Draw funding rates of a symbol in order of time, one each 8 hours, `most` at the most."""
    return markets([symbol], [FUNDING], most=most)


def books(symbol: str = BTC, *, most: int = 50) -> SearchStrategy[tuple[Market, ...]]:
    """Draw order books of a symbol in order of time, of up to five levels, one a second, `most` at the most."""
    return markets([symbol], [BOOKS], most=most)


def tickers(symbol: str = BTC, *, most: int = 50) -> SearchStrategy[tuple[Market, ...]]:
    """Draw tickers of a symbol in order of time, one a second, `most` at the most."""
    return markets([symbol], [TICKERS], most=most)


def signals(strategies: Mapping[str, Sequence[str]], *, most: int = 20) -> SearchStrategy[tuple[Signal, ...]]:
    """Draw signals in order of time: of `strategies`, their ids by symbol, in any order.

    Directions are in [-1, 1], confidences in [0, 1].
    """
    st = hypothesis()
    pairs = [(symbol, strategy) for symbol, ids in strategies.items() for strategy in ids]

    def made(said: list[tuple[tuple[str, str], float, float]]) -> tuple[Signal, ...]:
        return tuple(
            Signal(symbol, strategy, direction, confidence, START + number, f"s1-{number}-1", f"1-{number}")
            for number, ((symbol, strategy), direction, confidence) in enumerate(said, 1)
        )

    directions = st.one_of(st.sampled_from([1.0, 0.0, -1.0]), st.floats(-1.0, 1.0))
    confidences = st.one_of(st.just(1.0), st.floats(0.0, 1.0))
    said = st.lists(st.tuples(st.sampled_from(pairs), directions, confidences), max_size=most)
    drawn: SearchStrategy[tuple[Signal, ...]] = st.builds(made, said)
    return drawn


def amounts(low: str, high: str, places: int) -> SearchStrategy[Decimal]:
    """Draw Decimals of so many places."""
    drawn: SearchStrategy[Decimal] = hypothesis().decimals(
        low, high, places=places, allow_nan=False, allow_infinity=False
    )
    return drawn


def accounts() -> SearchStrategy[Standing]:
    """Draw the standing of an account with a position, or none, in each known instrument; it may be in debt."""
    st = hypothesis()

    def lot(instrument: Instrument, quantity: Decimal, price: Decimal, drift: Decimal, working: int) -> Lot:
        notional = quantity * price
        return Lot(instrument, quantity, quantity * price * (1 + drift), float(price), abs(notional), notional, working)

    def standing(wallet: Decimal, lots: tuple[Lot, ...], after: int) -> Standing:
        return Standing(wallet, lots, START + after)

    lots = [
        st.builds(
            lot,
            st.just(instrument),
            st.one_of(st.just(Decimal(0)), amounts("-5", "5", 3)),
            amounts("1000", "90000", 1),
            amounts("-0.2", "0.2", 3),
            st.integers(0, 4),
        )
        for instrument in KNOWN.values()
    ]
    drawn: SearchStrategy[Standing] = st.builds(
        standing, amounts("-5000", "200000", 2), st.tuples(*lots), st.integers(0, 3 * 10**14)
    )
    return drawn


def facts() -> SearchStrategy[tuple[Fact, ...]]:
    """Draw what an account may have done, in order of time: orders made, and round trips of the first instrument."""
    st = hypothesis()
    symbol = BTC

    def order(number: int, ts: int, side: Side) -> OrderUpdate:
        return OrderUpdate(
            number, f"o{number}", symbol, side, Decimal(1), Decimal(0), False, OrderState.INTENT, ts, "t"
        )

    def fill(number: int, ts: int, side: Side, position: str, result: Decimal) -> Fill:
        price, fee = Decimal(50_000), Decimal(25)
        return Fill(
            number, f"f{number}", f"o{number}", symbol, side, Decimal(1), price, fee, result, Decimal(position), price,
            ts, "t", f"x{number}",
        )  # fmt: skip

    def story(trips: list[tuple[int, Decimal]]) -> tuple[Fact, ...]:
        made: list[Fact] = []
        ts = START
        for index, (gap, result) in enumerate(trips):
            ts += gap
            number = index * 4
            made += [order(number + 1, ts, "buy"), fill(number + 2, ts, "buy", "1", Decimal(0))]
            made += [order(number + 3, ts, "sell"), fill(number + 4, ts, "sell", "0", result)]
        return tuple(made)

    drawn: SearchStrategy[tuple[Fact, ...]] = st.builds(
        story, st.lists(st.tuples(st.integers(0, 10**12), amounts("-500", "500", 2)), max_size=6)
    )
    return drawn


def one_of_each(ts: int = START, *, number: int = 1) -> dict[EventName, Any]:
    """Return an event of each type that a sink may want, by its name, with small and large figures.

    Their time is `ts` (ns UTC), and their facts are numbered from `number` on.
    """
    d = Decimal
    n = number - 1
    return {
        "signal": Signal(BTC, "trend", 1.0, 0.42, ts, "s1", "1-2"),
        "target": Target(BTC, d("0.21"), (Share("trend", d("0.21")),), ts, "t1", "s1"),
        "order": OrderUpdate(n + 1, "o1", BTC, "buy", d("0.100"), d(0), False, OrderState.ACCEPTED, ts, "t1"),
        "fill": Fill(
            n + 2, "f1", "o1", BTC, "buy", d("0.100"), d("50012.3"), d("2.5006150"), d(0), d("0.100"),
            d("5.00123E+4"), ts, "t1", "x1", True, (Part("trend", d("0.100"), d(0), d("2.5006150")),),
        ),
        "transfer": Transfer(
            n + 4, "x1", BTC, d("50012.25"),
            (Part("trend", d("0.1"), d(0)), Part("reversion", d("-0.1"), d("1E-8"))), ts, "t1",
        ),
        "funding": Funding(
            n + 5, "u1", BTC, d("0.0001"), d(50500), d("0.4"), d("-2.02"),
            (Part("trend", d("0.4"), d("-2.02")),), ts, "1-2", "e1",
        ),
        "latch": Latch(n + 6, "drawdown", "flatten", "drawdown 0.1008 >= 0.1", ts, "1-2"),
        "valuation": Valuation(n + 7, ts, d("10000.5"), ((BTC, 50012.25),)),
        "refusal": Refusal(n + 3, BTC, "buy", d("0.300"), "leverage", "leverage 3.2 > limit 3", ts, "t1"),
        "quote": Quote(BTC, ts, 50012.2, 50012.3, 0.1, 1e16),
        "trade": Trade(BTC, ts, 50012.3, 0.001, 1, 7),
        "bar": Bar(BTC, ts, MINUTE, 1.0, 2.0, 0.1, 1.5, 1e-07),
        "mark": Mark(BTC, ts, 50012.25),
        "funding_rate": FundingRate(BTC, ts, 0.0001, 50500.0),
        "ticker": Ticker(BTC, ts, 49000.0, 50500.0, 48900.5, 50012.2, 1234.5, 61_000_000.0),
        "book": Book(BTC, ts, ((50012.2, 0.1),), ((50012.3, 2.0), (50012.4, 1.0))),
    }  # fmt: skip

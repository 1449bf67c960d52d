"""The Decider: what strategies say becomes Targets, and what they may not say is refused."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.decider import Decider
from quantmind.errors import ComponentError
from quantmind.events import Bar, Clock, Fill, Mark, Quote, Share, Signal, Trade, Upto, WakeAt
from quantmind.kinds import MARKS, QUOTES, TRADES, Allocator, Needs, NoOptions, Strategy, bars
from quantmind.pipeline.deciding import Deciding

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MINUTE = 60_000_000_000
D = Decimal


class Scripted(Strategy[NoOptions]):
    """Says what the test wants of each event, and remembers the events."""

    name = "scripted"

    def __init__(self, say, id="a", symbols=(BTC,)):
        self.say = say
        self.seen = []
        super().__init__(NoOptions(), id, symbols)

    def on_trade(self, event):
        self.seen.append(event)
        return self.say(self, event)

    on_quote = on_bar = on_fill = on_clock = on_trade


class Summing(Allocator[NoOptions]):
    """Gives each strategy its direction times confidence times a weight, and remembers what it was asked."""

    name = "summing"

    def __init__(self, weight=1.0):
        super().__init__(NoOptions(), {})
        self.weight = weight
        self.asked = []
        self.positions = []

    def decide(self, portfolio):
        self.asked.append(list(portfolio.signals))
        self.positions.append(dict(portfolio.positions))
        return {
            symbol: {
                strategy: signal.direction * signal.confidence * self.weight
                for strategy, signal in portfolio.in_force[symbol].items()
            }
            for symbol in dict.fromkeys(signal.symbol for signal in portfolio.signals)
        }


class Fixed(Allocator[NoOptions]):
    """Gives what the test says."""

    name = "fixed"

    def __init__(self, shares):
        super().__init__(NoOptions(), {})
        self.shares = shares

    def decide(self, _):
        return self.shares() if callable(self.shares) else self.shares


def decider_of(*strategies, allocator=None, needs=None, listens=False):
    needs = needs or Needs((TRADES,))
    return Decider(strategies, [needs] * len(strategies), allocator or Summing(), listens)


def trade(ts, symbol=BTC, price=1.0):
    return Trade(symbol, ts, price, 1.0, 1)


def fill(ts, symbol=BTC, position="0.5", number=1):
    return Fill(
        number,
        f"f{number}",
        "o",
        symbol,
        "buy",
        D(1),
        D(1),
        D(0),
        D(0),
        D(position),
        D(1),
        ts,
        "t",
        f"x{number}",
    )


def saying(direction, confidence=1.0, symbol=None):
    return lambda self, _: self.signal(direction, confidence, symbol)


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("direction", "confidence"),
        [
            (math.nan, 1.0),
            (1.0, math.nan),
            (math.inf, 1.0),
            (-math.inf, 1.0),
            (1.0, math.inf),
            (1.0000001, 1.0),
            (-1.0000001, 1.0),
            (1.0, -0.0000001),
            (1.0, 1.0000001),
        ],
    )
    def test_what_is_out_of_range(self, direction, confidence):
        upto = decider_of(Scripted(saying(direction, confidence))).on_market(1, trade(1))
        assert upto == Upto(1, (), (), ("signal_out_of_range",))

    @given(st.floats(), st.floats())
    def test_the_range_is_exact(self, direction, confidence):
        upto = decider_of(Scripted(saying(direction, confidence))).on_market(1, trade(1))
        allowed = -1 <= direction <= 1 and 0 <= confidence <= 1
        assert bool(upto.signals) == allowed
        assert upto.refused == (() if allowed else ("signal_out_of_range",))

    def test_a_symbol_that_is_not_its_own(self):
        upto = decider_of(Scripted(saying(1.0, symbol=ETH)), Scripted(saying(1.0), "b", (ETH,))).on_market(1, trade(1))
        assert upto == Upto(1, (), (), ("signal_for_unknown_symbol",))

    def test_the_name_of_another_strategy(self):
        impostor = Scripted(lambda *_: Signal(BTC, "b", 1.0, 1.0))
        upto = decider_of(impostor, Scripted(lambda *_: None, "b")).on_market(1, trade(1))
        assert upto == Upto(1, (), (), ("signal_of_another_strategy",))

    def test_the_good_ones_beside_it_count(self):
        strategy = Scripted(lambda self, _: [self.signal(2.0), self.signal(0.5), self.signal(1.0, symbol=ETH)])
        upto = decider_of(strategy).on_market(1, trade(1))
        assert [signal.direction for signal in upto.signals] == [0.5]
        assert upto.targets[0].value == D("0.5")
        assert upto.refused == ("signal_out_of_range", "signal_for_unknown_symbol")

    def test_a_refused_signal_does_not_replace_the_one_in_force(self):
        said = iter([0.5, math.nan])
        strategy = Scripted(lambda self, _: self.signal(next(said)))
        allocator = Summing()
        decider = decider_of(strategy, Scripted(saying(0.25), "b", (BTC,)), allocator=allocator)
        (target,) = decider.on_market(1, trade(1)).targets
        assert target.value == D("0.75")
        assert decider.on_market(2, trade(2)).targets == ()


class TestRouting:
    def test_only_what_was_asked_for_of_its_own_symbol_arrives(self):
        strategy = Scripted(lambda *_: None)
        decider = decider_of(strategy, needs=Needs((QUOTES, bars(MINUTE), MARKS)))
        quote = Quote(BTC, 1, 1.0, 2.0, 1.0, 1.0)
        minute, five = (Bar(BTC, 2, interval, 1.0, 1.0, 1.0, 1.0, 1.0) for interval in (MINUTE, 5 * MINUTE))
        others = [trade(1), Quote(ETH, 1, 1.0, 2.0, 1.0, 1.0), five, Mark(BTC, 1, 1.0)]
        for seq, event in enumerate([quote, *others, minute], 1):
            decider.on_market(seq, event)
        assert strategy.seen == [quote, minute]

    def test_a_strategy_of_the_universe_sees_and_trades_every_symbol(self):
        strategy = Scripted(
            lambda self, event: [self.signal(1.0, symbol=event.symbol), self.signal(-0.5, symbol=BTC)],
            symbols=(BTC, ETH),
        )
        decider = decider_of(strategy)
        decider.on_market(1, trade(1))
        upto = decider.on_market(2, trade(2, ETH))
        assert [(signal.symbol, signal.direction) for signal in upto.signals] == [(ETH, 1.0), (BTC, -0.5)]
        assert [(target.symbol, target.value) for target in upto.targets] == [(ETH, 1)]

    def test_fills_go_to_who_needs_them_of_its_own_symbol(self):
        listening, deaf = Scripted(saying(1.0)), Scripted(saying(1.0), "b")
        elsewhere = Scripted(saying(1.0), "c", (ETH,))
        allocator = Summing(0.5)
        needs = [Needs((TRADES,), fills=True), Needs((TRADES,)), Needs((TRADES,), fills=True)]
        decider = Decider([listening, deaf, elsewhere], needs, allocator, listens=True)
        decider.on_market(1, trade(1))
        (upto,) = decider.on_facts([fill(2)], 2)
        assert [type(event) for event in listening.seen] == [Trade, Fill]
        assert [type(event) for event in deaf.seen] == [Trade]
        assert elsewhere.seen == []
        assert [signal.cause for signal in upto.signals] == ["f1"]
        assert allocator.positions == [{}, {BTC: D("0.5")}]


class TestWhatIsSent:
    def test_ids_times_and_causes_are_filled_in(self):
        decider = decider_of(Scripted(saying(0.5)), Scripted(saying(-0.25, 0.5), "b"))
        (first, second), (target,) = (upto := decider.on_market(7, trade(99))).signals, upto.targets
        assert (first.ts, second.ts, target.ts) == (99, 99, 99)
        assert first.cause == second.cause == "1-7"
        assert len({first.id, second.id, target.id}) == 3
        assert target.cause == second.id
        assert target.shares == (Share("a", D("0.5")), Share("b", D("-0.125")))

    def test_an_epoch_of_its_own_gives_ids_of_its_own(self):
        def ids(epoch):
            decider = Decider([Scripted(saying(1.0))], [Needs((TRADES,))], Summing(), False, epoch)
            upto = decider.on_market(1, trade(1))
            return {item.id for item in (*upto.signals, *upto.targets)}

        assert not ids(1) & ids(2)

    def test_all_signals_of_one_event_come_together(self):
        allocator = Summing(0.5)
        decider = decider_of(Scripted(saying(1.0)), Scripted(saying(-1.0), "b"), allocator=allocator)
        decider.on_market(1, trade(1))
        assert [[signal.strategy for signal in asked] for asked in allocator.asked] == [["a", "b"]]

    def test_a_signal_stays_in_force_until_replaced(self):
        said = iter([0.5, None, -0.5])

        def say(self, _):
            direction = next(said)
            return None if direction is None else self.signal(direction)

        decider = decider_of(Scripted(say), Scripted(saying(0.25), "b"))
        values = [decider.on_market(seq, trade(seq)) for seq in (1, 2, 3)]
        assert [upto.targets[0].value if upto.targets else None for upto in values] == [
            D("0.75"),
            None,
            D("-0.25"),
        ]

    def test_nothing_said_is_nothing_sent(self):
        assert decider_of(Scripted(lambda *_: None)).on_market(1, trade(1)) is None
        assert decider_of(Scripted(lambda *_: [])).on_market(1, trade(1)) is None

    def test_an_unchanged_target_is_not_sent_again_but_the_signal_is(self):
        decider = decider_of(Scripted(saying(0.5)))
        assert decider.on_market(1, trade(1)).targets
        again = decider.on_market(2, trade(2))
        assert again.signals
        assert again.targets == ()

    def test_other_shares_of_the_same_target_are_sent(self):
        said = iter([(0.5, 0.25), (0.25, 0.5)])
        current = []
        first = Scripted(lambda self, _: (current.append(next(said)), self.signal(current[-1][0]))[1])
        second = Scripted(lambda self, _: self.signal(current[-1][1]), "b")
        decider = decider_of(first, second)
        decider.on_market(1, trade(1))
        (target,) = decider.on_market(2, trade(2)).targets
        assert target.value == D("0.75")
        assert target.shares == (Share("a", D("0.25")), Share("b", D("0.5")))

    def test_what_is_signalled_in_warm_up_is_in_force_and_not_sent(self):
        first, second = (
            Scripted(lambda self, event: self.signal(0.5) if event.ts < 3 else None),
            Scripted(lambda self, event: self.signal(0.25) if event.ts >= 3 else None, "b"),
        )
        deciding = Deciding(decider_of(first, second))
        deciding.warm_up([trade(1), trade(2)])
        upto = deciding.market(1, trade(3), ())
        assert [signal.strategy for signal in upto.signals] == ["b"]
        assert upto.targets[0].value == D("0.75")


class TestRounding:
    @pytest.mark.parametrize(
        ("value", "rounded"),
        [
            (2.0**-10, "0.000976562"),
            (3 * 2.0**-10, "0.002929688"),
            (-(2.0**-10), "-0.000976562"),
            (-3 * 2.0**-10, "-0.002929688"),
            (1 / 3, "0.333333333"),
            (2 / 3, "0.666666667"),
            (1.0, "1"),
            (1e-10, "0"),
            (0.1 + 0.2, "0.3"),
        ],
    )
    def test_examples(self, value, rounded):
        decider = decider_of(Scripted(saying(1.0)), allocator=Fixed({BTC: {"a": value}}))
        (target,) = decider.on_market(1, trade(1)).targets
        assert target.value == D(rounded)
        assert target.shares == (Share("a", D(rounded)),)

    @given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
    def test_half_even_to_nine_decimals(self, first, second):
        decider = decider_of(
            Scripted(saying(1.0)),
            Scripted(saying(1.0), "b"),
            allocator=Fixed({BTC: {"a": first, "b": second}}),
        )
        (target,) = decider.on_market(1, trade(1)).targets

        def nine(value):
            return D(value).quantize(D("1e-9"), ROUND_HALF_EVEN)

        assert target.value == nine(math.fsum([first, second]))
        assert [share.value for share in target.shares] == [nine(first), nine(second)]

    def test_a_sum_that_is_one_but_for_the_last_digits_passes(self):
        shares = dict.fromkeys(("a", "b", "c"), 0.1 * 3 + 0.1 / 3 + 1e-17)
        strategies = [Scripted(saying(1.0), name) for name in shares]
        decider = decider_of(*strategies, allocator=Fixed({BTC: shares}))
        assert decider.on_market(1, trade(1)).targets[0].value == 1


class TestTime:
    def run(self, strategy, times, first=1):
        deciding = Deciding(decider_of(strategy))
        return [deciding.market(seq, trade(ts), ()) for seq, ts in enumerate(times, first)]

    def test_a_clock_comes_before_the_first_event_after_it(self):
        strategy = Scripted(lambda _, event: WakeAt(5) if event.ts == 1 else None)
        self.run(strategy, [1, 4, 5, 5, 6, 7])
        assert strategy.seen == [trade(1), trade(4), trade(5), trade(5), Clock(5), trade(6), trade(7)]

    @given(
        st.lists(st.integers(0, 20), min_size=1, max_size=15).map(sorted),
        st.lists(st.integers(0, 20), max_size=6),
    )
    def test_never_twice_and_always_in_its_place(self, times, later):
        wanted = [times[0] + ts for ts in later]
        asked = iter([[WakeAt(ts) for ts in wanted]])
        strategy = Scripted(lambda *_: next(asked, None))
        self.run(strategy, times)
        clocks = [event.ts for event in strategy.seen if isinstance(event, Clock)]
        assert clocks == sorted({ts for ts in wanted if ts < times[-1]})
        for index, event in enumerate(strategy.seen):
            if isinstance(event, Clock):
                later = [e.ts for e in strategy.seen[index + 1 :] if isinstance(e, Trade)]
                earlier = [e.ts for e in strategy.seen[1:index] if isinstance(e, Trade)]
                assert all(ts > event.ts for ts in later)
                assert all(ts <= event.ts for ts in earlier)

    def test_waking_again_and_again(self):
        strategy = Scripted(lambda _, event: WakeAt(event.ts + 2) if event.ts != 1 else WakeAt(3))
        strategy.say = lambda _, event: WakeAt(event.ts + 2) if isinstance(event, Clock) or event.ts == 1 else None
        self.run(strategy, [1, 10])
        assert [event.ts for event in strategy.seen if isinstance(event, Clock)] == [3, 5, 7, 9]

    def test_only_who_asked_is_woken_and_what_it_says_comes_with_the_event(self):
        asking = Scripted(lambda self, event: self.signal(0.5) if isinstance(event, Clock) else WakeAt(5))
        other = Scripted(lambda self, _: self.signal(0.25), "b", (ETH,))
        deciding = Deciding(decider_of(asking, other))
        assert deciding.market(1, trade(1), ()) is None
        upto = deciding.market(2, trade(6, ETH), ())
        assert upto.seq == 2
        assert [(signal.strategy, signal.ts) for signal in upto.signals] == [("a", 5), ("b", 6)]
        assert [target.value for target in upto.targets] == [D("0.5"), D("0.25")]

    def test_of_two_targets_of_a_symbol_the_last_one_is_said(self):
        strategy = Scripted(
            lambda self, event: (
                [self.signal(0.5 if isinstance(event, Clock) else 1.0), WakeAt(5)]
                if event.ts != 5
                else self.signal(0.5)
            )
        )
        _, upto = self.run(strategy, [1, 6])
        assert [signal.direction for signal in upto.signals] == [0.5, 1.0]
        assert [target.value for target in upto.targets] == [1]

    def test_facts_come_before_the_clock_and_the_event(self):
        strategy = Scripted(lambda _, event: WakeAt(5) if event.ts == 1 else None)
        decider = Decider([strategy], [Needs((TRADES,), fills=True)], Summing(), listens=True)
        deciding = Deciding(decider)
        deciding.market(1, trade(1), ())
        deciding.market(2, trade(6), [fill(2)])
        assert strategy.seen == [trade(1), fill(2), Clock(5), trade(6)]

    def test_what_was_asked_for_in_warm_up_holds(self):
        strategy = Scripted(lambda _, event: WakeAt(5) if event.ts == 1 else None)
        deciding = Deciding(decider_of(strategy))
        deciding.warm_up([trade(1)])
        deciding.market(1, trade(9), ())
        assert strategy.seen == [trade(1), Clock(5), trade(9)]


class TestFaults:
    def test_a_strategy_that_raises_is_named_with_its_event(self):
        def say(*_):
            raise ZeroDivisionError("division by zero")

        decider = decider_of(Scripted(say, "slow-reversion"))
        with pytest.raises(ComponentError) as caught:
            decider.on_market(1, trade(123456))
        assert "strategy slow-reversion failed on Trade(" in str(caught.value)
        assert "123456" in str(caught.value)
        assert "ZeroDivisionError: division by zero" in str(caught.value)

    def test_an_allocator_that_raises_is_named_with_the_signals(self):
        def shares():
            raise KeyError("weight")

        decider = decider_of(Scripted(saying(1.0)), allocator=Fixed(shares))
        with pytest.raises(ComponentError, match=r"allocator fixed failed on \[Signal\(.*KeyError: 'weight'"):
            decider.on_market(1, trade(1))

    @pytest.mark.parametrize("value", [math.nan, math.inf, 1.01, -1.01])
    def test_a_target_out_of_range_is_the_allocators_fault(self, value):
        decider = decider_of(Scripted(saying(1.0)), allocator=Fixed({BTC: {"a": value}}))
        with pytest.raises(ComponentError, match="allocator fixed failed"):
            decider.on_market(1, trade(1))


def test_each_strategy_has_one_share():
    strategies = [Scripted(saying(1.0), n, (s,)) for n in ("a", "b") for s in (BTC, ETH)]
    (target,) = decider_of(*strategies, allocator=Summing(0.5)).on_market(1, trade(1)).targets
    assert target.shares == (Share("a", D("0.5")), Share("b", D("0.5")))


def test_a_generator_that_raises_is_named():
    def say(self, _):
        yield self.signal(1.0)
        raise ValueError("own fault")

    with pytest.raises(ComponentError, match="strategy a failed"):
        decider_of(Scripted(say)).on_market(1, trade(1))


@pytest.mark.parametrize("said", [1.0, ["x"], True, Signal(BTC, "a", "1", 1.0), Signal(BTC, "a", None, 1.0)])
def test_nonsense_of_a_strategy_is_named(said):
    with pytest.raises(ComponentError, match="strategy a"):
        decider_of(Scripted(lambda *_: said)).on_market(1, trade(1))


@pytest.mark.parametrize(
    "shares", [None, {BTC: None}, {BTC: {"a": "x"}}, {"SOL": {"a": 1.0}}, {BTC: {"zz": 0.5, "a": 0.1}}]
)
def test_nonsense_of_an_allocator_is_named(shares):
    with pytest.raises(ComponentError, match="allocator fixed"):
        decider_of(Scripted(saying(1.0)), allocator=Fixed(shares)).on_market(1, trade(1))


@pytest.mark.timeout(5)
def test_waking_now_is_not_for_ever():
    deciding = Deciding(decider_of(Scripted(lambda *_: WakeAt(5))))
    deciding.market(1, trade(1), ())
    deciding.market(2, trade(6), ())


def test_no_negative_zero():
    decider = decider_of(Scripted(saying(1.0)), allocator=Fixed({BTC: {"a": -1e-10}}))
    assert f"{decider.on_market(1, trade(1)).targets[0].value:f}" == "0"


def test_a_decision_on_a_fill_is_made_when_it_becomes_known():
    """A bar tells of a fill at its open when it closes: that price is in the past."""
    strategy = Scripted(saying(1.0))
    decider = Decider([strategy], [Needs((TRADES,), fills=True)], Summing(0.5), listens=True)
    deciding = Deciding(decider)
    upto = deciding.market(1, trade(120), (fill(60),))
    assert {signal.ts for signal in upto.signals} == {120}

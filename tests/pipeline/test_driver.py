"""The driver: the one order of steps, and what is told of it."""

from __future__ import annotations

import asyncio
import io
from decimal import Decimal

import pytest

from quantmind.errors import ComponentError
from quantmind.events import Bar, Clock, Fill, Incident, OrderState, OrderUpdate, Signal, Target, Trade, WakeAt
from quantmind.kinds import TRADES, Feed, Needs, NoOptions, Sink, Strategy, bars
from quantmind.pipeline.run import Running
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.load import load
from quantmind.testing import ListFeed, run_recipe

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
D = Decimal


def recipe(*strategies, instruments=(BTC,), **executor):
    return {
        "name": "driven",
        "instruments": list(instruments),
        "strategies": list(strategies),
        "allocator": "equal_weight",
        "risk": {"sizing": [{"fixed_quantity": {"quantity": 0.1}}]},
        "executor": {"paper": {"balance": 10000, "taker_fee": 0, **executor}},
    }


def trade(second, price=50_000.0, symbol=BTC):
    return Trade(symbol, second * SECOND, price, 10.0, 1)


class Reader(Strategy[NoOptions]):
    """Buys at its second trade, sells when it reads of the fill, and notes what it sees."""

    name = "reader"
    seen = ()

    @classmethod
    def needs(cls, _):
        return Needs((TRADES,), fills=True)

    def start(self):
        type(self).seen = []

    def on_trade(self, event):
        self.seen.append(event)
        if len(self.seen) == 2:
            return [self.signal(1.0), WakeAt(event.ts + SECOND // 2)]
        return None

    def on_fill(self, event):
        self.seen.append(event)
        return self.signal(0.0) if event.side == "buy" else None

    def on_clock(self, event):
        self.seen.append(event)


def test_a_fill_is_told_before_the_event_that_made_it(tmp_path):
    events = [trade(second, 50_000.0 + second) for second in range(1, 7)]
    outcome = run_recipe(recipe("reader"), tmp_path, events=events, components=[Reader])
    shape = [(type(event), event.ts) for event in Reader.seen]
    assert shape == [
        (Trade, 1 * SECOND),
        (Trade, 2 * SECOND),
        (Fill, 3 * SECOND),
        (Clock, 2 * SECOND + SECOND // 2),
        (Trade, 3 * SECOND),
        (Fill, 4 * SECOND),
        (Trade, 4 * SECOND),
        (Trade, 5 * SECOND),
        (Trade, 6 * SECOND),
    ]
    bought, sold = outcome.of(Fill)
    assert (bought.price, sold.price) == (50_003, 50_004)
    assert outcome.summary.positions == {}


def test_sinks_are_told_facts_then_the_event_then_the_decision(tmp_path):
    events = [trade(second) for second in range(1, 5)]
    outcome = run_recipe(recipe("reader"), tmp_path, events=events, components=[Reader])
    kinds = [type(event).__name__ for event in outcome.events]
    assert kinds == [
        *["Trade", "Trade", "Signal", "Target"],
        *["OrderUpdate", "OrderUpdate", "Fill", "OrderUpdate", "Trade", "Signal", "Target"],
        *["OrderUpdate", "OrderUpdate", "Fill", "OrderUpdate", "Trade"],
        "Valuation",
    ]


def test_sinks_are_told_of_events_that_cannot_be_true(tmp_path):
    seen = []

    class Watching(Sink[NoOptions]):
        """Keeps what it is told of the pipeline itself."""

        name = "watching"

        @property
        def events(self):
            return frozenset({Incident})

        async def write(self, batch):
            seen.extend(batch)

    events = [trade(1), trade(2, float("nan")), trade(3, -1.0), trade(4)]
    watched = {**recipe("reader"), "sinks": ["watching"], "feeds": [{"list": {"events": tuple(events)}}]}
    project = Project(tmp_path)
    loaded = load(watched, Plugins(extra=[Reader, ListFeed, Watching]), project, {})
    asyncio.run(Running(loaded, project, output=io.StringIO()).run())
    assert Reader.seen == [trade(1), trade(4)]
    assert [(i.stage, i.what, i.of, i.topic, i.count) for i in seen] == [("feed", "invalid", "feed", "market", 2)]
    assert seen[0].detail.startswith("feed list: a figure is out of range: Trade(")


def test_facts_after_the_last_event_are_told_too(tmp_path):
    events = [trade(1), trade(2)]
    outcome = run_recipe(recipe("reader"), tmp_path, events=events, components=[Reader])
    assert [update.state for update in outcome.of(OrderUpdate)] == [OrderState.INTENT, OrderState.ACCEPTED]
    assert [kind_of(line) for line in outcome.export].count("order") == 1


def kind_of(line):
    return line.partition('"type":"')[2].partition('"')[0]


class Once(Strategy[NoOptions]):
    """Buys every symbol at the first event that it sees."""

    name = "once"
    scope = "universe"

    @classmethod
    def needs(cls, _):
        return Needs((TRADES,))

    def start(self):
        self.done = False

    def on_trade(self, _):
        if not self.done:
            self.done = True
            return [self.signal(1.0, symbol=symbol) for symbol in reversed(self.symbols)]
        return None


def test_a_universe_is_one_strategy_and_orders_follow_the_recipe(tmp_path):
    events = [
        trade(1),
        trade(1, 2_000.0, ETH),
        trade(2),
        trade(2, 2_000.0, ETH),
        trade(3),
        trade(3, 2_000.0, ETH),
    ]

    class Later(Once):
        """Speaks when both have a price."""

        name = "later"

        def on_trade(self, event):
            return super().on_trade(event) if event.ts > SECOND else None

    outcome = run_recipe(recipe("later", instruments=(BTC, ETH)), tmp_path, events=events, components=[Later])
    assert [signal.symbol for signal in outcome.of(Signal)] == [ETH, BTC]
    assert len({signal.ts for signal in outcome.of(Signal)}) == 1
    intents = [update for update in outcome.of(OrderUpdate) if update.state is OrderState.INTENT]
    assert [update.symbol for update in intents] == [BTC, ETH]
    assert {fill.symbol: fill.position for fill in outcome.of(Fill)} == {BTC: D("0.1"), ETH: D("0.1")}


def test_an_increase_waits_for_a_first_price(tmp_path):
    outcome = run_recipe(
        recipe("once", instruments=(BTC, ETH)),
        tmp_path,
        events=[trade(1), trade(2, 2_000.0, ETH), trade(3, 2_010.0, ETH), trade(4)],
        components=[Once],
    )
    assert outcome.summary.refusals == {}
    eth = next(fill for fill in outcome.of(Fill) if fill.symbol == ETH)
    assert eth.price == D("2010.0")
    assert outcome.summary.orders == 2


class Warm(Strategy[NoOptions]):
    """Goes long at every bar, and notes the bars."""

    name = "warm"
    seen = ()

    @classmethod
    def needs(cls, _):
        return Needs((bars(MINUTE),), history=2)

    def start(self):
        type(self).seen = []

    def on_bar(self, event):
        self.seen.append(event)
        return self.signal(1.0)


def test_the_warm_up_comes_first_and_says_nothing(tmp_path):
    def bar(minute):
        return Bar(BTC, minute * MINUTE, MINUTE, 50_000.0, 50_000.0, 50_000.0, 50_000.0, 1.0)

    plain = recipe("warm")
    plain["feeds"] = [{"list": {"events": (bar(4), bar(5)), "history": tuple(map(bar, (1, 2, 3)))}}]
    outcome = run_recipe(plain, tmp_path, components=[Warm])
    assert Warm.seen == [bar(minute) for minute in (2, 3, 4, 5)]
    assert [signal.cause for signal in outcome.of(Signal)] == ["1-1", "1-2"]
    assert [target.ts for target in outcome.of(Target)] == [4 * MINUTE]
    assert outcome.of(Bar) == [bar(4), bar(5)]
    assert outcome.summary.events == 2


def test_latency_is_measured_where_there_was_a_command(tmp_path):
    events = [trade(second) for second in range(1, 7)]
    outcome = run_recipe(recipe("reader"), tmp_path, events=events, components=[Reader])
    assert 0 < outcome.summary.latency_us["p50"] <= outcome.summary.latency_us["p99"]
    silent = run_recipe(recipe("reader"), tmp_path, events=events[:1], components=[Reader])
    assert silent.summary.latency_us == {"p50": None, "p99": None}


class TestEnds:
    def test_a_feed_without_events_is_a_run_without_events(self, tmp_path):
        class Empty(Feed[NoOptions]):
            """Has nothing."""

            name = "empty"

            @classmethod
            def offers(cls, _, symbols):
                return {symbol: frozenset({TRADES}) for symbol in symbols}

            async def events(self):
                for batch in ():
                    yield batch

        plain = {**recipe("reader"), "feeds": ["empty"]}
        outcome = run_recipe(plain, tmp_path, components=[Reader, Empty])
        assert (outcome.summary.events, outcome.summary.equity) == (0, 10_000)
        assert [kind_of(line) for line in outcome.export] == ["account"]

    def test_what_was_decided_before_a_fault_is_on_record(self, tmp_path):
        class Tearing(Feed[NoOptions]):
            """Breaks off after two batches."""

            name = "tearing"

            @classmethod
            def offers(cls, _, symbols):
                return {symbol: frozenset({TRADES}) for symbol in symbols}

            async def events(self):
                yield [trade(1), trade(2)]
                yield [trade(3)]
                raise ConnectionError("gone")

        plain = {**recipe("reader"), "feeds": ["tearing"]}
        with pytest.raises(ComponentError, match="feed tearing failed: ConnectionError: gone"):
            run_recipe(plain, tmp_path, components=[Reader, Tearing])
        (run,) = tmp_path.glob("runs/*/journal.sqlite")
        assert run.stat().st_size > 0

    def test_a_sink_that_does_not_open_stops_the_run_before_the_feed_opens(self, tmp_path):
        opened = []

        class Opening(ListFeed):
            """Says when it opens."""

            name = "opening"

            async def open(self):
                opened.append(self)

        class Locked(Sink[NoOptions]):
            """Cannot be opened."""

            name = "locked"

            async def open(self):
                raise PermissionError("not yours")

        plain = {**recipe("reader"), "sinks": ["locked"], "feeds": [{"opening": {"events": (trade(1),)}}]}
        project = Project(tmp_path)
        loaded = load(plain, Plugins(extra=[Reader, Opening, Locked]), project, {})
        with pytest.raises(ComponentError, match="sink locked cannot be opened: PermissionError: not yours"):
            asyncio.run(Running(loaded, project, output=io.StringIO()).run())
        assert opened == []

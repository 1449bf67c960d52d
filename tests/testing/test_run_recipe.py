"""`run_recipe`, as the author of a plugin would use it."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import pairwise

import pytest
from pydantic import Field

from quantmind.errors import ComponentError, RecipeError
from quantmind.events import Bar, Fill, OrderUpdate, Signal, Target, Trade
from quantmind.kinds import Feed, Interval, Needs, NoOptions, Options, Strategy, bars
from quantmind.testing import run_recipe

BTC = "BTC/USDT:USDT"
MINUTE = 60_000_000_000


class BreakoutOptions(Options):
    interval: Interval = Field(default="1m", validate_default=True, description="Length of a bar.")
    bars: int = Field(default=3, gt=1, description="Bars whose highest close must be passed.")


class Breakout(Strategy[BreakoutOptions]):
    """Buys above the highest close of the last bars, leaves below the lowest."""

    name = "breakout"

    @classmethod
    def needs(cls, options):
        return Needs((bars(options.interval),))

    def start(self):
        self.closes = []

    def on_bar(self, bar):
        before, self.closes = self.closes, [*self.closes, bar.close][-self.options.bars :]
        if len(before) < self.options.bars:
            return None
        if bar.close > max(before):
            return self.signal(1.0)
        return self.signal(0.0) if bar.close < min(before) else None


def minutes(*closes):
    """Return bars that open where the one before closed."""
    return [
        Bar(BTC, (index + 1) * MINUTE, MINUTE, opened, max(opened, close), min(opened, close), close, 1.0)
        for index, (opened, close) in enumerate(pairwise(closes))
    ]


RECIPE = {
    "name": "breakout",
    "instruments": [BTC],
    "strategies": [{"breakout": {"bars": 2}}],
    "allocator": "equal_weight",
    "risk": {"sizing": [{"fixed_quantity": {"quantity": 0.1}}]},
    "executor": {"paper": {"balance": 10000, "taker_fee": 0}},
}


def test_a_strategy_of_ones_own_trades(tmp_path):
    outcome = run_recipe(
        RECIPE,
        tmp_path,
        events=minutes(50_000, 50_000, 50_100, 50_200, 50_300, 50_000, 49_900, 49_800),
        components=[Breakout],
    )
    assert [signal.direction for signal in outcome.of(Signal)] == [1.0, 1.0, 0.0, 0.0, 0.0]
    assert [target.value for target in outcome.of(Target)] == [1, 0]
    bought, sold = outcome.of(Fill)
    assert (bought.side, bought.price, bought.quantity) == ("buy", 50_200, Decimal("0.1"))
    assert (sold.side, sold.price, sold.position) == ("sell", 50_000, 0)
    assert outcome.summary.pnl == sold.realised == -20
    assert outcome.summary.events == len(outcome.of(Bar)) == 7


def test_what_a_sink_sees_comes_in_order(tmp_path):
    outcome = run_recipe(RECIPE, tmp_path, events=minutes(*range(50_000, 50_006)), components=[Breakout])
    kinds = [type(event) for event in outcome.events]
    assert kinds[:3] == [Bar, Bar, Bar]
    assert kinds[3:6] == [Signal, Target, OrderUpdate]
    numbers = [event.number for event in outcome.events if isinstance(event, OrderUpdate | Fill)]
    assert numbers == sorted(numbers) == list(range(1, len(numbers) + 1))


def test_the_export_is_that_of_the_command_and_repeats(tmp_path):
    events = minutes(50_000, 50_000, 50_100, 50_200, 50_300, 50_000, 49_900)
    first, second = (run_recipe(RECIPE, tmp_path, events=events, components=[Breakout]) for _ in range(2))
    assert first.summary.run != second.summary.run
    assert first.export == second.export
    lines = [json.loads(line) for line in first.export]
    assert [line["type"] for line in lines].count("fill") == len(first.of(Fill))
    assert {path.parent for path in tmp_path.glob("runs/*/journal.sqlite")} == {
        tmp_path / "runs" / outcome.summary.run for outcome in (first, second)
    }


def test_installed_components_are_known_beside_ones_own(tmp_path):
    recipe = {**RECIPE, "strategies": [{"breakout": {"bars": 2}}, {"mean_reversion": {"interval": "1m"}}]}
    outcome = run_recipe(recipe, tmp_path, events=minutes(*range(50_000, 50_050)), components=[Breakout])
    assert {signal.strategy for signal in outcome.of(Signal)} >= {"breakout"}


def test_a_feed_of_ones_own(tmp_path):
    class Clockwork(Feed[NoOptions]):
        """One bar more expensive than the other."""

        name = "clockwork"

        @classmethod
        def offers(cls, _, symbols):
            return {symbol: frozenset({bars(MINUTE)}) for symbol in symbols}

        async def events(self):
            yield minutes(*range(50_000, 50_010))

    recipe = {**RECIPE, "feeds": ["clockwork"]}
    outcome = run_recipe(recipe, tmp_path, components=[Breakout, Clockwork])
    assert outcome.summary.fills == 1


def test_a_live_feed_trades_the_account_that_outlives_the_run(tmp_path):
    class Happening(Feed[NoOptions]):
        """Trades as they happen."""

        name = "happening"
        live = True

        @classmethod
        def offers(cls, _, symbols):
            return {symbol: frozenset({bars(MINUTE)}) for symbol in symbols}

        async def events(self):
            for bar in minutes(*range(50_000, 50_010)):
                yield [bar]

    recipe = {**RECIPE, "feeds": ["happening"]}
    first = run_recipe(recipe, tmp_path, components=[Breakout, Happening])
    second = run_recipe({**recipe, "name": "renamed"}, tmp_path, components=[Breakout, Happening])
    assert (first.summary.events, first.summary.fills) == (9, 1)
    assert (second.summary.fills, second.summary.account.fills) == (0, 1)
    assert second.summary.positions == {BTC: Decimal("0.1")}
    assert (tmp_path / "accounts" / "paper-paper" / "journal.sqlite").is_file()
    ids = [signal.id for outcome in (first, second) for signal in outcome.of(Signal)]
    assert len(ids) == len(set(ids)) > 2


def test_a_fault_of_the_strategy_is_named(tmp_path):
    class Broken(Strategy[NoOptions]):
        """Breaks at once."""

        name = "broken"

        @classmethod
        def needs(cls, _):
            return Needs((bars(MINUTE),))

        def on_bar(self, _):
            raise LookupError("no such level")

    with pytest.raises(ComponentError, match=r"strategy broken failed on Bar\(.*LookupError: no such level"):
        run_recipe({**RECIPE, "strategies": ["broken"]}, tmp_path, events=minutes(1, 2, 3), components=[Broken])


def test_a_recipe_that_cannot_be_run(tmp_path):
    with pytest.raises(RecipeError, match="bars"):
        run_recipe(
            {**RECIPE, "strategies": [{"breakout": {"bars": 1}}]},
            tmp_path,
            events=minutes(1, 2),
            components=[Breakout],
        )
    with pytest.raises(RecipeError, match="no strategy is called breakout"):
        run_recipe(RECIPE, tmp_path, events=minutes(1, 2))


def test_what_the_strategy_needs_must_be_in_the_events(tmp_path):
    only_minutes = minutes(1, 2, 3)
    recipe = {**RECIPE, "strategies": [{"breakout": {"interval": "90s"}}]}
    with pytest.raises(RecipeError, match="needs bars of 90s"):
        run_recipe(recipe, tmp_path, events=only_minutes, components=[Breakout])
    from_trades = run_recipe(
        recipe,
        tmp_path,
        events=[Trade(BTC, index * MINUTE // 4, 50_000.0 + index, 1.0, 1) for index in range(40)],
        components=[Breakout],
    )
    assert {bar.interval for bar in from_trades.of(Bar)} == {90_000_000_000}


def test_an_outcome_tells_what_authors_ask_for(tmp_path):
    outcome = run_recipe(RECIPE, tmp_path, events=minutes(*range(50_000, 50_006)), components=[Breakout])
    assert [signal.direction for signal in outcome.signals] == [1.0] * len(outcome.signals)
    assert outcome.targets[0].value == 1
    assert [fill.side for fill in outcome.fills] == ["buy"]
    assert {update.order for update in outcome.orders} == {outcome.fills[0].order}
    assert outcome.refusals == []
    assert (outcome.folder / "journal.sqlite").is_file()


def test_a_recipe_may_be_a_file_with_variables_a_history_and_sinks(tmp_path):
    file = tmp_path / "recipe.yaml"
    file.write_text(json.dumps({**RECIPE, "strategies": [{"breakout": {"bars": "${BARS}"}}], "sinks": ["jsonl"]}))
    history, events = minutes(*range(50_000, 50_004)), minutes(*range(50_000, 50_008))[3:]
    settings = {"events": events, "components": [Warm], "environ": {"BARS": "2"}}
    file.write_text(file.read_text().replace("breakout", "warm"))
    cold = run_recipe(file, tmp_path, **settings)
    warm = run_recipe(file, tmp_path, **settings, history=history, keep_sinks=True)
    assert warm.signals[0].ts < cold.signals[0].ts
    assert not (cold.folder / "events.jsonl").exists()
    assert (warm.folder / "events.jsonl").read_text().count("\n") > len(warm.signals)


class Warm(Breakout):
    """Wants some bars of before."""

    name = "warm"

    @classmethod
    def needs(cls, options):
        return Needs((bars(options.interval),), history=options.bars)

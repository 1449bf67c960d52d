"""What lint says of tests that cannot be run, it says as `quantmind test` does before the first one."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from quantmind.events.market import ChannelKind
from quantmind.kinds import Channel, Executor, Needs, NoOptions, Options, Strategy, bars
from quantmind.pipeline.recipe_test import REPLACED, prepare
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.lint import lint
from quantmind.recipe.load import load
from quantmind.recipe.problems import RecipeProblems

MINUTES = "{bars: {interval: 1m, close: [1]}}"
HOURS = "{bars: {interval: 1h, close: [1]}}"


class Practice(Executor[NoOptions]):
    """Is simulated."""

    name = "practice"
    simulated = True


class Twin(Practice):
    """Is simulated as well."""

    name = "twin"


class Lost(Strategy[NoOptions]):
    """Cannot say what it needs."""

    name = "lost"

    @classmethod
    def needs(cls, options):
        raise LookupError("nowhere")


class EagerOptions(Options):
    needs: list[tuple[ChannelKind, int]] = Field(description="Kinds of channels, and intervals in ns.")


class Eager(Strategy[EagerOptions]):
    """Needs what its options say."""

    name = "eager"

    @classmethod
    def needs(cls, options):
        return Needs(tuple(Channel(kind, interval) for kind, interval in options.needs))


def others(plugins):
    return [plugins.find(row.kind, row.name) for row in plugins.all() if row.kind]


@pytest.fixture
def plugins(plugins):
    """Those of the bench, and a simulated executor."""
    return Plugins(allow=(), extra=[*others(plugins), Practice, Lost], environ={})


def giving(*markets):
    lines = (f"  - {{name: t{n}, given: {market}, expect: {{orders: []}}}}\n" for n, market in enumerate(markets))
    return "sinks:", f"tests:\n{''.join(lines)}sinks:"


def told(bench, *changes):
    """Return what lint says, after holding it against what is said before the first test runs."""
    file = bench.write(bench.with_changes(*changes))
    found = lint(file, bench.plugins, bench.project(), bench.environ)
    try:
        load(file, bench.plugins, bench.project(), bench.environ, REPLACED, tested=True)
        refused = []
    except RecipeProblems as error:
        refused = [problem for problem in error.problems if "is not set" not in problem.message]
    assert set(refused) <= set(found)
    return [str(problem) for problem in found]


def lacks(who, interval, path):
    return (
        f"{path}: {who} needs bars of {interval} of BTC/USDT:USDT, but no feed offers them or what they could be "
        f"built from; {path} offers "
    )


def test_what_is_enough_is_no_problem(bench):
    assert told(bench, giving(MINUTES, "{trades: {price: [1]}}")) == []


def test_each_test_that_lacks_something_is_told_of(bench):
    first, second = told(bench, giving(HOURS, MINUTES, "{quotes: {bid: [1]}}"))
    assert first.startswith(f"r.yaml:13:23: {lacks('strategies[0].cross', '1m', 'tests[0].given')}bars of 1h, quotes")
    assert second == f"r.yaml:15:23: {lacks('strategies[0].cross', '1m', 'tests[2].given')}quotes"


def test_what_is_expected_may_be_wrong_as_well(bench):
    change = "sinks:", f"tests: [{{name: x, given: {HOURS}, expect: {{order: []}}}}]\nsinks:"
    first, second = told(bench, change)
    assert "tests[0].given: strategies[0].cross needs bars of 1m" in first
    assert "tests[0].expect.order: is not known" in second


@pytest.mark.parametrize("change", [("- tape: {}", "- tapee: {}"), ("- trail", "- trial"), ("even", "eevn")])
def test_nothing_else_of_the_recipe_need_be_sound(bench, change):
    problems = told(bench, change, giving(HOURS))
    assert len(problems) == 2
    assert any("tests[0].given: strategies[0].cross needs bars of 1m" in problem for problem in problems)


def test_an_inherited_limit_needs_its_channels_too(bench):
    bench.write("limits:\n  - fence: {needs: [marks, '60', '1']}\n", "quantmind.yaml")
    problems = [problem for problem in told(bench, giving(MINUTES)) if "r.yaml:13:" in problem]
    assert [problem.partition(" offers ")[0] for problem in problems] == [
        f"r.yaml:13:23: {lacks('limits[0].fence', '1s', 'tests[0].given')}".partition(" offers ")[0]
    ]


def test_what_depends_on_an_unset_variable_is_not_blamed(bench):
    (problem,) = told(bench, ("interval: 1m", "interval: '${LENGTH}'"), giving(HOURS))
    assert problem.startswith("r.yaml:6:23: warning: strategies[0].cross.interval: the environment variable LENGTH")


def test_a_market_with_an_unset_variable_is_not_blamed(bench):
    for market in ("{bars: '${MARKET}'}", "{bars: {interval: '${LENGTH}', close: [1]}}", "'${GIVEN}'"):
        (problem,) = told(bench, giving(market))
        assert "is not set: set it" in problem


def test_what_would_be_wrong_in_every_market_is_told_once_at_its_place(bench):
    changes = ("  - cross", "  - lost: {}\n  - cross"), ("even", "{even: {at_most: 1}}")
    assert told(bench, *changes, giving(MINUTES, MINUTES)) == [
        (
            "r.yaml:6:5: strategies[0].lost: its needs cannot be told: LookupError: nowhere "
            "(tests/recipe/test_trial.py:43); a fault of its plugin, "
            "or of its options"
        ),
        "r.yaml:8:13: allocator.even: too many for BTC/USDT:USDT",
    ]


@pytest.mark.parametrize(
    ("executors", "installed"), [((), "none"), ((Practice, Twin), "practice, twin")], ids=["none", "two"]
)
def test_one_executor_must_be_simulated(bench, plugins, executors, installed):
    rest = [component for component in others(plugins) if component is not Practice]
    bench.plugins = Plugins(allow=(), extra=[*rest, *executors], environ={})
    assert told(bench, giving(MINUTES, MINUTES)) == [
        f"r.yaml:12:1: tests: need one simulated executor in place of desk; installed: {installed}"
    ]
    assert told(bench, ("sinks:", "tests: []\nsinks:")) == []


def test_options_of_the_executor_are_those_of_who_stands_in(bench):
    market = "{executor: {account: demo}, trades: {price: [1]}}"
    assert told(bench, giving(market)) == [
        "r.yaml:13:35: tests[0].given.executor.account: is not known: there is nothing to set"
    ]


channels = st.sampled_from([*map(Channel, ("quote", "trade", "mark", "funding", "book", "ticker"))]) | st.builds(
    bars, st.sampled_from([1, 2, 3, 60]).map(lambda seconds: seconds * 1_000_000_000)
)
series = st.fixed_dictionaries(
    {},
    optional={
        "quotes": st.just({"bid": [1]}),
        "trades": st.just({"price": [1]}),
        "marks": st.just({"price": [1]}),
        "funding": st.just({"rate": [0.1]}),
        "bars": st.fixed_dictionaries(
            {"interval": st.sampled_from(["1s", "2s", "1m"]), "close": st.just([1])}, optional={"open": st.just([1])}
        ),
    },
).filter(bool)


@settings(deadline=None)
@given(st.lists(channels, min_size=1, max_size=3), st.lists(series, min_size=1, max_size=3))
def test_lint_is_content_with_exactly_the_tests_that_can_be_run(needed, markets):
    plugins = Plugins(extra=[Eager], environ={})
    recipe = {
        "name": "x",
        "instruments": ["BTC/USDT:USDT"],
        "feeds": ["synthetic"],
        "strategies": [{"eager": {"needs": [[each.kind, each.interval] for each in needed]}}],
        "allocator": "equal_weight",
        "risk": {"sizing": [{"fixed_quantity": {"quantity": 1}}]},
        "executor": "paper",
        "tests": [{"name": f"t{n}", "given": market, "expect": {"orders": []}} for n, market in enumerate(markets)],
    }
    project = Project(Path("nowhere"))
    loaded = load(recipe, plugins, project, {})
    refused = set()
    for test in loaded.tests:
        try:
            prepare(loaded, test, plugins)
        except RecipeProblems:
            refused.add(f"{test.path}.given")
    found = lint(recipe, plugins, project, {})
    assert {problem.path for problem in found if problem.path.startswith("tests")} == refused

"""The `tests` section of a recipe: what is written, and what is wrong with it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.kinds import Executor, NoOptions
from quantmind.plugins import Plugins
from quantmind.recipe.document import Document, parse
from quantmind.recipe.findings import Findings
from quantmind.recipe.interpolate import Interpolation
from quantmind.recipe.lint import lint
from quantmind.recipe.load import load
from quantmind.recipe.problems import RecipeProblems
from quantmind.recipe.show import as_json, as_yaml
from quantmind.recipe.tests import read_tests

TESTS = """
tests:
  - name: buys after a cross, stops below
    given:  {equity: 10000, bars: {interval: 1m, close: [[100, 40], 99, 98, 101, 104, 108]}}   # [value, count] repeats
    expect: {signals: [{strategy: cross, direction: 1}], orders: [{side: buy, stop_below: 108}], refusals: []}
"""
TWO = ("[BTC/USDT:USDT]", "[BTC/USDT:USDT, ETH/USDT:USDT]")


class Practice(Executor[NoOptions]):
    """Is simulated."""

    name = "practice"
    simulated = True


@pytest.fixture
def plugins(plugins):
    """Those of the bench, and an executor for tests."""
    others = [plugins.find(row.kind, row.name) for row in plugins.all() if row.kind]
    return Plugins(allow=(), extra=[*others, Practice], environ={})


def written(given="{trades: {price: [1]}}", expect="{orders: []}", name="x"):
    return ("sinks:", f"tests:\n  - name: {name}\n    given: {given}\n    expect: {expect}\nsinks:")


def test_a_test_is_read(bench):
    (test,) = bench.load(("  - trail\n", f"  - trail\n{TESTS}")).tests
    assert (test.name, test.path) == ("buys after a cross, stops below", "tests[0]")
    assert test.given.account.equity == 10000
    bars = test.given.market["BTC/USDT:USDT"]["bars"]
    assert (bars.interval, bars.close) == (60_000_000_000, ((100, 40), 99, 98, 101, 104, 108))
    (order,) = test.expect.lists["orders"].entries
    assert order.stop_below == Decimal(108)
    assert test.expect.lists["refusals"].entries == ()


def test_money_is_exactly_what_was_written(bench):
    (test,) = bench.load(written("{equity: 0.1000000000000000000001, quotes: {bid: [1]}}", "{equity: 1e-30}")).tests
    assert test.given.account.equity == Decimal("0.1000000000000000000001")
    assert [figure.value for figure in test.expect.figures] == [Decimal("1e-30")]


@pytest.mark.parametrize("section", ["", "tests:\n", "tests: []\n"])
def test_a_recipe_may_have_none(bench, section):
    assert bench.load(("sinks:", f"{section}sinks:")).tests == ()


def test_tests_do_not_change_which_recipe_it_is(bench):
    plain = bench.load()
    tested = bench.load(("sinks:", f"{TESTS}sinks:"))
    assert tested.tests
    assert tested.resolved == plain.resolved


def test_series_may_be_by_symbol(bench):
    (test,) = bench.load(
        TWO,
        written(
            "{quotes: {BTC/USDT:USDT: {bid: [1]}}, bars: {ETH/USDT:USDT: {interval: 1m, close: [1]}}, "
            "marks: {BTC/USDT:USDT: {price: [1]}, ETH/USDT:USDT: {price: [1]}}}"
        ),
    ).tests
    assert {symbol: sorted(series) for symbol, series in test.given.market.items()} == {
        "BTC/USDT:USDT": ["marks", "quotes"],
        "ETH/USDT:USDT": ["bars", "marks"],
    }


def test_tests_are_shown_with_their_origins(bench):
    recipe = bench.load(("sinks:", f"{TESTS}sinks:"))
    shown = as_yaml(recipe)
    assert '  - name: "buys after a cross, stops below"  # r.yaml:14\n' in shown
    assert "        close: [[100, 40], 99, 98, 101, 104, 108]  # r.yaml:15\n" in shown
    assert as_json(recipe)["recipe"]["tests"][0]["expect"]["orders"] == [{"side": "buy", "stop_below": 108}]
    again = load(parse(shown.encode(), "shown.yaml").data, bench.plugins, bench.project(), {})
    assert again.tests == recipe.tests
    assert "tests" not in as_yaml(bench.load())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("sinks:", "tests: 5\nsinks:"), "r.yaml:12:8: tests: must be a list: write - before each entry, was 5"),
        (("sinks:", "tests: [5]\nsinks:"), "tests[0]: must be a mapping of name, given and expect, was 5"),
        (written(name="[a]"), "r.yaml:13:11: tests[0].name: must be text on one line, was a list"),
        (written(given="[]"), "tests[0].given: must be a mapping, such as {equity: 10000, bars: {...}}, was an empty"),
        (written(given="{}"), "tests[0].given: has no market of BTC/USDT:USDT: write at least one of marks, quotes"),
        (
            written(given="{bar: {}}"),
            "r.yaml:14:13: tests[0].given.bar: is not known; did you mean bars? known: equity",
        ),
        (written(given="{equity: 0, quotes: {bid: [1]}}"), "tests[0].given.equity: must be above 0, was 0"),
        (written(given="{latency: x, quotes: {bid: [1]}}"), "tests[0].given.latency: must be a duration"),
        (written(given="{bars: 5}"), "tests[0].given.bars: must be a mapping, was 5"),
        (written(given="{bars: {close: [1]}}"), "tests[0].given.bars.interval: is missing"),
        (written(given="{bars: {interval: 1m, close: 1}}"), "tests[0].given.bars.close: must be a list, was 1"),
        (
            written(given="{bars: {interval: 1m, clos: [1], close: [1]}}"),
            "bars.clos: is not known; did you mean close?",
        ),
        (
            written(given="{bars: {interval: 1m, close: [1, -2]}}"),
            "r.yaml:14:45: tests[0].given.bars.close[1]: must be above 0 or a list, was -2",
        ),
        (
            written(given="{bars: {interval: 1m, close: [1, [2, 0]]}}"),
            "tests[0].given.bars.close[1]",
        ),
        (
            written(given="{bars: {interval: 1m, close: [1, 2], volume: [3]}}"),
            "tests[0].given.bars: close has 2 entries and volume 1: they go together one by one",
        ),
        (
            written(given="{quotes: {ETH/USDT:USDT: {bid: [1]}}}"),
            "r.yaml:14:22: tests[0].given.quotes.ETH/USDT:USDT: is not known; did you mean BTC/USDT:USDT?",
        ),
        (written(expect="{order: []}"), "r.yaml:15:14: tests[0].expect.order: is not known; did you mean orders?"),
        (
            written(expect="{orders: [{side: by}]}"),
            "r.yaml:15:30: tests[0].expect.orders[0].side: must be one of 'buy' or 'sell', was by",
        ),
        (
            ("sinks:", "tests:\n  - {name: x, given: {trades: {price: [1]}}}\nsinks:"),
            "r.yaml:13:5: tests[0].expect: is missing",
        ),
        (
            ("sinks:", "tests:\n  - {name: x, give: {}, given: {trades: {price: [1]}}, expect: {orders: []}}\nsinks:"),
            "r.yaml:13:15: tests[0].give: is not known; did you mean given? known: name, given, expect",
        ),
    ],
)
def test_a_fault_is_one_problem_of_lint_and_of_a_run(bench, change, told):
    (problem,) = bench.refused(change)
    assert told in problem
    file = bench.write(bench.with_changes(change))
    assert [str(each) for each in lint(file, bench.plugins, bench.project(), {})] == [problem]


words = {"name", "given", "expect", "equity", "bars", "quotes", "interval", "close", "bid", "orders", "exactly"}
keys = st.sampled_from(sorted(words | {"side", "position", "stop", "BTC/USDT:USDT"}))
plain = st.none() | st.booleans() | st.integers(-2, 9) | st.floats(-2, 9) | st.sampled_from(["1m", "buy", "x", "1"])
data = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.fixed_dictionaries({"name": plain, "given": data, "expect": data}) | data, max_size=2) | data)
def test_whatever_is_written_is_read_or_told(raw):
    findings = Findings(Document("", None), Interpolation({}))
    tests = read_tests(raw, ["BTC/USDT:USDT"], findings)
    assert findings.problems or len(tests) == len(raw)
    for test in tests:
        test.given.events({"mark", "trade"})


def test_names_are_not_given_twice(bench):
    test = "  - {name: x, given: {quotes: {bid: [1]}}, expect: {orders: []}}\n"
    (problem,) = bench.refused(("sinks:", f"tests:\n{test}{test}sinks:"))
    assert problem == "r.yaml:14:12: tests[1].name: is the name of tests[0] too: give it another"


def test_a_strategy_that_is_not_there_is_a_problem(bench):
    (problem,) = bench.refused(written(expect="{pnl: {crosss: 0}}"))
    assert problem == "r.yaml:15:20: tests[0].expect.pnl.crosss: is not known; did you mean cross? known: cross"


def test_with_several_instruments_a_series_says_whose_it_is(bench):
    (problem,) = bench.refused(TWO, written())
    assert problem == (
        "r.yaml:14:21: tests[0].given.trades: must be by symbol, {BTC/USDT:USDT: {...}}: the recipe has several"
    )
    (problem,) = bench.refused(TWO, written("{quotes: {BTC/USDT:USDT: {bid: [1]}}}"))
    assert "tests[0].given: has no market of ETH/USDT:USDT" in problem


def test_variables_may_be_unset_in_what_is_replaced(bench):
    changes = (("account: demo", "account: '${ACC}', key: '${KEY}'"), ("  - trail", "  - trail: {path: '${OUT}'}"))
    assert len(bench.refused(*changes)) == 3
    file = bench.folder / "r.yaml"
    recipe = load(file, bench.plugins, bench.project(), {}, ("executor", "sinks"))
    assert recipe.executor.component.name == "desk"
    with pytest.raises(RecipeProblems) as refusal:
        load(file, bench.plugins, bench.project(), {}, ("executor",))
    assert [(problem.severity, problem.path) for problem in refusal.value.problems] == [
        ("error", "sinks[0].trail.path"),
    ]

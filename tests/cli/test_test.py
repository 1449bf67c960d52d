import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

RECIPE = """\
name: tested
instruments: [BTC/USDT:USDT]
feeds: [{synthetic: {}}]
strategies: [{momentum: {interval: 1m, rsi: 14, fast: 12, slow: 26}}]
allocator: equal_weight
risk:
  sizing: [{fixed_quantity: {quantity: 10}}]
  limits: [{max_position: {limit: 5}}]
executor: {paper: {balance: 1, taker_fee: 0.9, latency: 1h}}
sinks: [console]
tests:
"""
RECIPE_WITHOUT_STOP = ("  protection: [{atr_stop: {interval: 1m, period: 14, multiplier: 3}}]\n", "")
CLOSES = "close: [[100, 40], 99, 98, 101, 104, 108]"


def case(name, expect, given=f"equity: 10000, bars: {{interval: 1m, {CLOSES}}}"):
    return f"  - name: {name}\n    given: {{{given}}}\n    expect: {expect}\n"


@pytest.fixture
def tested(quantmind, folder):
    """Run the tests of a recipe; returns exit code, output lines and errors."""

    def run(*tests, recipe=RECIPE, arguments=()):
        (folder / "r.yaml").write_text(recipe + "".join(tests))
        code, output, errors = quantmind("test", "r.yaml", *arguments)
        return code, output.splitlines(), errors

    return run


def test_the_averages_cross_at_104_with_an_rsi_of_78(tested):
    # (RSI - 50) / 50 is the confidence: 0.5535 is an RSI of 77.7. The other two signals come while the price falls.
    signals = "[{strategy: momentum, direction: 1, confidence_above: 0.55, confidence_below: 0.57}]"
    assert tested(case("cross", f"{{signals: {signals}}}")) == (0, ["r.yaml: cross: ok"], "")
    assert tested(case("all", "{signals: {exactly: [-1, 0, {direction: 1, confidence: 0.553500661}]}}"))[0] == 0


def test_orders_refusals_and_figures_are_those_of_a_real_run(tested):
    code, output, errors = tested(
        case(
            "whole",
            """
      signals: [-1, 0, 1]
      targets: [-1, 0, 0.553500661]
      orders:
        exactly:
          - {side: sell, quantity: 5, type: market, reduce_only: false, state: filled}
          - {side: buy, quantity: 5, reduce_only: true, stop: null}
          - {side: buy, quantity: 5, filled: 5}
      refusals: {exactly: [{code: max_position, quantity: 5, side: sell}, {code: max_position, quantity: 0.535}]}
      fills: {exactly: [{price: 98, fee: 0, position: -5}, {price: 104, realised: -30}, {price: 108, position: 5}]}
      position: 5
      equity: 9970
      pnl: -30
      fees: 0
      latches: []
      funding: []
""",
        )
    )
    assert (code, output, errors) == (0, ["r.yaml: whole: ok"], "")


def test_a_failure_says_what_was_expected_and_what_came(tested):
    code, output, errors = tested(
        case("stops", "{orders: [{side: buy, stop_below: 108}], refusals: []}"),
        case("flat", "{position: 0}"),
        case("long", "{position: 5}"),
    )
    assert (code, errors) == (1, "")
    assert output[0].startswith(
        "r.yaml: stops: FAILED: orders[0]: expected {purpose: target, side: buy, stop_below: 108}, came {"
    )
    assert output[0].endswith("stop was none (refused: max_position 2)")
    assert output[1:] == [
        "r.yaml: flat: FAILED: position: expected 0 in BTC/USDT:USDT, came 5.000 (refused: max_position 2)",
        "r.yaml: long: ok",
    ]


def test_fee_and_latency_are_those_of_the_test(tested):
    given = f"equity: 500, fee: 0.001, latency: 90s, bars: {{interval: 1m, {CLOSES[:-1]}, 109]}}"
    # Sold at 101, two minutes after the signal at 99; bought back at 108; bought at 109.
    expect = "{fills: [{price: 101, fee: 0.505}, {price: 108}, {price: 109}], equity_above: 460, equity_below: 465}"
    assert tested(case("late", expect, given))[1] == ["r.yaml: late: ok"]


def test_a_market_may_be_written_in_full(tested):
    bars = "open: [[100, 40], 100, 99, 98, 101, 104], high: [[100, 40], 100, 99, 102, 105, 109]"
    given = f"bars: {{interval: 1m, {CLOSES}, {bars}}}"
    # Without quotes a market order fills at the open of the next bar.
    assert tested(case("bars", "{fills: [{price: 99}, {price: 101}, {price: 104}]}", given))[1] == ["r.yaml: bars: ok"]
    given = "trades: {price: [[100, 40], 99, 98, 101, 104, 108, 108], every: 1m}"
    # Bars are built from trades; one at the boundary belongs to the bar that begins there.
    assert tested(case("trades", "{signals: [-1, 0, 1], fills: [sell, buy, buy]}", given))[1] == ["r.yaml: trades: ok"]


def test_json_is_an_object_for_each_test(tested):
    code, output, _ = tested(case("a", "{position: 5}"), case("b", "{position: 6}"), arguments=["--json"])
    first, second = json.loads("".join(output))
    assert code == 1
    assert first == {"recipe": "r.yaml", "test": "a", "ok": True, "difference": ""}
    assert (second["test"], second["ok"]) == ("b", False)
    assert second["difference"].startswith("position: expected 6")


def test_tests_are_chosen_by_name(tested):
    tests = case("Longs", "{position: 5}"), case("shorts", "{position: -5}")
    assert tested(*tests, arguments=["-k", "long"])[:2] == (0, ["r.yaml: Longs: ok"])
    code, output, errors = tested(*tests, arguments=["-k", "flat"])
    assert (code, output) == (2, [])
    assert errors == "error: no test has flat in its name\n"


def test_a_recipe_without_tests_says_so(tested):
    assert tested() == (0, ["r.yaml: has no tests"], "")


def test_a_broken_recipe_ends_with_78_before_any_test_runs(tested, quantmind, folder):
    (folder / "broken.yaml").write_text(RECIPE.replace("limit: 5", "limit: -5") + case("x", "{order: []}"))
    (folder / "r.yaml").write_text(RECIPE + case("a", "{position: 5}"))
    code, output, errors = quantmind("test", "r.yaml", "broken.yaml")
    assert (code, output) == (78, "")
    first, second = errors.splitlines()
    assert first.startswith("error: broken.yaml:8:35: risk.limits[0].max_position.limit: must be above 0, was -5")
    assert second.startswith("error: broken.yaml:14:14: tests[0].expect.order: is not known; did you mean orders?")


def test_a_market_that_lacks_what_is_needed_ends_with_78(tested):
    code, output, errors = tested(case("hourly", "{position: 0}", "bars: {interval: 1h, close: [1]}"))
    assert (code, output) == (78, [])
    assert "strategies[0].momentum: needs bars of 1m of BTC/USDT:USDT, but no feed offers them" in errors
    assert "tests[0].given offers bars of 1h, quotes" in errors


def test_an_option_that_the_executor_lacks_ends_with_78(tested):
    code, _, errors = tested(
        case("x", "{position: 0}", "executor: {balanse: 1}, quotes: {bid: [1]}, trades: {price: [1]}")
    )
    assert code == 78
    assert "tests[0].given.executor.balanse: is not known; did you mean balance?" in errors


class TestTheExampleOfTheDesign:
    RECIPE = """\
name: btc-momentum
instruments: [BTC/USDT:USDT]
feeds:
  - synthetic: {seed: 7}
strategies:
  - momentum: {interval: 1m, rsi: 14, fast: 12, slow: 26}
  - mean_reversion: {interval: 5m, window: 20, width: 2.0}
    id: slow-reversion
allocator:
  equal_weight: {}
risk:
  sizing:     [{kelly: {win_rate: 0.55, reward_risk: 1.5, fraction: 0.5, cap: 2}}]
  protection: [{atr_stop: {interval: 1m, period: 14, multiplier: 3}}]
  limits:     [{max_leverage: {limit: 3}}, {max_drawdown: {limit: 0.1, then: flatten}}]
  no_trade_band: 0.05
entry:
  limit: {offset_ticks: 1, timeout: 10s, then: market}
executor:
  paper: {account: demo, balance: 10000}
sinks:
  - console
tests:
  - name: buys after a cross, stops below
    given:  {equity: 10000, bars: {interval: 1m, close: [[100, 40], 99, 98, 101, 104, 108]}}   # [value, count] repeats
    expect: {signals: [{strategy: momentum, direction: 1}], orders: [{side: buy, stop_below: 108}], refusals: []}
"""

    def test_it_passes_as_it_stands(self, tested):
        assert tested(recipe=self.RECIPE) == (0, ["r.yaml: buys after a cross, stops below: ok"], "")

    @pytest.mark.parametrize(
        ("written", "told"),
        [
            ("stop_below: 106", "stop was 106.4"),
            ("stop_above: 107", "stop was 106.4"),
        ],
    )
    def test_it_fails_with_another_expectation(self, tested, written, told):
        code, (line,), _ = tested(recipe=self.RECIPE.replace("stop_below: 108", written))
        assert code == 1
        assert told in line

    @pytest.mark.parametrize(
        ("recipe", "told"),
        [
            (RECIPE_WITHOUT_STOP, "stop was none"),
            (("direction: 1", "direction: 0.5"), "signals[0]: expected {strategy: momentum, direction: 0.5}"),
            (("limit: 3}", "limit: 0.1}"), "refusals: expected no refusals, came"),
        ],
    )
    def test_it_fails_with_another_recipe(self, tested, recipe, told):
        code, (line,), _ = tested(recipe=self.RECIPE.replace(*recipe))
        assert code == 1
        assert told in line


def test_the_tests_of_the_recipes_pass(quantmind, monkeypatch):
    monkeypatch.chdir(ROOT)
    code, output, errors = quantmind("test", *sorted(Path("recipes").glob("*.yaml")))
    assert (code, errors) == (0, "")
    assert "recipes/protected.yaml: stops for good when a tenth is lost: ok\n" in output


def test_the_protected_recipe_trades_with_stops(quantmind, folder, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    code, output, _ = quantmind("run", ROOT / "recipes" / "protected.yaml", "--json")
    assert code == 0
    summary = json.loads(output)
    assert summary["fills"] > 5
    orders = [json.loads(line) for line in quantmind("export", summary["run"])[1].splitlines()]
    purposes = {order["purpose"] for order in orders if order["type"] == "order"}
    assert purposes == {"target", "stop", "take_profit"}


@pytest.mark.parametrize("arguments", [["test"], ["test", "no.yaml"], ["test", "."], ["test", "--jso", "r.yaml"]])
def test_wrong_usage_ends_with_2(quantmind, folder, arguments):
    (folder / "r.yaml").write_text(RECIPE)
    code, output, _ = quantmind(*arguments)
    assert (code, output) == (2, "")


def test_what_is_replaced_needs_no_variables_and_leaves_nothing_behind(tested, folder):
    recipe = RECIPE.replace("[console]", "[{jsonl: {path: '${NOWHERE}'}}]")
    assert tested(case("a", "{position: 5}"), recipe=recipe)[:2] == (0, ["r.yaml: a: ok"])
    code, _, errors = tested(recipe=recipe.replace("quantity: 10", "quantity: '${SIZE}'"))
    assert code == 78
    assert "risk.sizing[0].fixed_quantity.quantity: the environment variable SIZE is not set" in errors
    assert [path.name for path in folder.iterdir()] == ["r.yaml"]


def test_the_help_shows_a_test_as_it_is_written(quantmind):
    code, output, _ = quantmind("test", "--help")
    shown = "    tests:\n      - name: buys after a cross, stops below\n        given:\n          equity: 10000\n"
    assert (code, shown in output, "\\b" in output) == (0, True, False)

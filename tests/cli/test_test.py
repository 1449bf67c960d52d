import contextlib
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from quantmind.pipeline import recipe_test

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
STOPPED = ("risk:\n", "risk:\n  protection: [{atr_stop: {interval: 1m, period: 14, multiplier: 3}}]\n")
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
        return code, timeless(output).splitlines(), errors

    return run


def timeless(output):
    """Take the duration out of a report."""
    return re.sub(r" in [0-9]+\.[0-9]{2}s$", " in Ts", output, flags=re.MULTILINE)


PASSED = (0, [f"r.yaml .{' ' * 66}[100%]", "1 passed in Ts"], "")


def test_the_averages_cross_at_104_with_an_rsi_of_78(tested):
    # (RSI - 50) / 50 is the confidence: 0.5535 is an RSI of 77.7. The other two signals come while the price falls.
    signals = "[{strategy: momentum, direction: 1, confidence_above: 0.55, confidence_below: 0.57}]"
    assert tested(case("cross", f"{{signals: {signals}}}")) == PASSED
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
    assert (code, output, errors) == PASSED


def test_a_failure_says_where_what_was_expected_and_what_came(tested):
    code, output, errors = tested(
        case("stops", "{orders: [{side: buy, stop_below: 108}], refusals: [], pnl_above: 0}"),
        case("flat", "{position: 0}"),
        case("long", "{position: 5}"),
    )
    assert (code, errors) == (1, "")
    order = "symbol: BTC/USDT:USDT, side: buy, quantity: 5.000, purpose: target"
    filled = "filled: 5.000, type: market, state: filled"
    refusal = "code: max_position, symbol: BTC/USDT:USDT"
    assert output[:8] == [
        f"r.yaml FF.{' ' * 64}[100%]",
        f"{' FAILURES ':=^80}",
        f"{' stops ':_^80}",
        "r.yaml:12:5",
        "  orders[0]  (r.yaml:14:23)",
        "    expected  {purpose: target, side: buy, stop_below: 108}",
        f"    came      after 0:43:00 {{{order}, reduce_only: true, {filled}}}: stop was none",
        f"          or  after 0:44:00 {{{order}, reduce_only: false, {filled}}}: stop was none",
    ]
    assert output[9:16] == [
        "  refusals  (r.yaml:14:64)",
        "    expected  no refusals",
        f"    came      after 0:41:00 {{{refusal}, side: sell, quantity: 5.000, figures: position 10.000 > limit 5}}",
        f"         and  after 0:44:00 {{{refusal}, side: buy, quantity: 0.535, figures: position 5.535 > limit 5}}",
        "  pnl_above  (r.yaml:14:79)",
        "    expected  above 0",
        "    came      -30.0000",
    ]
    assert output[16:] == [
        "  refused: max_position 2",
        f"{' flat ':_^80}",
        "r.yaml:15:5",
        "  position  (r.yaml:17:24)",
        "    expected  0",
        "    came      5.000",
        "  refused: max_position 2",
        f"{' summary ':=^80}",
        "FAILED r.yaml:12: stops",
        "FAILED r.yaml:15: flat",
        "2 failed, 1 passed in Ts",
    ]


def test_stops_and_the_profit_of_strategies_are_expected_as_they_are_written(tested):
    recipe = RECIPE.replace(*STOPPED)
    expect = """
      stops:
        exactly:
          - {side: buy, first_trigger: 98.3, state: filled}
          - {side: sell, trigger_above: 106, trigger_below: 107, quantity: 5, state: accepted}
      take_profits: []
      pnl: {momentum: -15}
      pnl_above: {BTC/USDT:USDT: {momentum: -20}}
      fees: {BTC/USDT:USDT: 0}
      position: {BTC/USDT:USDT: {momentum: 5}}
"""
    assert tested(case("all", expect), recipe=recipe) == PASSED


def test_names_and_outcomes_are_told_when_asked_for(tested):
    tests = case("long", "{position: 5}"), case("flat", "{position: 0}")
    assert tested(*tests, arguments=["-v"])[1][:2] == ["r.yaml:12: long PASSED [ 50%]", "r.yaml:15: flat FAILED [100%]"]
    code, output, _ = tested(*tests, arguments=["-q"])
    assert (code, output[0]) == (1, f"{' FAILURES ':=^80}")
    assert tested(*tests[:1], arguments=["--quiet"]) == (0, ["1 passed in Ts"], "")
    assert tested(*tests, arguments=["-q", "-v"])[0] == 2


@pytest.mark.parametrize(
    ("arguments", "signs", "told"),
    [
        (["-x"], "F", "stopped after 1 failure: 3 not run"),
        (["--maxfail", "2"], "FF", "stopped after 2 failures: 2 not run"),
        (["--maxfail", "3"], "FF.F", "3 failed, 1 passed in Ts"),
    ],
)
def test_it_stops_when_enough_have_failed(tested, arguments, signs, told):
    expected = {"a": 0, "b": 0, "c": 5, "d": 0}
    code, output, _ = tested(*(case(name, f"{{position: {at}}}") for name, at in expected.items()), arguments=arguments)
    assert (code, output[0].split()[1]) == (1, signs)
    assert told in output


def test_tests_are_listed(tested):
    tests = case("long", "{position: 5}"), case("flat", "{position: 0}")
    assert tested(*tests, arguments=["--collect-only"]) == (0, ["r.yaml:12: long", "r.yaml:15: flat", "2 tests"], "")
    assert tested(*tests, arguments=["--collect-only", "-k", "fl"])[1] == ["r.yaml:15: flat", "1 test"]
    rows = json.loads("".join(tested(*tests, arguments=["--collect-only", "--json"])[1]))
    assert rows[1] == {"file": "r.yaml", "line": 15, "name": "flat"}


class TestFolders:
    @pytest.fixture
    def tree(self, folder):
        for name in ("b/two.yaml", "a/one.yml", "one.yaml", ".hidden/no.yaml", "a/.no.yaml"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(RECIPE + case("long", "{position: 5}"))
        (folder / "plain.yaml").write_text(RECIPE.partition("tests:")[0])
        (folder / "compose.yaml").write_text("services: {db: {image: postgres}}\ntests: 5\n")
        (folder / "broken.yaml").write_text("a: [b\n")
        (folder / "quantmind.yaml").write_text("logging: {level: info}\n")
        return folder

    @pytest.mark.parametrize("arguments", [[], ["."], ["a", "b", "one.yaml", "a"]])
    def test_the_recipes_with_tests_below_a_folder_are_found(self, tree, quantmind, arguments):
        code, output, errors = quantmind("test", *arguments, "--collect-only")
        assert (code, errors) == (0, "")
        assert sorted(output.splitlines()) == [
            "3 tests",
            "a/one.yml:12: long",
            "b/two.yaml:12: long",
            "one.yaml:12: long",
        ]

    def test_a_broken_recipe_with_tests_is_told(self, tree, quantmind):
        (tree / "bad.yaml").write_text(RECIPE + "  - {name: [\nstrategies: 5\n")
        code, output, errors = quantmind("test")
        assert (code, output) == (78, "")
        assert errors.startswith("error: bad.yaml:")

    def test_files_of_a_folder_each_have_a_line(self, tree, quantmind):
        lines = timeless(quantmind("test")[1]).splitlines()
        assert [line.split() for line in lines] == [
            ["one.yaml", ".", "[", "33%]"],
            ["a/one.yml", ".", "[", "66%]"],
            ["b/two.yaml", ".", "[100%]"],
            ["3", "passed", "in", "Ts"],
        ]
        assert {len(line) for line in lines[:-1]} == {80}


def test_an_interrupt_tells_what_was_run(tested, monkeypatch, folder):
    real = recipe_test.run

    def run(prepared):
        if prepared.test.name == "second":
            raise KeyboardInterrupt
        return real(prepared)

    monkeypatch.setattr(recipe_test, "run", run)
    tests = [case(name, "{position: 5}") for name in ("first", "second", "third")]
    code, output, errors = tested(*tests, arguments=["--junit", "report.xml"])
    assert (code, errors) == (130, "")
    assert output[1:] == ["interrupted: 2 of 3 tests were not run to the end", "1 passed in Ts"]
    assert ET.parse(folder / "report.xml").getroot().get("tests") == "1"


class TestJUnit:
    def test_it_has_a_suite_for_each_recipe_and_a_case_for_each_test(self, tested, quantmind, folder):
        failing = case("'<a> & \"b\"'", "{position: 0, fees: 1}")
        (folder / "other.yaml").write_text(RECIPE + case("long", "{position: 5}"))
        (folder / "r.yaml").write_text(RECIPE + case("long", "{position: 5}") + failing)
        assert quantmind("test", "r.yaml", "other.yaml", "--junit", "report.xml")[0] == 1
        root = ET.parse(folder / "report.xml").getroot()
        assert (root.tag, root.get("tests"), root.get("failures"), root.get("errors")) == ("testsuites", "3", "1", "0")
        first, second = root
        assert [(suite.get("name"), suite.get("tests")) for suite in root] == [("r.yaml", "2"), ("other.yaml", "1")]
        passed, failed = first
        assert (passed.get("classname"), passed.get("name"), passed.get("line")) == ("r.yaml", "long", "12")
        assert len(passed) == 0
        assert (failed.get("name"), failed.get("line")) == ('<a> & "b"', "15")
        (failure,) = failed
        assert failure.get("message") == "position: expected 0, came 5.000; fees: expected 1, came 0.0000"
        assert failure.text.splitlines()[0] == "r.yaml:17:24: position: expected 0, came 5.000"
        times = [float(each.get("time")) for each in (*first, *second)]
        assert float(root.get("time")) >= sum(times) - 0.01
        assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []

    def test_what_cannot_be_written_is_refused_before_a_test_runs(self, tested):
        code, output, errors = tested(case("a", "{position: 5}"), arguments=["--junit", "nowhere/report.xml"])
        assert (code, output) == (2, [])
        assert errors == "error: --junit: nowhere is no folder that can be written to\n"

    def test_a_device_stays_one(self, tested):
        assert tested(case("a", "{position: 5}"), arguments=["--junit", "/dev/null"])[0] == 0
        assert Path("/dev/null").is_char_device()


class TestAComponentThatRaises:
    PLUGIN = """
from quantmind.hookspecs import hookimpl
from quantmind.kinds import NoOptions, Strategy, QUOTES, Needs

class Torn(Strategy[NoOptions]):
    '''Raises.'''

    name = "stranger"

    @classmethod
    def needs(cls, options):
        return Needs((QUOTES,))

    def on_quote(self, event):
        raise KeyError("nothing\\x1b[31m")

@hookimpl
def register_components():
    return [Torn]
"""

    @pytest.fixture
    def torn(self, stranger):
        (stranger / "stranger_sink.py").write_text(self.PLUGIN)
        sys.modules.pop("stranger_sink", None)
        return RECIPE.replace("momentum: {interval: 1m, rsi: 14, fast: 12, slow: 26}", "stranger: {}")

    def test_it_is_an_error_of_the_test_with_its_place(self, tested, torn):
        code, output, _ = tested(case("x", "{position: 0}"), case("y", "{position: 0}"), recipe=torn)
        assert (code, output[0].split()[1], output[-1]) == (1, "EE", "2 errors in Ts")
        assert re.search(r"the run failed: strategy stranger failed .*KeyError.*\(.*stranger_sink.py:15\)", output[4])
        assert not any("Traceback" in line for line in output)

    def test_the_traceback_is_shown_when_debugging(self, torn, quantmind, folder):
        (folder / "r.yaml").write_text(torn + case("x", "{position: 0}"))
        code, output, _ = quantmind("--debug", "test", "r.yaml")
        assert (code, "Traceback" in output, "in on_quote" in output) == (1, True, True)

    def test_it_is_an_error_for_machines(self, tested, torn, folder):
        code, output, _ = tested(case("x", "{position: 0}"), recipe=torn, arguments=["--json", "--junit", "report.xml"])
        (row,) = json.loads("".join(output))
        assert (code, row["outcome"], row["differences"]) == (1, "error", [])
        assert "KeyError" in row["error"]
        (error,) = ET.parse(folder / "report.xml").getroot().iter("error")
        assert "KeyError" in error.get("message")


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_are_for_terminals_that_want_them(folder, no_color, coloured):
    (folder / "r.yaml").write_text(RECIPE + case("long", "{position: 5}"))
    parent, child = pty.openpty()
    environ = {**os.environ, "TERM": "xterm"} | ({"NO_COLOR": no_color} if no_color else {})
    command = [sys.executable, "-m", "quantmind", "test", "r.yaml"]
    environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "plugins")])
    process = subprocess.Popen(command, stdout=child, stderr=child, stdin=child, env=environ)
    os.close(child)
    shown = b""
    with contextlib.suppress(OSError):
        while chunk := os.read(parent, 4096):
            shown += chunk
    os.close(parent)
    assert process.wait(timeout=60) == 0
    assert (b"\x1b[32m1 passed" in shown, b"\x1b[" in shown) == (coloured, coloured)


def test_fee_and_latency_are_those_of_the_test(tested):
    given = f"equity: 500, fee: 0.001, latency: 90s, bars: {{interval: 1m, {CLOSES[:-1]}, 109]}}"
    # Sold at 101, two minutes after the signal at 99; bought back at 108; bought at 109.
    expect = "{fills: [{price: 101, fee: 0.505}, {price: 108}, {price: 109}], equity_above: 460, equity_below: 465}"
    assert tested(case("late", expect, given)) == PASSED


def test_a_market_may_be_written_in_full(tested):
    bars = "open: [[100, 40], 100, 99, 98, 101, 104], high: [[100, 40], 100, 99, 102, 105, 109]"
    given = f"bars: {{interval: 1m, {CLOSES}, {bars}}}"
    # Without quotes a market order fills at the open of the next bar.
    assert tested(case("bars", "{fills: [{price: 99}, {price: 101}, {price: 104}]}", given)) == PASSED
    given = "trades: {price: [[100, 40], 99, 98, 101, 104, 108, 108], every: 1m}"
    # Bars are built from trades; one at the boundary belongs to the bar that begins there.
    assert tested(case("trades", "{signals: [-1, 0, 1], fills: [sell, buy, buy]}", given)) == PASSED


def test_json_is_an_object_for_each_test(tested):
    code, output, _ = tested(case("a", "{position: 5}"), case("b", "{position: 6}"), arguments=["--json"])
    first, second = json.loads("".join(output))
    assert code == 1
    assert 0 < first.pop("duration") < 60
    assert first == {
        "file": "r.yaml",
        "line": 12,
        "name": "a",
        "outcome": "passed",
        "differences": [],
        "refusals": {},
        "error": "",
    }
    assert (second["name"], second["line"], second["outcome"]) == ("b", 15, "failed")
    assert second["differences"] == [{"path": "position", "line": 17, "expected": "6", "came": ["5.000"]}]
    assert second["refusals"] == {"max_position": 2}


def test_tests_are_chosen_by_name(tested):
    tests = case("Longs", "{position: 5}"), case("shorts", "{position: -5}")
    assert tested(*tests, arguments=["-k", "long"]) == PASSED
    code, output, errors = tested(*tests, arguments=["-k", "flat"])
    assert (code, output) == (2, [])
    assert errors == "error: no test has flat in its name: `quantmind test --collect-only` lists them\n"


def test_no_tests_are_a_mistake(tested, quantmind, folder):
    code, output, errors = tested()
    assert (code, output) == (2, [])
    assert errors == "error: r.yaml: no tests: write a section tests:, as `quantmind test --help` shows it\n"
    (folder / "empty").mkdir()
    code, output, errors = quantmind("test", "empty")
    assert (code, output) == (2, "")
    assert errors.startswith("error: empty: no recipe with tests: write a section tests: into one")


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
    assert errors == (
        "error: r.yaml:13:12: tests[0].given: strategies[0].momentum needs bars of 1m of BTC/USDT:USDT, but no feed "
        "offers them or what they could be built from; tests[0].given offers bars of 1h, quotes; bars of a "
        "multiple of 1h can be built\n"
    )


def test_a_recipe_of_a_folder_that_cannot_be_read_is_told(tested, quantmind, folder):
    (folder / "gone.yaml").symlink_to("nowhere.yaml")
    os.mkfifo(folder / "pipe.yaml")
    (folder / "r.yaml").write_text(RECIPE + case("long", "{position: 5}"))
    code, output, errors = quantmind("test", ".")
    assert (code, output) == (78, "")
    assert errors == "error: gone.yaml: cannot be read: No such file or directory\n"


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
        assert tested(recipe=self.RECIPE) == PASSED

    @pytest.mark.parametrize(
        ("written", "told"),
        [
            ("stop_below: 106", "stop was 106.4"),
            ("stop_above: 107", "stop was 106.4"),
        ],
    )
    def test_it_fails_with_another_expectation(self, tested, written, told):
        code, output, _ = tested(recipe=self.RECIPE.replace("stop_below: 108", written))
        assert code == 1
        assert told in "\n".join(output)

    @pytest.mark.parametrize(
        ("recipe", "told"),
        [
            (RECIPE_WITHOUT_STOP, "stop was none"),
            (("direction: 1", "direction: 0.5"), "    expected  {strategy: momentum, direction: 0.5}"),
            (("limit: 3}", "limit: 0.1}"), "    expected  no refusals"),
        ],
    )
    def test_it_fails_with_another_recipe(self, tested, recipe, told):
        code, output, _ = tested(recipe=self.RECIPE.replace(*recipe))
        assert code == 1
        assert told in "\n".join(output)


def test_the_tests_of_the_recipes_pass(quantmind, monkeypatch):
    monkeypatch.chdir(ROOT)
    code, output, errors = quantmind("test", "-v", "recipes")
    assert (code, errors) == (0, "")
    assert re.search(r"recipes/protected.yaml:\d+: stops for good when a tenth is lost PASSED", output)


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
    assert tested(case("a", "{position: 5}"), recipe=recipe) == PASSED
    code, _, errors = tested(recipe=recipe.replace("quantity: 10", "quantity: '${SIZE}'"))
    assert code == 78
    assert "risk.sizing[0].fixed_quantity.quantity: the environment variable SIZE is not set" in errors
    assert [path.name for path in folder.iterdir()] == ["r.yaml"]


def test_the_help_shows_a_test_as_it_is_written(quantmind):
    code, output, _ = quantmind("test", "--help")
    shown = "    tests:\n      - name: buys after a cross, stops below\n        given:\n          equity: 10000\n"
    assert (code, shown in output, "\\b" in output) == (0, True, False)

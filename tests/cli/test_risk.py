from __future__ import annotations

import json
import shlex
from decimal import Decimal as D

import click
import pytest

from quantmind.cli.risk import SUBCOMMANDS, risk
from quantmind.market.indicators import ATR

MONEY_KELLY = ("risk", "kelly", "--win-rate", "0.55", "--reward-risk", "1.5")


@pytest.fixture
def answer(quantmind):
    """Call a sum with --json; returns the object, every number exact."""

    def call(*arguments):
        code, output, errors = quantmind("risk", *arguments, "--json")
        assert (code, errors) == (0, "")
        return json.loads(output, parse_float=D)

    return call


def words(text):
    return shlex.split(text)


def refused(quantmind, *arguments):
    """Call a sum that cannot be; returns its one line of complaint."""
    code, output, errors = quantmind("risk", *arguments)
    assert (code, output) == (2, ""), errors
    (line,) = errors.splitlines()
    return line.removeprefix("error: ")


class TestKelly:
    def test_the_given_figures(self, quantmind):
        assert quantmind(*MONEY_KELLY) == (
            0,
            "kelly 0.25 = 0.55 - (1 - 0.55) / 1.5\nf 0.125 = 0.5 * 0.25, the part of the equity to risk on a trade\n",
            "",
        )
        code, output, _ = quantmind(*MONEY_KELLY, "--json")
        assert code == 0
        told = json.loads(output)
        assert (told["kelly"], told["fraction"], told["f"]) == (0.25, 0.5, 0.125)

    def test_figures_are_taken_as_they_are_written(self, answer):
        # 0.1 + 0.9 / 3 in floats would not be it.
        told = answer("kelly", "--win-rate", "0.1", "--reward-risk", "3", "--fraction", "1")
        assert (told["kelly"], told["f"]) == (D("-0.2"), 0)

    def test_without_an_edge_nothing_is_to_be_held(self, quantmind):
        code, output, _ = quantmind("risk", "kelly", "--win-rate", "0.5", "--reward-risk", "1")
        assert (code, output.splitlines()[1]) == (0, "f 0: there is no edge, hold nothing")

    @pytest.mark.parametrize(
        ("arguments", "line"),
        [
            ("--win-rate 1.01 --reward-risk 1", "--win-rate: must be a number between 0 and 1, was 1.01"),
            ("--win-rate=-0.1 --reward-risk 1", "--win-rate: must be a number between 0 and 1, was -0.1"),
            ("--win-rate half --reward-risk 1", "--win-rate: must be a number between 0 and 1, was half"),
            ("--win-rate nan --reward-risk 1", "--win-rate: must be a number between 0 and 1, was nan"),
            ("--win-rate 0.5 --reward-risk 0", "--reward-risk: must be a number above 0, was 0"),
            (
                "--win-rate 0.5 --reward-risk 1e99",
                "--reward-risk: must be a number above 0, of a size from 1e-15 to 1e15, was 1e99",
            ),
            (
                "--win-rate 0.5 --reward-risk 1 --fraction 1.5",
                "--fraction: must be a number above 0 and at most 1, was 1.5",
            ),
            ("--win-rate 0.5", "give --win-rate and --reward-risk, or --file with trade results"),
            ("", "give --win-rate and --reward-risk, or --file with trade results"),
        ],
    )
    def test_out_of_range_is_told_with_the_range(self, quantmind, arguments, line):
        assert refused(quantmind, "kelly", *shlex.split(arguments)) == line


class TestKellyOfAFile:
    TRADES = "id,Result\n1,10\n2,-5\n# a pause\n3,0\n\n4,7\n5,-4\n6,12.5\n"

    def test_lines_and_columns_are_the_same(self, answer, folder):
        (folder / "a.csv").write_text(self.TRADES)
        (folder / "b.txt").write_text("10\n-5\n0\n7\n-4\n12.5\n")
        (folder / "c.csv").write_text("pnl\n10\n-5\n0\n7\n-4\n12.5\n")
        told = answer("kelly", "--file", "a.csv")
        assert told == answer("kelly", "--file", "b.txt") == answer("kelly", "--file", "c.csv")
        assert (told["trades"], told["wins"], told["losses"]) == (5, 3, 2)
        assert round(told["win_rate"], 9) == round(D(4) / 7, 9)
        assert told["low"] < 0 < told["kelly"] < told["unshrunk"] < told["high"]

    def test_the_interval_and_the_shrunk_figure_are_printed(self, quantmind, folder):
        (folder / "a.csv").write_text(self.TRADES)
        code, output, _ = quantmind("risk", "kelly", "--file", "a.csv")
        assert code == 0
        assert output.splitlines() == [
            "kelly 0.213549 = 0.571429 - (1 - 0.571429) / 1.197531",
            "90 % interval -0.337132 to 0.718941; unshrunk 0.416949",
            "win rate 0.571429 = (1 + 3) / (2 + 5), 0.271338 to 0.846839",
            "reward/risk 1.197531, measured 2.185185, prior 1 worth 10 trades",
            "f 0.106775 = 0.5 * 0.213549, the part of the equity to risk on a trade",
        ]

    def test_the_prior_can_be_said(self, answer, folder):
        (folder / "a.txt").write_text("1\n")
        prior = "--prior-wins 55 --prior-losses 44 --prior-reward-risk 1.5 --prior-weight 1000 --level 0.5"
        told = answer("kelly", "--file", "a.txt", *prior.split())
        assert (told["win_rate"], told["reward_risk"], told["level"]) == (D("0.56"), D("1.5"), D("0.5"))
        assert told["unshrunk"] is None

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("", "a.csv: has no results; write one on a line, such as -12.5"),
            ("1\nx\n", 'a.csv:2: "x" is no number; write one result on a line, such as -12.5'),
            ("id,result\n1\n", 'a.csv:2: "" is no number; write one result on a line, such as -12.5'),
            (
                "1,2\n",
                "a.csv:1: which column holds the results? Name it result, or write one result on a line",
            ),
        ],
    )
    def test_a_bad_file_is_told_by_its_line(self, quantmind, folder, text, line):
        (folder / "a.csv").write_text(text)
        assert quantmind("risk", "kelly", "--file", "a.csv") == (1, "", f"error: {line}\n")

    def test_wrong_usage(self, quantmind, folder):
        assert refused(quantmind, "kelly", "--file", "no.csv").startswith("--file: no.csv: no such file")
        (folder / "a.csv").write_text("1\n")
        assert refused(quantmind, "kelly", "--file", "a.csv", "--win-rate", "0.5").startswith("--file measures")


class TestAtrStop:
    def test_the_given_figures(self, quantmind):
        code, output, _ = quantmind(
            *[
                "risk",
                "atr-stop",
                "--price",
                "50000",
                "--atr",
                "250",
                "--multiplier",
                "2",
                "--side",
                "long",
                "--tick",
                "0.1",
            ]
        )
        assert code == 0
        assert output == "stop 49500 = 50000 - 500\ndistance 500 = 2 * 250, 1 % of the price\n"

    def test_a_tick_rounds_to_where_it_loses_less(self, answer):
        more = words("--price 100 --atr 1.234 --multiplier 1 --tick 0.1")
        assert answer("atr-stop", *more, "--side", "buy")["stop"] == D("98.8")
        assert answer("atr-stop", *more, "--side", "short")["stop"] == D("101.2")

    def test_a_bar_file(self, answer, folder):
        rows = [(n, 100 + n % 7, 103 + n % 7, 95 + n % 5, 101 + n % 7) for n in range(60)]
        lines = [f"{n * 3600},{o},{h},{low},{c},1" for n, o, h, low, c in rows]
        (folder / "b.csv").write_text("time,open,high,low,close,volume\n" + "\n".join(lines) + "\n")
        average = ATR(14)
        for _, _, high, low, close in rows:
            average.update(high, low, close)
        told = answer("atr-stop", "--file", "b.csv", "--interval", "1h", "--side", "long")
        assert told["atr"] == D(repr(average.value))
        assert told["price"] == rows[-1][4]
        assert told["stop"] == told["price"] - 3 * told["atr"]
        assert (
            answer("atr-stop", "--file", "b.csv", "--interval", "1h", "--side", "long", "--price", "90")["price"] == 90
        )

    def test_a_recorded_file(self, answer, data):
        file = data / "binance_usdm_bars" / "BTC_USDT_USDT-1h-futures.feather"
        told = answer("atr-stop", "--file", file, "--interval", "1h", "--side", "short", "--period", "20")
        assert 0 < told["atr"] < told["price"] / 50
        assert told["stop"] > told["price"]

    def test_too_few_bars(self, quantmind, folder):
        (folder / "b.csv").write_text("time,open,high,low,close,volume\n0,1,1,1,1,1\n60,1,1,1,1,1\n")
        code, _, errors = quantmind("risk", "atr-stop", "--file", "b.csv", "--side", "long")
        assert (code, errors) == (1, "error: b.csv: has 2 bars; an average true range of 14 needs 15\n")

    @pytest.mark.parametrize(
        ("arguments", "line"),
        [
            ("--price 1 --side long", "give either --atr, or --file with bars to measure it on"),
            ("--atr 1 --side long", "give --price, the price of the entry"),
            ("--price 1 --atr 0 --side long", "--atr: must be a number above 0, was 0"),
            ("--price 10 --atr 5 --multiplier 2 --side long", "distance: must be below the price 10, was 10"),
            ("--file x --period 1.5 --side long", "--period: must be a whole number between 1 and 1000000, was 1.5"),
            (
                "--file x --interval hour --side long",
                "--interval: must be a duration such as 250ms, 5s, 1m or 4h, was hour",
            ),
            ("--file x --interval 0s --side long", "--interval: must be longer than nothing, was 0s"),
        ],
    )
    def test_wrong_usage(self, quantmind, arguments, line):
        assert refused(quantmind, "atr-stop", *arguments.split()) == line


class TestSmallFigures:
    def test_the_stop_of_a_tiny_price_is_told_with_its_digits(self, quantmind):
        given = "risk atr-stop --price 1e-5 --atr 1e-7 --multiplier 2 --side short --tick 1e-8"
        assert quantmind(*words(given)) == (
            0,
            "stop 0.0000102 = 0.00001 + 0.0000002\ndistance 0.0000002 = 2 * 0.0000001, 2 % of the price\n",
            "",
        )

    def test_the_liquidation_price_of_a_tiny_price_is_not_0(self, quantmind):
        given = "risk liquidation --side long --quantity 1e6 --entry 1e-5 --wallet 3 --maintenance-rate 0.02"
        _, output, _ = quantmind(*words(given))
        # (3 - 10) / (20,000 - 1,000,000) = 0.0000071428...
        assert output.startswith("liquidation price 0.00000714, -28.57 % from the entry\n")

    @pytest.mark.parametrize("size", ["1e-400", "1e400", "1e-16"])
    def test_one_of_a_size_that_no_money_has(self, quantmind, size):
        assert refused(quantmind, "kelly", "--win-rate", "0.55", "--reward-risk", size) == (
            f"--reward-risk: must be a number above 0, of a size from 1e-15 to 1e15, was {size}"
        )


class TestSize:
    BASE = ("size", "--balance", "10000", "--risk", "0.01", "--stop-distance", "500", "--price", "50000")

    def test_a_known_instrument(self, quantmind):
        code, output, _ = quantmind("risk", *self.BASE, "--instrument", "BTC/USDT:USDT")
        assert code == 0
        assert output == (
            "quantity 0.200: 0.2 = 10000 * 0.01 / 500, steps of 0.001\nnotional 10000, loss at the stop 100\n"
        )

    def test_bounds_and_steps(self, answer):
        told = answer(*self.BASE, "--instrument", "BTC/USDT:USDT", "--cap", "0.5")
        assert (told["quantity"], told["bound"], told["wanted"]) == (D("0.1"), "cap", D("0.2"))
        told = answer(*self.BASE, "--step", "0.03", "--max-quantity", "0.1")
        assert (told["quantity"], told["bound"]) == (D("0.09"), "max_quantity")

    def test_where_there_is_none_it_says_why(self, quantmind, answer):
        told = answer(*self.BASE, "--step", "0.5")
        assert (told["quantity"], told["reason"]) == (0, "0.2 is less than one step of 0.5")
        code, output, _ = quantmind("risk", *self.BASE, "--step", "0.1", "--min-notional", "20000")
        assert code == 0
        assert output.endswith("none is accepted: notional 10000.0 is below the venue's minimum of 20000\n")

    def test_wrong_usage(self, quantmind):
        assert refused(quantmind, *self.BASE) == "give --instrument, or --step, the step of the quantity"
        line = refused(quantmind, *self.BASE, "--instrument", "BTCUSDT")
        assert line.startswith("--instrument: BTCUSDT is not known; did you mean BTC/USDT:USDT?")
        line = refused(quantmind, *self.BASE, "--risk", "2", "--step", "1")
        assert line == "--risk: must be a number above 0 and at most 1, was 2"
        tiny = [
            "size",
            "--balance",
            "1e15",
            "--risk",
            "1",
            "--stop-distance",
            "1e-15",
            "--price",
            "1",
            "--step",
            "1e-15",
        ]
        assert refused(quantmind, *tiny) == "these figures are too far apart to be computed"


class TestLiquidation:
    def test_the_worked_examples_of_the_venue(self, answer, data):
        vectors = json.loads((data / "binance_usdm_fixtures" / "vectors.json").read_text(), parse_float=str)
        for vector in vectors["liquidation_price"]:
            assert vector["side"] == 1
            arguments = ["--mode", vector["mode"], "--side", "long", "--quantity", vector["pos"]]
            arguments += ["--entry", vector["entry"], "--wallet", vector["wb"], "--maintenance-rate", vector["mmr"]]
            arguments += ["--maintenance-amount", vector["cum"], "--other-maintenance", vector["tmm"]]
            told = answer("liquidation", *arguments, f"--other-unrealised={vector['upnl']}")
            assert round(told["price"], 2) == D(vector["lp"])

    def test_the_tiers_of_a_known_instrument(self, quantmind, answer):
        more = [
            "--side",
            "long",
            "--quantity",
            "0.4",
            "--entry",
            "50000",
            "--wallet",
            "10000",
            "--instrument",
            "BTC/USDT:USDT",
        ]
        code, output, _ = quantmind("risk", "liquidation", *more)
        assert code == 0
        assert output.splitlines() == [
            "liquidation price 25100.4, -49.8 % from the entry",
            "(10000 - 0 + 0 + 0 - 0.4 * 50000) / (0.4 * 0.004 - 0.4)",
            "maintenance rate 0.004, amount 0, from a notional of 0 on",
        ]
        told = answer("liquidation", *more, "--quantity", "40", "--wallet", "1000000")
        assert (told["maintenance_rate"], told["maintenance_amount"]) == (D("0.0065"), D(950))

    def test_leverage_gives_the_margin_of_an_isolated_position(self, answer):
        more = "--mode isolated --side short --quantity 1 --entry 2000 --leverage 10 --maintenance-rate 0.01"
        told = answer("liquidation", *more.split())
        assert (told["margin"], round(told["price"], 2)) == (200, D("2178.22"))

    def test_there_may_be_none(self, quantmind):
        more = "--side short --quantity 1 --entry 100 --wallet -200 --maintenance-rate 0.01"
        code, output, _ = quantmind("risk", "liquidation", *more.split())
        assert (code, output.splitlines()[0]) == (0, "every price liquidates this position")
        more = "--side long --quantity 1 --entry 100 --wallet 100 --maintenance-rate 0.01"
        code, output, _ = quantmind("risk", "liquidation", *more.split())
        assert (code, output.splitlines()[0]) == (0, "no price above 0 liquidates this position")

    @pytest.mark.parametrize(
        ("arguments", "line"),
        [
            ("--wallet 1", "give either --instrument, or --maintenance-rate"),
            ("--maintenance-rate 0.01", "give --wallet"),
            ("--maintenance-rate 0.01 --mode isolated", "give --wallet, or --leverage"),
            ("--maintenance-rate 1 --wallet 1", "--maintenance-rate: must be a number above 0 and below 1, was 1"),
            (
                "--maintenance-rate 0.01 --leverage 5",
                "--leverage gives the margin of an isolated position; with cross margin give --wallet",
            ),
            (
                "--maintenance-rate 0.01 --mode isolated --wallet 1 --other-maintenance 5",
                "other positions do not matter to an isolated one; leave --other-... out",
            ),
        ],
    )
    def test_wrong_usage(self, quantmind, arguments, line):
        base = ["--side", "long", "--quantity", "1", "--entry", "100"]
        assert refused(quantmind, "liquidation", *base, *arguments.split()) == line


class TestRuin:
    def test_half_of_kelly(self, quantmind, answer):
        code, output, _ = quantmind("risk", "ruin", "--fraction", "0.5", "--drawdown", "0.5")
        assert (code, output) == (0, "probability 0.125 = (1 - 0.5) ^ (2 / 0.5 - 1)\n")
        assert answer("ruin", "--fraction", "0.5", "--drawdown", "0.5")["probability"] == D("0.125")

    def test_twice_kelly(self, quantmind):
        _, output, _ = quantmind("risk", "ruin", "--fraction", "2", "--drawdown", "0.9")
        assert output == "probability 1 = certain at twice Kelly and beyond\n"

    def test_wrong_usage(self, quantmind):
        line = refused(quantmind, "ruin", "--fraction", "0.5", "--drawdown", "1")
        assert line == "--drawdown: must be a number above 0 and below 1, was 1"


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_the_examples_of_the_help_run(quantmind, folder, name):
    bars = [f"{n * 3600},{100 + n},{102 + n},{99 + n},{101 + n},1" for n in range(30)]
    (folder / "btc-1h.csv").write_text("time,open,high,low,close,volume\n" + "\n".join(bars) + "\n")
    (folder / "results.csv").write_text("result\n10\n-5\n")
    epilog = risk.get_command(click.Context(risk), name).epilog.replace("btc-1h.parquet", "btc-1h.csv")
    examples = [line.removeprefix("Example: quantmind ") for line in epilog.splitlines() if "Example: " in line]
    assert examples
    for example in examples:
        code, output, errors = quantmind(*shlex.split(example))
        assert (code, errors) == (0, ""), example
        assert output


def test_floats_never_come_in(answer):
    told = answer(
        "size",
        *words("--balance 0.3 --risk 1 --stop-distance 0.1 --price 1 --step 0.1 --cap 100"),
    )
    assert told["quantity"] == 3

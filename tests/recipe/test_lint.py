import socket

import pytest

from quantmind.recipe.lint import lint


def found(bench, *changes):
    file = bench.write(bench.with_changes(*changes))
    return [str(problem) for problem in lint(file, bench.plugins, bench.project(), bench.environ)]


def test_a_sound_recipe_has_no_problems(bench):
    assert found(bench) == []


def test_options_and_wiring_are_told_at_once(bench):
    assert found(
        bench,
        ("- tape: {}", "- tape: {gives: [quotes]}"),
        ("account: demo", "account: 5"),
        ("allocator: even", "allocator: {even: {at_most: 0}}"),
    ) == [
        (
            "r.yaml:6:5: strategies[0].cross: needs bars of 1m of BTC/USDT:USDT, but no feed offers them or "
            "what they could be built from; feeds[0].tape offers quotes"
        ),
        "r.yaml:7:13: allocator.even: too many for BTC/USDT:USDT",
        "r.yaml:11:19: executor.desk.account: must be text (in quotes), was 5",
    ]


def test_a_fault_in_a_feed_blames_nobody_else(bench):
    (problem,) = found(bench, ("- tape: {}", "- tape: {gives: 5}"))
    assert "feeds[0].tape.gives: must be a list, was 5" in problem


def test_a_fault_in_a_strategy_does_not_blame_the_allocator_or_the_feeds(bench):
    (problem,) = found(bench, ("fast: 5", "fast: 0"))
    assert "strategies[0].cross.fast" in problem


def test_an_unset_variable_is_a_warning_and_nothing_more(bench):
    file = bench.write(bench.with_changes(("fast: 5", "fast: '${FAST}'"), ("account: demo", "account: '${ACC}'")))
    problems = lint(file, bench.plugins, bench.project(), {})
    assert [problem.severity for problem in problems] == ["warning", "warning"]
    assert str(problems[1]).startswith("r.yaml:11:19: warning: executor.desk.account: the environment variable ACC")


def test_a_feed_of_which_nothing_is_wanted_is_a_warning(bench):
    (problem,) = found(bench, ("- tape: {}", "- tape\n  - tape: {gives: [trades]}"))
    assert problem == "r.yaml:5:5: warning: feeds[1].tape: nothing is wanted from it: leave it out"


def test_a_file_that_cannot_be_parsed_has_the_parsers_problem_only(bench):
    file = bench.write("name: [")
    (problem,) = lint(file, bench.plugins, bench.project(), {})
    assert "is no YAML" in str(problem)


LIVE = ("desk: {account: demo}", "floor: {account: demo}")
NO_STOP = (
    "r.yaml:11:3: executor.floor: trades live, but no protection rule gives a stop: "
    "add one that does to risk.protection"
)
NO_CAP = "r.yaml:11:3: executor.floor: trades live, but no limit caps the leverage: add one that does to risk.limits"


def rules(protection, limits):
    return "risk:\n  sizing", f"risk:\n  protection: {protection}\n  limits: {limits}\n  sizing"


class TestLive:
    @pytest.mark.parametrize(
        ("protection", "limits", "told"),
        [
            ("[net]", "[cap]", []),
            ("[goal, net]", "[ceiling, cap]", []),
            ("[]", "[cap]", [NO_STOP]),
            ("[goal]", "[cap]", [NO_STOP]),
            ("[net]", "[ceiling]", [NO_CAP]),
            ("[]", "[]", [NO_STOP, NO_CAP]),
        ],
    )
    def test_it_needs_a_stop_and_a_leverage_cap(self, bench, protection, limits, told):
        told = [problem.replace(":11:", ":13:") for problem in told]
        changes = (LIVE, rules(protection, limits))
        assert found(bench, *changes) == told
        if told:
            assert bench.refused(*changes) == told
        else:
            bench.load(*changes)

    def test_sections_that_are_left_out_are_empty(self, bench):
        assert found(bench, LIVE) == [NO_STOP, NO_CAP]

    def test_a_cap_may_be_inherited(self, bench):
        bench.write("limits: [cap]\n", "quantmind.yaml")
        assert found(bench, LIVE) == [NO_STOP]

    def test_rules_that_cannot_be_read_are_not_missed(self, bench):
        (problem,) = found(bench, LIVE, rules("[net: {histroy: 1}]", "[cap]"))
        assert "risk.protection[0].net.histroy: is not known" in problem

    def test_paper_may_do_without(self, bench):
        assert found(bench, rules("[goal]", "[]")) == []


def test_a_need_of_a_rule_that_nobody_offers_is_told_at_its_place(bench):
    bench.write("limits:\n  - fence: {needs: [marks]}\n", "quantmind.yaml")
    first, second = found(bench, rules("[net: {needs: [marks]}]", "[]"))
    need = "needs marks of BTC/USDT:USDT, but no feed offers them; feeds[0].tape offers quotes, trades"
    assert first == f"quantmind.yaml:2:5: limits[0].fence: {need}"
    assert second == f"r.yaml:9:16: risk.protection[0].net: {need}"


def test_a_rule_that_cannot_be_read_does_not_blame_the_feeds(bench):
    (problem,) = found(
        bench,
        ("- tape: {}", "- tape\n  - tape: {gives: [marks]}"),
        rules("[net: {needs: [marks], history: x}]", "[]"),
    )
    assert "net.history: must be a whole number, was x" in problem


def test_nothing_is_opened(bench, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("lint opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    assert found(bench, ("  - trail", "  - trail: {path: /nowhere/at/all}")) == []

from decimal import Decimal

import pytest

from quantmind.market.instruments import KNOWN, tiers
from quantmind.recipe.entry import Entry, LimitEntry
from quantmind.recipe.load import load
from quantmind.recipe.problems import RecipeProblems


def test_a_recipe_is_read(bench):
    recipe = bench.load(("  - trail", "  - trail: {path: here}\n    id: paper"), ("fraction: 0.5", "fraction: 0.30"))
    assert recipe.name == "test"
    assert recipe.file == bench.folder / "r.yaml"
    assert recipe.instruments == (KNOWN["BTC/USDT:USDT"],)
    assert recipe.transport is None
    assert recipe.limits == ()
    assert recipe.no_trade_band == Decimal("0.05")
    assert recipe.max_age == 10_000_000_000
    assert [spec.path for spec in (*recipe.feeds, *recipe.strategies, *recipe.sizing, recipe.allocator)] == [
        "feeds[0].tape",
        "strategies[0].cross",
        "risk.sizing[0].share",
        "allocator.even",
    ]
    assert recipe.strategies[0].options.interval == 60_000_000_000
    assert recipe.sizing[0].options.fraction == Decimal("0.3")
    assert (recipe.sinks[0].id, recipe.sinks[0].options.path) == ("paper", "here")
    assert recipe.resolved["executor"] == {"desk": {"account": "demo"}}


def test_plain_data_is_read_like_a_file(bench):
    data = bench.load().resolved
    recipe = load(data, bench.plugins, bench.project(), {})
    assert recipe.file is None
    assert recipe.resolved == data


def test_plain_data_has_problems_without_places(bench):
    data = {**bench.load().resolved, "name": "No Slug"}
    with pytest.raises(RecipeProblems, match=r"^name: must be 1 to 64 small letters.*, was No Slug$"):
        load(data, bench.plugins, bench.project(), {})


def test_a_decimal_option_is_exactly_what_was_written(bench):
    recipe = bench.load(("fraction: 0.5", "fraction: 0.1000000000000000000001, ratio: 0.1"))
    assert recipe.sizing[0].options.fraction == Decimal("0.1000000000000000000001")
    assert type(recipe.sizing[0].options.ratio) is float


def test_every_problem_is_told_at_once_with_its_place(bench):
    assert bench.refused(
        ("name: test", "name: test\nprotections: 1"),
        ("fast: 5", "fast: 1.5"),
        ("- tape: {}", "- tap: {}"),
        ("fraction: 0.5", "fraction: 1.5, mode: third"),
        ("account: demo", "acount: demo"),
    ) == [
        (
            "r.yaml:2:1: protections: is not known; known: name, instruments, feeds, transport, strategies, "
            "allocator, risk, entry, executor, sinks, tests"
        ),
        (
            "r.yaml:5:5: feeds[0].tap: no feed is called tap; did you mean tape? "
            "not looked into: quantmind is not on the allow-list; installed: tape, wire"
        ),
        "r.yaml:7:33: strategies[0].cross.fast: must be a whole number, was 1.5",
        "r.yaml:10:31: risk.sizing[0].share.fraction: must be at most 1, was 1.5",
        "r.yaml:10:42: risk.sizing[0].share.mode: must be one of 'full' or 'half', was third",
        ("r.yaml:12:10: executor.desk.acount: is not known; did you mean account? known: account, latency, key"),
    ]


def test_a_problem_is_shown_relative_to_the_working_directory(bench, tmp_path_factory, monkeypatch):
    file = bench.write(bench.with_changes(("name: test", "name: 5")), "recipes/a.yaml")
    with pytest.raises(RecipeProblems, match=r"^recipes/a\.yaml:1:7: name: "):
        load(file, bench.plugins, bench.project(), {})
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    with pytest.raises(RecipeProblems) as refusal:
        load(file, bench.plugins, bench.project(), {})
    assert str(refusal.value).startswith(f"{file}:1:7: name: ")


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("name: test\n", "name: is missing"),
        ("instruments: [BTC/USDT:USDT]\n", "instruments: is missing"),
        ("feeds:\n  - tape: {}\n", "feeds: is missing"),
        ("strategies:\n  - cross: {interval: 1m, fast: 5}\n", "strategies: is missing"),
        ("allocator: even\n", "allocator: is missing"),
        ("risk:\n  sizing: [{share: {fraction: 0.5}}]\n", "risk: is missing"),
        ("  sizing: [{share: {fraction: 0.5}}]\n", "risk: is missing"),
        ("executor:\n  desk: {account: demo}\n", "executor: is missing"),
        ("  - tape: {}\n", "feeds: is missing"),
    ],
)
def test_required_sections_are_asked_for(bench, key, told):
    (problem,) = bench.refused((key, ""))
    assert told in problem


def test_optional_sections_may_be_left_out_or_hold_only_comments(bench):
    assert bench.load(("sinks:\n  - trail\n", "")).sinks == ()
    assert bench.load(("  - trail\n", "  # - trail\n")).sinks == ()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ("feeds:\n  - tape: {}", "feeds:\n  tape: {}"),
            "r.yaml:4:3: feeds: must be a list: write - before each",
        ),
        (("feeds:\n  - tape: {}", "feeds: []"), "feeds: must name at least one component of kind feed"),
        (
            ("- tape: {}", "- tape: {}\n    wire: {}"),
            "feeds[0]: must be one component, name or name: {options} (and",
        ),
        (("  - trail", "  - 5"), "sinks[0]: must be one component"),
        (("  - trail", "  - id: x"), "sinks[0]: must be one component"),
        (("  - trail", "  - trail: 5"), "r.yaml:13:12: sinks[0].trail: must be a mapping, was 5"),
        (("  - trail", "  - trail: []"), "sinks[0].trail: must be a mapping, was an empty list"),
        (("  - trail", "  - trail:\n    id: 'A b'"), "sinks[0].id: must be 1 to 64 small letters"),
        (("allocator: even", "allocator: [even]"), "allocator: must be one component"),
        (
            ("allocator: even", "allocator: cross"),
            "no allocator is called cross: it is a component of kind strategy",
        ),
        (("fraction: 0.5", "ratio: true"), "share.ratio: must be a number, was true"),
        (("fast: 5", "fast: '5 '"), None),
        (("fast: 5", "fast: x"), "cross.fast: must be a whole number, was x"),
        (("fast: 5", "fast: [1]"), "cross.fast: must be a whole number, was a list"),
        (("fast: 5", "fast: 1"), "r.yaml:6:33: strategies[0].cross.fast: must be above 1, was 1"),
        (
            ("interval: 1m", "interval: 1 minute"),
            "must be a duration such as 250ms, 5s, 1m or 4h, was 1 minute",
        ),
        (("fraction: 0.5", "fraction: .inf"), "share.fraction: must be a finite number, was inf"),
        (("fraction: 0.5", "fraction: 1e400"), "share.fraction: must be at most 1, was 1e400"),
        (("fraction: 0.5", "fraction: "), "share.fraction: must be a number, was null"),
        (("account: demo", "account: 7"), "desk.account: must be text (in quotes), was 7"),
        (("  - trail", "  - trail: {inner: {level: -1}}"), "trail.inner.level: must be at least 0, was -1"),
        (
            ("  - trail", "  - trail: {inner: {levl: 1}}"),
            "inner.levl: is not known; did you mean level? known: level",
        ),
        (("  - trail", "  - trail: {tags: {a: x}}"), "trail.tags.a: must be a whole number, was x"),
        (
            ("  - trail", "  - trail: {both: 1.5}"),
            "both: must be a whole number or text (in quotes), was 1.5",
        ),
        (
            ("  - trail", "  - trail: {path: explode}"),
            "trail: its options cannot be checked: RuntimeError: boom (tests/recipe/conftest.py:",
        ),
        (
            ("  - trail", "  - trail: {path: exit}"),
            "trail: its options cannot be checked: SystemExit: 3 (tests/recipe/",
        ),
        (
            ("  - trail", "  - trail: {path: forgotten}"),
            "trail: its options' validator must return self; a fault of its plugin",
        ),
        (("risk:", "risk:\n  max_age: 0s"), "risk.max_age: must be above 0, was 0s"),
        (("risk:", "risk:\n  no_trade_band: 1"), "risk.no_trade_band: must be below 1, was 1"),
        (
            ("risk:", "risk:\n  protections: []"),
            "risk.protections: is not known; did you mean protection? known: sizing, protection, limits, no_trade_band",
        ),
        (("risk:", "risk:\n  limit: []"), "risk.limit: is not known; did you mean limits?"),
        (("risk:", "risk:\n  protection: net"), "risk.protection: must be a list: write - before each entry, was net"),
        (("risk:", "risk:\n  protection: [nte]"), "risk.protection[0]: no protection is called nte; did you mean net?"),
        (
            ("name: test", "name: test\nentry: limt"),
            "r.yaml:2:8: entry: is not known; did you mean limit? known: market,",
        ),
        (("name: test", "name: test\nentry: {limt: {}}"), "r.yaml:2:9: entry.limt: is not known; did you mean limit?"),
        (("name: test", "name: test\nentry: 5"), "entry: must be market or limit: {options}, was 5"),
        (("name: test", "name: test\nentry: {}"), "entry: must be market or limit: {options}, was an empty mapping"),
        (
            ("name: test", "name: test\nentry: {limit: , market: }"),
            "must be market or limit: {options}, was limit, market",
        ),
        (
            ("name: test", "name: test\nentry: {market: {x: 1}}"),
            "entry.market.x: is not known: there is nothing to set",
        ),
        (("name: test", "name: test\nentry: {limit: 5}"), "entry.limit: must be a mapping, was 5"),
        (
            ("name: test", "name: test\nentry: {limit: {offset_tick: 2}}"),
            "entry.limit.offset_tick: is not known; did you mean offset_ticks? known: offset_ticks, timeout, then",
        ),
        (
            ("name: test", "name: test\nentry: {limit: {offset_ticks: -1}}"),
            "entry.limit.offset_ticks: must be at least 0, was -1",
        ),
        (("name: test", "name: test\nentry: {limit: {timeout: 0s}}"), "entry.limit.timeout: must be above 0, was 0s"),
        (
            ("name: test", "name: test\nentry: {limit: {then: wait}}"),
            "entry.limit.then: must be one of 'market' or 'cancel', was wait",
        ),
        (("name: test", "name: test\ntransport: pip"), "no transport is called pip; did you mean pipe?"),
        (("name: test", "name: ../x"), "name: must be 1 to 64 small letters"),
    ],
)
def test_a_fault_is_one_problem_in_plain_words(bench, change, told):
    if told is None:
        bench.load(change)
        return
    (problem,) = bench.refused(change)
    assert told in problem


@pytest.mark.parametrize("written", ["inproc", "{inproc: {}}", "{inproc: }", ""])
def test_inproc_is_no_transport(bench, written):
    assert bench.load(("name: test", f"name: test\ntransport: {written}")).transport is None


def test_a_transport_is_a_component(bench):
    assert bench.load(("name: test", "name: test\ntransport: pipe")).transport.component.name == "pipe"


def test_two_strategies_of_one_name_need_ids(bench):
    twice = ("  - cross: {interval: 1m, fast: 5}\n", "  - cross\n  - cross: {fast: 9}\n")
    (problem,) = bench.refused(twice)
    assert "strategies[1].cross: has the same id as strategies[0].cross, cross: write an id:" in problem
    named = bench.load((twice[0], "  - cross\n  - cross: {fast: 9}\n    id: slow-cross\n"))
    assert [spec.id for spec in named.strategies] == ["cross", "slow-cross"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            "[BTCUSDT]",
            "r.yaml:2:15: instruments[0]: BTCUSDT is not a unified symbol; did you mean BTC/USDT:USDT?",
        ),
        ("[BTC/USDT]", "did you mean BTC/USDT:USDT?"),
        ("[btc-usdt]", "did you mean BTC/USDT:USDT?"),
        ("[btc/usdt:usdt]", "did you mean BTC/USDT:USDT?"),
        ("[SOLUSDT_PERP]", "did you mean SOL/USDT:USDT?"),
        ("[bitcoin]", "write it as BASE/QUOTE:SETTLE, such as BTC/USDT:USDT"),
        ("[SOL/USDT:USDT]", "the steps of SOL/USDT:USDT are not known: write them, SOL/USDT:USDT: {tick:"),
        ("[BTC/USD:BTC]", "BTC/USD:BTC settles in BTC, not in USD: only linear perpetuals"),
        ("[BTC/USDT:USDT, BTC/USDT:USDT]", "instruments[1]: BTC/USDT:USDT is named twice"),
        ("[]", "must name at least one instrument"),
        ("BTC/USDT:USDT", "must be a list, such as [BTC/USDT:USDT], was BTC/USDT:USDT"),
        ("[5]", "instruments[0]: must be a symbol, or SYMBOL: {tick: ..., step: ...}, was 5"),
        ("{SOL/USDT:USDT: {tick: 0, step: 1}}", "instruments.SOL/USDT:USDT.tick: must be above 0, was 0"),
        ("{SOL/USDT:USDT: {tick: 1, stp: 1, step: 1}}", "stp: is not known; did you mean step?"),
        ("{SOL/USDT:USDT: {tick: 1, step: 1, max_quantity: 0}}", "USDT.max_quantity: must be above 0, was 0"),
        ("{SOL/USDT:USDT: {tick: 1, step: 1, maintenance: []}}", "maintenance: must begin with floor 0, such as"),
        (
            "{SOL/USDT:USDT: {tick: 1, step: 1, maintenance: [{floor: 1, rate: 0.01}]}}",
            "USDT.maintenance: must begin with floor 0, such as",
        ),
        (
            "{SOL/USDT:USDT: {tick: 1, step: 1, maintenance: [{floor: 0, rate: 0.01}, {floor: 5, rate: 0.01}]}}",
            "USDT.maintenance: every rate must be above the one before, but 0.01 follows 0.01",
        ),
        (
            "{SOL/USDT:USDT: {tick: 1, step: 1, maintenance: [{floor: 0, rate: 0.01}, {floor: 0, rate: 0.02}]}}",
            "USDT.maintenance: every floor must be above the one before, but 0 follows 0",
        ),
        (
            "{SOL/USDT:USDT: {tick: 1, step: 1, maintenance: [{floor: 0, rate: 1}]}}",
            "USDT.maintenance[0].rate: must be below 1, was 1",
        ),
    ],
)
def test_an_instrument_that_is_not_known_is_asked_about(bench, written, told):
    (problem,) = bench.refused(("[BTC/USDT:USDT]", written))
    assert told in problem


@pytest.mark.parametrize(
    "written",
    [
        "{BTC/USDT:USDT: , SOL/USDT:USDT: {tick: 0.01, step: 0.1}}",
        "[BTC/USDT:USDT, {SOL/USDT:USDT: {tick: 0.01, step: 0.1}}]",
    ],
)
def test_instruments_may_say_their_steps(bench, written):
    bitcoin, sol = bench.load(("[BTC/USDT:USDT]", written)).instruments
    assert bitcoin == KNOWN["BTC/USDT:USDT"]
    assert (sol.tick, sol.step, sol.min_notional) == (Decimal("0.01"), Decimal("0.1"), 0)


def test_a_known_instrument_may_have_other_steps(bench):
    (bitcoin,) = bench.load(("[BTC/USDT:USDT]", "{BTC/USDT:USDT: {tick: 1, step: 1}}")).instruments
    assert bitcoin.tick == 1


def test_an_instrument_may_say_its_margin_tiers(bench):
    tiers_written = "[{floor: 0, rate: 0.01}, {floor: 1000, rate: 0.025}, {floor: 5000, rate: 0.1}]"
    (sol,) = bench.load(
        ("[BTC/USDT:USDT]", f"{{SOL/USDT:USDT: {{tick: 1, step: 1, max_quantity: 7, maintenance: {tiers_written}}}}}")
    ).instruments
    assert sol.max_quantity == 7
    assert sol.tiers == tiers(
        *((Decimal(floor), Decimal(rate)) for floor, rate in [("0", "0.01"), ("1000", "0.025"), ("5000", "0.1")])
    )
    # At a boundary both tiers give the same: 1,000 * 0.01 = 1,000 * 0.025 - 15.
    assert sol.tiers[1].amount == 15
    assert (sol.maintenance(Decimal(1000)), sol.maintenance(Decimal(4000))) == (10, 85)


def test_tiers_that_are_left_out_are_the_known_ones_else_two_percent(bench):
    bitcoin, sol = bench.load(
        ("[BTC/USDT:USDT]", "{BTC/USDT:USDT: {tick: 1, step: 1}, SOL/USDT:USDT: {tick: 1, step: 1}}")
    ).instruments
    assert bitcoin.tiers == KNOWN["BTC/USDT:USDT"].tiers
    assert sol.maintenance(Decimal(1000)) == 20


@pytest.mark.parametrize("written", ["market", "{market: {}}", "{market: }", ""])
def test_entries_are_at_market_unless_said_otherwise(bench, written):
    assert bench.load(("name: test", f"name: test\nentry: {written}")).entry == Entry()


@pytest.mark.parametrize(
    ("written", "limit"),
    [
        ("limit", LimitEntry()),
        ("{limit: }", LimitEntry(offset_ticks=1, timeout=10_000_000_000, then="market")),
        (
            "{limit: {offset_ticks: 0, timeout: 250ms, then: cancel}}",
            LimitEntry(offset_ticks=0, timeout=250_000_000, then="cancel"),
        ),
    ],
)
def test_entries_may_be_at_a_limit(bench, written, limit):
    assert bench.load(("name: test", f"name: test\nentry: {written}")).entry.limit == limit


def test_protection_is_a_list_of_rules_and_may_be_empty(bench):
    assert bench.load(("risk:", "risk:\n  protection: []")).protection == ()
    recipe = bench.load(("risk:", "risk:\n  protection: [goal, net: {history: 3}]"))
    assert [spec.path for spec in recipe.protection] == ["risk.protection[0].goal", "risk.protection[1].net"]
    assert recipe.protection[1].options.history == 3


def test_variables_become_numbers_where_numbers_are_wanted(bench):
    bench.environ = {"FAST": "9", "FRACTION": "0.25"}
    recipe = bench.load(("fast: 5", "fast: '${FAST}'"), ("fraction: 0.5", 'fraction: "${FRACTION}"'))
    assert recipe.strategies[0].options.fast == 9
    assert recipe.sizing[0].options.fraction == Decimal("0.25")


def test_all_unset_variables_are_told_and_nothing_else_of_their_values(bench):
    first, second = bench.refused(("fast: 5", "fast: '${FAST}'"), ("account: demo", "account: '${ACC}'"))
    assert first == (
        "r.yaml:6:33: strategies[0].cross.fast: the environment variable FAST is not set: "
        "set it, or write ${FAST:-default}"
    )
    assert "ACC is not set" in second


def test_a_value_of_the_environment_is_not_told(bench):
    bench.environ = {"FAST": "hush"}
    (problem,) = bench.refused(("fast: 5", "fast: '${FAST}'"))
    assert problem.endswith("cross.fast: must be a whole number, was ${FAST}")


def test_a_secret_is_neither_told_nor_kept(bench):
    (problem,) = bench.refused(("account: demo", "key: 12345"))
    assert problem.endswith("desk.key: must be text (in quotes)")
    bench.environ = {"KEY": "hush"}
    recipe = bench.load(("account: demo", "key: '${KEY}'"))
    assert recipe.executor.options.key.get_secret_value() == "hush"
    assert "hush" not in repr(recipe)


def test_a_file_that_is_no_recipe(bench):
    for text, told in [
        ("", "r.yaml: is empty: a recipe begins with name:"),
        ("- a\n", "r.yaml:1:1: must be a mapping, was a list: a recipe begins with name:"),
        ("a: [", "r.yaml:2:1: is no YAML"),
    ]:
        with pytest.raises(RecipeProblems) as refusal:
            load(bench.write(text), bench.plugins, bench.project(), {})
        assert str(refusal.value).startswith(told)
        assert len(refusal.value.problems) == 1
    with pytest.raises(RecipeProblems, match=r"^no\.yaml: cannot be read: No such file or directory$"):
        load(bench.folder / "no.yaml", bench.plugins, bench.project(), {})


def test_limits_of_the_project_come_before_the_recipes_own(bench):
    bench.write("limits:\n  - ceiling: {limit: 5}\n", "quantmind.yaml")
    recipe = bench.load(("risk:", "risk:\n  limits: [{ceiling: {limit: 2}}]"))
    assert [(spec.path, spec.options.limit) for spec in recipe.limits] == [
        ("limits[0].ceiling", 5),
        ("risk.limits[0].ceiling", 2),
    ]
    assert recipe.resolved["risk"]["limits"] == [{"ceiling": {"limit": 5}}, {"ceiling": {"limit": 2}}]


def test_a_fault_in_a_limit_of_the_project_is_told_at_its_place(bench):
    bench.write("limits:\n  - ceiling: {limit: -5}\n", "quantmind.yaml")
    assert bench.refused() == ["quantmind.yaml:2:22: limits[0].ceiling.limit: must be above 0, was -5"]

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.kinds import MARKS, QUOTES, TRADES, Channel, Needs, bars
from quantmind.market.bars import Built
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.load import load
from quantmind.recipe.problems import RecipeProblems
from quantmind.recipe.wiring import wire

SECOND = 1_000_000_000
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MINUTE = bars(60 * SECOND)


def feeds(*written):
    return "  - tape: {}", "\n".join(f"  - {feed}" for feed in written)


def refused(bench, *changes):
    recipe = bench.load(*changes)
    with pytest.raises(RecipeProblems) as refusal:
        wire(recipe)
    return str(refusal.value).splitlines()


def test_bars_are_built_from_trades(bench):
    wiring = wire(bench.load())
    assert wiring.wanted == ({BTC: frozenset({QUOTES, TRADES})},)
    assert wiring.built == (Built(BTC, 60 * SECOND, TRADES),)
    assert wiring.channels == {BTC: frozenset({QUOTES, TRADES, MINUTE})}
    assert wiring.history == {(BTC, MINUTE): 20}
    assert (wiring.fills, wiring.positions) == (False, False)


def test_offered_bars_are_taken_from_the_first_feed_that_has_them(bench):
    wiring = wire(bench.load(feeds("tape: {gives: [trades]}", "tape: {gives: ['60']}", "tape: {gives: ['60']}")))
    assert wiring.wanted == ({}, {BTC: frozenset({MINUTE})}, {})
    assert wiring.built == ()


def test_bars_are_built_from_the_longest_shorter_bar_that_divides_them(bench):
    wiring = wire(bench.load(feeds("tape: {gives: ['10', '30', '45', '120']}")))
    assert wiring.wanted == ({BTC: frozenset({bars(30 * SECOND)})},)
    assert wiring.built == (Built(BTC, 60 * SECOND, bars(30 * SECOND)),)


def test_trades_go_before_shorter_bars(bench):
    wiring = wire(bench.load(feeds("tape: {gives: ['30']}", "tape: {gives: [trades]}")))
    assert wiring.built == (Built(BTC, 60 * SECOND, TRADES),)
    assert wiring.wanted == ({}, {BTC: frozenset({TRADES})})


def test_what_nobody_offers_is_told_with_what_is_offered(bench):
    assert refused(bench, feeds("tape: {gives: ['300', '45']}")) == [
        (
            "r.yaml:6:12: strategies[0].cross: needs bars of 1m of BTC/USDT:USDT, but no feed offers them or "
            "what they could be built from; feeds[0].tape offers bars of 45s, bars of 5m; "
            "bars of a multiple of 45s can be built"
        )
    ]


def test_the_executor_sees_what_it_chooses_of_what_is_offered(bench):
    wiring = wire(bench.load(feeds("tape: {gives: [trades, marks]}", "tape: {gives: [quotes, marks]}")))
    assert wiring.wanted == ({BTC: frozenset({TRADES, MARKS})}, {BTC: frozenset({QUOTES})})


RULES = """\
risk:
  protection: [{net: {needs: ["300", trades], history: 140}}]
  limits: [{fence: {needs: [marks]}}]
"""


@pytest.mark.parametrize("fills", ["false", "true"])
def test_rules_get_what_they_need_and_nobody_waits_for_facts_because_of_them(bench, fills):
    bench.write("limits:\n  - fence: {needs: ['120'], history: 9}\n", "quantmind.yaml")
    wiring = wire(
        bench.load(
            ("[BTC/USDT:USDT]", "[BTC/USDT:USDT, ETH/USDT:USDT]"),
            feeds("tape: {gives: [trades, marks]}"),
            ("risk:\n", RULES),
            ("sizing: [{share: {fraction: 0.5}}]", "sizing: [{scale: {needs: ['1'], history: 3}}]"),
            ("fast: 5", f"fast: 5, fills: {fills}"),
        )
    )
    for symbol in (BTC, ETH):
        assert wiring.channels[symbol] == {TRADES, MARKS, *(bars(n * SECOND) for n in (1, 60, 120, 300))}
        assert {channel: count for (of, channel), count in wiring.history.items() if of == symbol} == {
            MINUTE: 20,
            bars(SECOND): 3,
            bars(120 * SECOND): 9,
            bars(300 * SECOND): 140,
            TRADES: 140,
        }
    assert (wiring.fills, wiring.positions) == (fills == "true", False)


def test_the_longer_history_of_strategy_and_rule_counts(bench):
    rule = ("risk:\n", "risk:\n  protection: [{net: {needs: ['60'], history: 140}}]\n")
    assert wire(bench.load(rule)).history == {(BTC, MINUTE): 140}
    assert wire(bench.load(rule, ("fast: 5", "history: 141"))).history == {(BTC, MINUTE): 141}


def test_a_rule_of_the_project_that_nobody_serves_is_told_at_its_place(bench):
    bench.write("limits:\n  - fence: {needs: [marks]}\n", "quantmind.yaml")
    (problem,) = refused(bench)
    assert problem.startswith("quantmind.yaml:2:12: limits[0].fence: needs marks of BTC/USDT:USDT, but no feed")


def test_built_bars_are_ordered_by_interval_and_symbol(bench):
    wiring = wire(
        bench.load(
            ("[BTC/USDT:USDT]", "[ETH/USDT:USDT, BTC/USDT:USDT]"),
            (
                "  - cross: {interval: 1m, fast: 5}",
                "  - cross\n  - cross: {interval: 1s, history: 7}\n    id: quick",
            ),
        )
    )
    assert [(bar.symbol, bar.interval // SECOND) for bar in wiring.built] == [
        (ETH, 1),
        (BTC, 1),
        (ETH, 60),
        (BTC, 60),
    ]
    assert wiring.history[ETH, bars(SECOND)] == 7


def test_the_longest_history_counts(bench):
    three = """\
  - cross: {history: 7}
  - cross: {history: 90, fills: true}
    id: b
  - cross: {history: 8}
    id: c"""
    wiring = wire(bench.load(("  - cross: {interval: 1m, fast: 5}", three)))
    assert wiring.history == {(BTC, MINUTE): 90}
    assert wiring.fills


def test_a_symbol_that_no_feed_knows_is_one_problem(bench):
    (problem,) = refused(
        bench, ("[BTC/USDT:USDT]", "[BTC/USDT:USDT, ETH/USDT:USDT]"), feeds("tape: {only: BTC/USDT:USDT}")
    )
    assert (
        problem
        == "r.yaml:2:30: instruments[1]: no feed offers anything of ETH/USDT:USDT: leave it out, or add a feed of it"
    )


def test_live_and_replayed_feeds_do_not_mix(bench):
    (problem,) = refused(bench, feeds("wire", "tape"))
    assert "feeds[1].tape: is replayed, but feeds[0].wire is live" in problem


def test_the_allocator_says_what_is_wrong(bench):
    (problem,) = refused(bench, ("allocator: even", "allocator: {even: {at_most: 0}}"))
    assert problem.endswith("allocator.even: too many for BTC/USDT:USDT")


def test_a_component_that_raises_is_a_problem(bench):
    (problem,) = refused(bench, feeds("tape: {broken: true}"))
    assert problem.endswith(
        "feeds[0].tape: its offers cannot be told: KeyError: 'tape' (tests/recipe/tape.py:28); "
        "a fault of its plugin, or of its options"
    )


def answering(bench, monkeypatch, what, answer):
    """Wire a recipe of which one component answers otherwise; return what is told."""
    recipe = bench.load()
    spec = {
        "needs": recipe.strategies[0],
        "offers": recipe.feeds[0],
        "runs_live": recipe.feeds[0],
        "check": recipe.allocator,
        "wants": recipe.executor,
    }[what]
    monkeypatch.setattr(spec.component, what, answer)
    with pytest.raises(RecipeProblems) as refusal:
        wire(recipe)
    first, *_ = str(refusal.value).splitlines()
    assert f" {spec.path}: its {what} " in first
    assert first.endswith("; a fault of its plugin, or of its options")
    return first


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError("no words")

    __repr__ = __str__


@pytest.mark.parametrize(
    ("what", "answers"),
    [
        (
            "needs",
            [
                None,
                MINUTE,
                Needs(MINUTE),
                Needs(("bar",)),
                Needs((MINUTE,), history="x"),
                Needs((MINUTE,), history=-1),
                Needs((MINUTE,), history=1.5),
                Needs((bars(0),)),
                Needs((bars(-5),)),
                Needs((bars("1m"),)),
                Needs((Channel("bars", 1),)),
                Needs((Channel("trade", 1),)),
                Needs((MINUTE,), fills="yes"),
            ],
        ),
        ("offers", [None, [], "trades", TRADES, {BTC: None}, {BTC: TRADES}, {BTC: ["trades"]}, {BTC: [bars(0)]}]),
        ("wants", [None, TRADES, "trades", ["trades"], [bars(-1)], 5]),
        ("check", [None, "wrong", [None], 0]),
        ("runs_live", [None, 1, "yes"]),
    ],
)
def test_an_answer_that_is_none_is_a_problem(bench, monkeypatch, what, answers):
    for answer in [*answers, UnprintableError()]:
        told = answering(bench, monkeypatch, what, lambda *_, answer=answer: answer)
        assert f"its {what} must give " in told
        assert ", was " in told
        assert " (tests/recipe/test_wiring.py:" in told


@pytest.mark.parametrize("what", ["needs", "offers", "wants", "check", "runs_live"])
@pytest.mark.parametrize("raised", [UnprintableError(), SystemExit(3), NotImplementedError()])
def test_whatever_a_component_raises_is_a_problem(bench, monkeypatch, what, raised):
    def answer(*_):
        raise raised

    told = answering(bench, monkeypatch, what, answer)
    assert f"its {what} cannot be told: {type(raised).__name__}" in told
    assert " (tests/recipe/test_wiring.py:" in told


def test_any_collection_of_channels_is_an_answer(bench, monkeypatch):
    recipe = bench.load()
    monkeypatch.setattr(recipe.feeds[0].component, "offers", lambda _, symbols: {BTC: [TRADES, QUOTES]})
    monkeypatch.setattr(recipe.executor.component, "wants", lambda _, offered: (QUOTES,))
    assert wire(recipe).wanted == ({BTC: frozenset({QUOTES, TRADES})},)


words = st.lists(st.sampled_from(["quotes", "trades", "marks", "1", "5", "10", "60"]), max_size=4)


@given(
    st.lists(words, min_size=1, max_size=3),
    st.lists(st.sampled_from([1, 5, 7, 10, 60]), min_size=1, max_size=3),
)
def test_whoever_is_wired_gets_what_it_needs(offered, intervals):
    # Test modules import nothing of one another: the components come from where the fixtures do.
    components = test_whoever_is_wired_gets_what_it_needs.components
    data = {
        "name": "x",
        "instruments": [BTC, ETH],
        "feeds": [{"tape": {"gives": gives}} for gives in offered],
        "strategies": [{"cross": {"interval": f"{n}s"}, "id": f"s{i}"} for i, n in enumerate(intervals)],
        "allocator": "even",
        "risk": {"sizing": ["share"]},
        "executor": "desk",
    }
    recipe = load(data, Plugins((), components, environ={}), Project.find("/", {}), {})
    try:
        wiring = wire(recipe)
    except RecipeProblems:
        return
    for symbol in (BTC, ETH):
        published = wiring.channels[symbol]
        delivered = frozenset().union(*(wanted.get(symbol, ()) for wanted in wiring.wanted))
        built = {bars(bar.interval): bar.source for bar in wiring.built if bar.symbol == symbol}
        assert {bars(n * SECOND) for n in intervals} <= published
        assert published == delivered | built.keys()
        assert set(built.values()) <= delivered
        assert not built.keys() & delivered


@pytest.fixture(autouse=True)
def _components(plugins):
    found = {(row.kind, row.name) for row in plugins.all() if row.kind}
    classes = tuple(plugins.find(kind, name) for kind, name in sorted(found))
    test_whoever_is_wired_gets_what_it_needs.components = classes

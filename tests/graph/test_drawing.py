import pytest

from quantmind.project import Project
from quantmind.recipe.problems import RecipeProblems

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


def flows(graph):
    """Return every flow as `source > target: what`, with the symbols where they are not all."""
    return {
        f"{flow.source} > {flow.target}: {each.what}" + "".join(f" {symbol}" for symbol in each.symbols)
        for flow in graph.flows
        for each in flow.carried
    }


def test_market_data_signals_targets_orders_and_facts_flow(recipe, drawn):
    graph = drawn(recipe)
    assert flows(graph) == {
        "feed1 > bars1: trades",
        "bars1 > strategy1: bars of 1m",
        "strategy1 > allocator1: signals",
        "allocator1 > trader1: Targets",
        "sizing1 > trader1: budgets",
        "feed1 > executor1: quotes",
        "trader1 > executor1: orders",
        "executor1 > trader1: order events",
        "feed1 > sink1: quotes",
        "strategy1 > sink1: signals",
        "allocator1 > sink1: Targets",
        "trader1 > sink1: fills",
    }
    assert graph.stages == ("feed", "strategy", "execution", "sink")
    assert graph.transport == ""
    assert graph.node("strategy1").history == 20


def test_bars_are_built_from_trades_or_from_shorter_bars_of_the_first_feed_that_has_them(recipe, drawn):
    recipe["feeds"] = [{"tape": {"gives": ["trades", "quotes"], "only": BTC}}, {"line": {"gives": ["20", "10"]}}]
    graph = drawn(recipe)
    assert {
        f"feed1 > bars1: trades {BTC}",
        f"feed2 > bars2: bars of 20s {ETH}",
        f"bars1 > strategy1: bars of 1m {BTC}",
        f"bars2 > strategy1: bars of 1m {ETH}",
        f"feed1 > executor1: quotes {BTC}",
    } <= flows(graph)
    assert [node.note for node in graph.nodes if node.role == "bars"] == [
        "built from trades",
        "built from bars of 20s",
    ]


def test_bars_that_a_feed_has_are_not_built(recipe, drawn):
    recipe["feeds"] = [{"tape": {"gives": ["60"]}}]
    graph = drawn(recipe)
    assert "feed1 > strategy1: bars of 1m" in flows(graph)
    assert all(node.role != "bars" for node in graph.nodes)


def test_facts_flow_back_to_who_asks_for_them(recipe, drawn):
    recipe["strategies"] = [{"cross": {"facts": True}}, {"cross": {}, "id": "deaf"}]
    found = flows(drawn(recipe))
    assert {"trader1 > strategy1: fills", "trader1 > strategy1: positions"} <= found
    assert not any("> strategy2" in flow for flow in found)


def test_what_rules_need_flows_to_them(recipe, drawn):
    recipe["feeds"] = [{"tape": {"gives": ["quotes", "trades", "marks"]}}]
    recipe["risk"] = {
        "sizing": [{"share": {"needs": ["10"], "history": 5}}],
        "protection": ["net"],
        "limits": [{"ceiling": {"needs": ["marks"]}}],
    }
    graph = drawn(recipe)
    assert {
        "bars1 > sizing1: bars of 10s",
        "feed1 > limit1: marks",
        "protection1 > trader1: stops",
        "limit1 > trader1: verdicts",
    } <= flows(graph)
    assert graph.node("sizing1").history == 5


def test_inherited_limits_say_where_they_are_from(recipe, drawn, tmp_path):
    graph = drawn(recipe, Project(tmp_path, limits=("ceiling",)))
    assert graph.node("limit1").note == "from quantmind.yaml"


@pytest.mark.parametrize(
    ("entry", "note"),
    [
        ("market", "enters at market"),
        ("limit", "enters at a limit, 1 tick from the best price, for 10s, then at market"),
        (
            {"limit": {"offset_ticks": 0, "timeout": "1m", "then": "cancel"}},
            "enters at a limit, 0 ticks from the best price, for 1m, then not at all",
        ),
    ],
)
def test_the_trader_says_how_it_enters(recipe, drawn, entry, note):
    graph = drawn({**recipe, "entry": entry})
    assert graph.node("trader1").note == note


def test_a_stage_without_components_is_left_out_and_a_transport_is_named(recipe, drawn):
    graph = drawn({**recipe, "sinks": [], "transport": "pipe"})
    assert graph.stages == ("feed", "strategy", "execution")
    assert graph.transport == "pipe"


def test_a_sink_that_cannot_be_asked_is_drawn(recipe, drawn):
    graph = drawn({**recipe, "sinks": ["broken"]})
    assert graph.node("sink1").note == "what it takes cannot be told"
    assert not any("sink1" in flow for flow in flows(graph))


def test_plain_data_names_every_symbol_and_the_channel(recipe, drawn):
    data = drawn(recipe).as_json()
    assert data["transport"] is None
    (built,) = (flow for flow in data["flows"] if flow["target"] == "strategy1")
    assert built["carried"] == [
        {"what": "bars of 1m", "symbols": [BTC, ETH], "channel": {"kind": "bar", "interval": 60_000_000_000}}
    ]
    (signals,) = (flow for flow in data["flows"] if flow["target"] == "allocator1")
    assert signals["carried"] == [{"what": "signals", "symbols": [], "channel": None}]


def test_what_cannot_be_wired_is_told(recipe, drawn):
    recipe["feeds"] = [{"tape": {"gives": ["quotes"]}}]
    with pytest.raises(RecipeProblems, match=r"strategies\[0\].cross: needs bars of 1m of BTC/USDT:USDT"):
        drawn(recipe)

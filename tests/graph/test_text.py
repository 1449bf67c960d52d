from quantmind.graph.text import WIDTH, as_text

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"


def test_a_recipe_reads_from_the_feed_down_to_the_sinks(recipe, drawn):
    assert (
        as_text(drawn(recipe))
        == """\
test: BTC/USDT:USDT, ETH/USDT:USDT, in one process

FEED
  feed       tape        gives quotes, trades
  bars       bars of 1m  built from trades

    │ bars of 1m
    ▼
STRATEGY
  strategy   cross       takes bars of 1m (20 before the start)
  allocator  even        weighs the signals of cross

    │ quotes, Targets
    ▼
EXECUTION
  sizing     share       how much to hold
  trader     Trader      enters at market
  executor   desk        takes quotes

    │ quotes, signals, Targets, fills
    ▼
SINK
  sink       trail       takes quotes; signals, Targets, fills
"""
    )


def test_facts_go_up_several_feeds_are_told_apart_and_ids_are_shown(recipe, drawn):
    recipe["transport"] = "pipe"
    recipe["feeds"] = [{"tape": {"gives": ["trades"], "only": BTC}}, {"line": {"gives": ["quotes", "60"], "only": ETH}}]
    recipe["strategies"] = [{"cross": {"needs": ["60"], "facts": True}}, {"cross": {"needs": []}, "id": "idle"}]
    recipe["sinks"] = []
    assert (
        as_text(drawn(recipe))
        == """\
test: BTC/USDT:USDT, ETH/USDT:USDT, in 3 processes connected by pipe

FEED
  feed       tape          gives trades of BTC/USDT:USDT
  feed       line          gives quotes, bars of 1m of ETH/USDT:USDT
  bars       bars of 1m    built from trades of BTC/USDT:USDT from tape

    │ bars of 1m
    ▼
STRATEGY
  strategy   cross         takes bars of 1m of BTC/USDT:USDT; bars of 1m of ETH/USDT:USDT from
                           line; fills, positions
  strategy   cross (idle)
  allocator  even          weighs the signals of cross, cross (idle)

    │ quotes, Targets    ▲ fills, positions
    ▼                    │
EXECUTION
  sizing     share         how much to hold
  trader     Trader        enters at market
  executor   desk          takes quotes of ETH/USDT:USDT from line
"""
    )


def test_many_symbols_are_counted(recipe, drawn):
    symbols = [f"C{number}/USDT:USDT" for number in range(50)]
    recipe["instruments"] = {symbol: {"tick": 0.1, "step": 0.1} for symbol in symbols}
    recipe["feeds"] = [
        *({"tape": {"gives": ["quotes"], "only": symbol}} for symbol in symbols[:3]),
        {"line": {"gives": ["trades"]}},
    ]
    text = as_text(drawn(recipe))
    assert text.startswith("test: 50 symbols: C0/USDT:USDT, C1/USDT:USDT, C2/USDT:USDT and 47 more, in one process\n")
    assert "tape        gives quotes of C2/USDT:USDT\n" in text
    assert text.count("C2/USDT:USDT") < 6
    assert len(text.splitlines()) < 40
    assert all(len(line) <= WIDTH for line in text.splitlines())


def test_a_feed_that_nobody_wants_anything_of_says_so(recipe, drawn):
    recipe["feeds"].append({"line": {}})
    assert "line        gives nothing that anybody wants\n" in as_text(drawn(recipe))

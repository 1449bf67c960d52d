import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.document import parse
from quantmind.recipe.load import load
from quantmind.recipe.show import as_json, as_yaml


def test_every_value_has_its_origin(bench):
    bench.write("limits:\n  - ceiling: {limit: 5}\n", "quantmind.yaml")
    bench.environ = {"ACC": "mine", "KEY": "hush"}
    recipe = bench.load(
        ("account: demo", "account: '${ACC}', key: '${KEY}'"),
        ("fraction: 0.5", "fraction: 0.50"),
        (
            "[BTC/USDT:USDT]",
            "{BTC/USDT:USDT: {tick: 0.1, step: 0.001, maintenance: [{floor: 0, rate: 0.01}, {floor: 9, rate: 0.02}]}}",
        ),
    )
    assert (
        as_yaml(recipe)
        == """\
name: test  # r.yaml:1
instruments:
  BTC/USDT:USDT:
    tick: 0.1  # r.yaml:2
    step: 0.001  # r.yaml:2
    min_notional: 0  # default
    max_quantity: null  # default
    maintenance:
      - floor: 0  # r.yaml:2
        rate: 0.01  # r.yaml:2
      - floor: 9  # r.yaml:2
        rate: 0.02  # r.yaml:2
feeds:
  - tape:
      gives:
        - quotes  # default
        - trades  # default
      only: ""  # default
      broken: false  # default
transport: inproc  # default
strategies:
  - cross:
      interval: 1m  # r.yaml:6
      fast: 5  # r.yaml:6
      fills: false  # default
      history: 20  # default
allocator:
  even:
    at_most: 9  # default
risk:
  sizing:
    - share:
        fraction: 0.5  # r.yaml:9
        mode: full  # default
        ratio: 0.5  # default
  protection: []  # default
  limits:
    - ceiling:
        limit: 5  # quantmind.yaml:2
  no_trade_band: 0.05  # default
  max_age: 10s  # default
entry: market  # default
executor:
  desk:
    account: mine  # environment ACC
    latency: 50ms  # default
    key: "**********"  # environment KEY
sinks:
  - trail:
      path: out  # default
      inner:
        level: 1  # default
      tags: {}  # default
      both: 1  # default
"""
    )


def test_what_is_shown_is_the_same_recipe(bench):
    written = bench.load(
        ("[BTC/USDT:USDT]", "[ETH/USDT:USDT, SOL/USDT:USDT: {tick: 0.01, step: 0.1}]"),
        ("fraction: 0.5", "fraction: 0.1000000000000000000001"),
        (
            "  - trail",
            '  - trail: {path: "a: $$b # \\x85 \\n 😀", tags: {x: 1}, both: "12"}\n    id: other\n  - trail',
        ),
        ("name: test", "name: test\ntransport: pipe\nentry: {limit: {timeout: 1m}}"),
        ("risk:", "risk:\n  max_age: 90s\n  protection: [net: {needs: [marks]}, goal]"),
    )
    bench.write(as_yaml(written), "shown.yaml")
    shown = load(bench.folder / "shown.yaml", bench.plugins, bench.project(), {})
    for section in ("feeds", "strategies", "sizing", "protection", "limits", "sinks"):
        assert [(s.id, s.options) for s in getattr(shown, section)] == [
            (s.id, s.options) for s in getattr(written, section)
        ]
    assert shown.instruments == written.instruments
    assert shown.entry == written.entry
    assert shown.max_age == written.max_age == 90_000_000_000
    assert shown.transport == written.transport
    assert shown.sinks[0].options.path == "a: $b # \x85 \n 😀"
    assert shown.sizing[0].options == written.sizing[0].options


def test_a_limit_entry_is_shown_with_every_default(bench):
    shown = as_yaml(bench.load(("name: test", "name: test\nentry:\n  limit: {offset_ticks: 2}")))
    assert (
        """\
entry:
  limit:
    offset_ticks: 2  # r.yaml:3
    timeout: 10s  # default
    then: market  # default
"""
        in shown
    )


def test_json_has_values_and_origins_apart(bench):
    shown = json.loads(json.dumps(as_json(bench.load())))
    assert shown["recipe"]["strategies"][0]["cross"]["interval"] == "1m"
    assert shown["origins"]["strategies[0].cross.interval"] == "r.yaml:6"
    assert shown["origins"]["risk.no_trade_band"] == "default"
    assert shown["recipe"]["risk"]["no_trade_band"] == "0.05"


@pytest.fixture(autouse=True)
def _components(plugins):
    found = {(row.kind, row.name) for row in plugins.all() if row.kind}
    test_any_text_survives.components = tuple(plugins.find(*row) for row in sorted(found))


@given(st.text())
@example("-")
@example("---")
@example("...")
def test_any_text_survives(text):
    plugins = Plugins((), test_any_text_survives.components, environ={})
    data = {
        "name": "x",
        "instruments": ["BTC/USDT:USDT"],
        "feeds": ["tape"],
        "strategies": ["cross"],
        "allocator": "even",
        "risk": {"sizing": ["share"]},
        "executor": {"desk": {"account": text.replace("$", "$$")}},
    }
    recipe = load(data, plugins, Project.find("/", {}), {})
    document = parse(as_yaml(recipe).encode(), "shown.yaml")
    assert document.problems == ()
    again = load(document.data, plugins, Project.find("/", {}), {})
    assert again.executor.options.account == text

"""The schema of recipes, held against lint: by our own recipes, by broken ones, and by what is made of both."""

import copy
import functools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from pydantic import Field

from quantmind.kinds import Executor, Feed, NoOptions, Options, Sink
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.document import parse, read_document
from quantmind.recipe.expectations import KEYS as EXPECTED
from quantmind.recipe.given import SERIES
from quantmind.recipe.lint import lint
from quantmind.recipe.load import KEYS
from quantmind.recipe.schema.recipes import as_text, project_schema, recipe_schema

ROOT = Path(__file__).parents[3]
RECIPES = sorted((ROOT / "recipes").glob("*.yaml"))
CORPUS = ROOT / "tests" / "recipe" / "corpus"
NOWHERE = Project(Path("nowhere"))

BEYOND = {
    "key-expect-strategy": "names of strategies are those of this recipe",
    "key-given-symbol": "symbols are those of this recipe",
    "symbol-tiers": "each is compared with the one before",
    "tests-executor-option": "whose options they are is for the recipe and the plugins to say",
    "tests-executor-value": "whose options they are is for the recipe and the plugins to say",
    "tests-lack-channel": "what is given is compared with what components need",
    "tests-lack-interval": "what is given is compared with what components need",
    "tests-lack-rule": "what is given is compared with what components need",
    "tests-lack-symbol": "what is given is compared with what components need",
    "tests-lack-unset": "what is given is compared with what components need",
    "tests-one-name-twice": "ids and names are compared",
    "wiring-one-id-twice": "ids and names are compared",
    "wiring-weights-unknown": "an allocator compares its options with the strategies",
    "type-duration-ages": "a text is no number",
    "type-duration-fraction": "a text is no number",
    "type-moment-far": "a text is no number",
    "type-moment-none": "a pattern knows no leap years",
    "type-given-high": "series are compared",
    "type-given-lengths": "series are compared",
    "type-given-too-long": "repeats are counted",
    "type-infinity": "JSON has no such number",
    "type-nan": "JSON has no such number",
    "type-number-endless": "digits are counted",
    "type-number-huge": "JSON has no such number",
    "type-number-huge-whole": "what can be recorded is ours to know",
    "variable-nested": "a pattern finds the inner one",
    "variable-too-many": "references are counted",
}
"""What lint refuses and no schema of ours can tell, and why."""


@functools.cache
def validator():
    return Draft7Validator(recipe_schema(Plugins(environ={}, only_own=True)))


def faults(data, plugins=None, environ=None):
    """Return what lint says of plain data; variables are set, if an environment is given."""
    found = lint(data, plugins or _own(), NOWHERE, environ or {})
    return [problem for problem in found if problem.severity == "error" or "is not set" in problem.message]


@functools.cache
def _own():
    return Plugins(environ={}, only_own=True)


def places(data, of=None):
    """Return where the schema finds something wrong."""
    return {"/".join(map(str, error.absolute_path)) for error in (of or validator()).iter_errors(data)}


def refusals(data, of=None):
    """Return what the schema finds wrong, in words: the error itself would print the whole schema."""
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in (of or validator()).iter_errors(data)
    ]


def test_the_schemas_are_schemas():
    for make in (recipe_schema, project_schema):
        Draft7Validator.check_schema(make(_own()))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_our_recipes_are_valid(recipe):
    assert refusals(read_document(recipe).data) == []


def test_our_project_is_valid():
    Draft7Validator(project_schema(_own())).validate(read_document(ROOT / "quantmind.yaml").data)


def test_every_component_is_described_with_every_option():
    text = as_text(validator().schema)
    assert "makes no JSON Schema" not in text
    sections = validator().schema["properties"]
    rules = sections["risk"]["properties"]
    places = {
        "feed": sections["feeds"]["items"],
        "transport": sections["transport"],
        "strategy": sections["strategies"]["items"],
        "allocator": sections["allocator"],
        "sizing": rules["sizing"]["items"],
        "protection": rules["protection"]["items"],
        "limit": rules["limits"]["items"],
        "executor": sections["executor"],
        "sink": sections["sinks"]["items"],
    }
    for row in _own().all():
        if row.kind in places:
            described = places[row.kind]["properties"][row.name]
            fields = _own().find(row.kind, row.name).options_model.model_fields
            assert described["description"] == row.summary
            assert list(described["properties"]) == list(fields)
            for name, field in fields.items():
                assert described["properties"][name]["description"].startswith(field.description), name
    assert list(sections) == list(KEYS)
    tests = sections["tests"]["items"]["properties"]
    assert set(SERIES) <= set(tests["given"]["properties"])
    assert list(tests["expect"]["properties"]) == list(EXPECTED)


def test_nothing_of_this_machine_or_version_is_in_it():
    text = as_text(validator().schema)
    assert str(ROOT) not in text
    assert str(Path.home()) not in text
    assert as_text(recipe_schema(Plugins(environ={}, only_own=True))) == text


def test_what_an_editor_offers_is_valid():
    sections = validator().schema["properties"]
    rules = sections["risk"]["properties"]
    entries = [sections["feeds"]["items"], sections["allocator"], sections["executor"], rules["sizing"]["items"]]
    for entry in (*entries, rules["limits"]["items"], rules["protection"]["items"], sections["instruments"]):
        of = Draft7Validator({**entry, "definitions": validator().schema["definitions"]})
        for snippet in entry.get("defaultSnippets", ()):
            assert refusals(snippet["body"], of) == []
    offered = [snippet["label"] for snippet in rules["sizing"]["items"]["defaultSnippets"]]
    assert len(offered) == len(rules["sizing"]["items"]["properties"]) - 1


BROKEN = [
    # What is changed, into what, and where the schema must find it.
    ("name: test", "nmae: test", {""}),
    ("name: test", "name: My Test", {"name"}),
    ("name: test", "name: null", {"name"}),
    ("name: test", "name: ${NAME", {"name"}),
    ("[BTC/USDT:USDT]", "[]", {"instruments"}),
    ("[BTC/USDT:USDT]", "[BTC/USDT:USDT, BTC/USDT:USDT]", {"instruments"}),
    ("[BTC/USDT:USDT]", "[BTCUSDT]", {"instruments/0"}),
    ("[BTC/USDT:USDT]", "[SOL/USDT:USDT]", {"instruments/0"}),
    ("[BTC/USDT:USDT]", "[{BTC/USDT:USDC: {tick: 1, step: 1}}]", {"instruments/0"}),
    ("[BTC/USDT:USDT]", "[{SOL/USDT:USDT: {tick: 0, step: 1}}]", {"instruments/0/SOL/USDT:USDT/tick"}),
    ("[BTC/USDT:USDT]", "{SOL/USDT:USDT: {tick: 1}}", {"instruments/SOL/USDT:USDT"}),
    ("[BTC/USDT:USDT]", "{SOL/USDT:USDT: null}", {"instruments/SOL/USDT:USDT"}),
    ("[BTC/USDT:USDT]", "{BTC/USDT:USDT: {tick: 1, step: 1, stepp: 1}}", {"instruments/BTC/USDT:USDT"}),
    ("[BTC/USDT:USDT]", "BTC/USDT:USDT", {"instruments"}),
    ("  - tape: {}", "  tape: {}", {"feeds"}),
    ("  - tape: {}", "  []", {"feeds"}),
    ("  - tape: {}", "  - taep: {}", {"feeds/0"}),
    ("  - tape: {}", "  - tape: {}\n    wire: {}", {"feeds/0"}),
    ("  - tape: {}", "  - tape: {}\n    wire: {}\n    id: a", {"feeds/0"}),
    ("  - tape: {}", "  - id: a", {"feeds/0"}),
    ("  - tape: {}", "  - {}", {"feeds/0"}),
    ("  - tape: {}", "  - 5", {"feeds/0"}),
    ("  - tape: {}", "  - cross", {"feeds/0"}),
    ("  - tape: {}", "  - tape: {}\n    id: A B", {"feeds/0/id"}),
    ("  - tape: {}", "  - tape: {give: [quotes]}", {"feeds/0/tape"}),
    ("  - tape: {}", "  - tape: {gives: quotes}", {"feeds/0/tape/gives"}),
    ("  - tape: {}", "  - tape: {broken: perhaps}", {"feeds/0/tape/broken"}),
    ("fast: 5", "fast: 1", {"strategies/0/cross/fast"}),
    ("fast: 5", "fast: 5.5", {"strategies/0/cross/fast"}),
    ("fast: 5", 'fast: "five"', {"strategies/0/cross/fast"}),
    ("interval: 1m", "interval: 1 minute", {"strategies/0/cross/interval"}),
    ("interval: 1m", "interval: 0s", {"strategies/0/cross/interval"}),
    ("allocator: even", "allocator: odd", {"allocator"}),
    ("allocator: even", "allocator: [even]", {"allocator"}),
    ("allocator: even", "allocator: {even: {}, odd: {}}", {"allocator"}),
    ("fraction: 0.5", "fraction: 1.5", {"risk/sizing/0/share/fraction"}),
    ("fraction: 0.5", "mode: third", {"risk/sizing/0/share/mode"}),
    ("  sizing: [{share: {fraction: 0.5}}]", "  sizing: []", {"risk/sizing"}),
    ("  sizing: [{share: {fraction: 0.5}}]", "  limits: []", {"risk"}),
    ("  sizing:", "  no_trade_band: 1\n  sizing:", {"risk/no_trade_band"}),
    ("  sizing:", "  max_age: 0\n  sizing:", set()),
    ("  sizing:", "  limit: []\n  sizing:", {"risk"}),
    ("sinks:\n  - trail", "sinks: trail", {"sinks"}),
    ("sinks:\n  - trail", "sinks:\n  - trail: {inner: {level: -1}}", {"sinks/0/trail/inner/level"}),
    ("sinks:\n  - trail", "sinks:\n  - trail: {tags: {a: x}}", {"sinks/0/trail/tags/a"}),
    ("sinks:", "sink: []\nsinks:", {""}),
    ("sinks:", "transport: pip\nsinks:", {"transport"}),
    ("sinks:", "transport: {inproc: {a: 1}}\nsinks:", {"transport/inproc"}),
    ("sinks:", "transport: {inproc: {}, id: a}\nsinks:", {"transport"}),
    ("sinks:", "entry: stop\nsinks:", {"entry"}),
    ("sinks:", "entry: {market: {}, limit: {}}\nsinks:", {"entry"}),
    ("sinks:", "entry: {market: {a: 1}}\nsinks:", {"entry/market"}),
    ("sinks:", "entry: {limit: {offset_ticks: -1}}\nsinks:", {"entry/limit/offset_ticks"}),
    ("sinks:", "entry: {limit: {then: wait}}\nsinks:", {"entry/limit/then"}),
    ("sinks:", "entry: {limits: {}}\nsinks:", {"entry"}),
    ("sinks:", "entry: 5\nsinks:", {"entry"}),
]


@pytest.mark.parametrize(
    ("old", "new", "where"), BROKEN, ids=lambda value: repr(value) if isinstance(value, str) else ""
)
def test_what_is_broken_is_refused_at_its_place(bench, plugins, old, new, where):
    data = parse(bench.with_changes((old, new)).encode(), "r.yaml").data
    assert faults(data, plugins)
    assert places(data, Draft7Validator(recipe_schema(plugins))) == where


PLAIN = "{bars: {interval: 1m, close: [1, 2]}}"
TESTS = [
    ("{name: a, given: GIVEN, expect: {signals: [1]}}", None),
    ("{name: a, given: {bars: {BTC/USDT:USDT: {interval: 1m, close: [[100, 40], 99]}}}, expect: {position: 0}}", None),
    ("{name: a, given: {equity: 1, marks: null, trades: {price: [1]}}, expect: {pnl_above: -1, fees_below: 1}}", None),
    ("{name: a, given: GIVEN, expect: {signals: {exactly: [1, {strategy: cross}]}, latches: [a]}}", None),
    ("{name: a, given: GIVEN, expect: {orders: [buy, {stop_below: 3, filled_above: 1}], refusals: []}}", None),
    (
        "{name: a, given: GIVEN, expect: {position: {BTC/USDT:USDT: {cross: '1.5'}}, latches: [{level: null}]}}",
        None,
    ),
    ("{name: a, given: GIVEN}", "tests/0"),
    ("{name: ' ', given: GIVEN, expect: {signals: [1]}}", "tests/0/name"),
    ("{name: a, given: GIVEN, expect: {signals: [1]}, more: 1}", "tests/0"),
    ("{name: a, given: GIVEN, expect: {}}", "tests/0/expect"),
    ("{name: a, given: GIVEN, expect: {signal: [1]}}", "tests/0/expect"),
    ("{name: a, given: GIVEN, expect: {signals: 1}}", "tests/0/expect/signals"),
    ("{name: a, given: GIVEN, expect: {signals: [up]}}", "tests/0/expect/signals/0"),
    ("{name: a, given: GIVEN, expect: {signals: [{direction_abov: 0}]}}", "tests/0/expect/signals/0"),
    ("{name: a, given: GIVEN, expect: {signals: {exactly: [], more: 1}}}", "tests/0/expect/signals"),
    ("{name: a, given: GIVEN, expect: {orders: [{side: hold}]}}", "tests/0/expect/orders/0/side"),
    ("{name: a, given: GIVEN, expect: {orders: [hold]}}", "tests/0/expect/orders/0"),
    ("{name: a, given: GIVEN, expect: {equity_above: much}}", "tests/0/expect/equity_above"),
    ("{name: a, given: GIVEN, expect: {position: [1]}}", "tests/0/expect/position"),
    ("{name: a, given: {}, expect: {signals: [1]}}", "tests/0/given"),
    ("{name: a, given: {bar: {}, quotes: {bid: [1]}}, expect: {signals: [1]}}", "tests/0/given"),
    ("{name: a, given: {equity: 0, quotes: {bid: [1]}}, expect: {signals: [1]}}", "tests/0/given/equity"),
    ("{name: a, given: {quotes: {bid: []}}, expect: {signals: [1]}}", "tests/0/given/quotes/bid"),
    ("{name: a, given: {quotes: {bid: [-1]}}, expect: {signals: [1]}}", "tests/0/given/quotes/bid/0"),
    ("{name: a, given: {quotes: {bid: [[1, 0]]}}, expect: {signals: [1]}}", "tests/0/given/quotes/bid/0/1"),
    ("{name: a, given: {quotes: {bids: [1]}}, expect: {signals: [1]}}", "tests/0/given/quotes"),
    ("{name: a, given: {bars: {close: [1]}}, expect: {signals: [1]}}", "tests/0/given/bars"),
    (
        "{name: a, given: {quotes: {BTC/USDT:USDT: {bid: [x]}}}, expect: {signals: [1]}}",
        "tests/0/given/quotes/BTC/USDT:USDT/bid/0",
    ),
    ("5", "tests/0"),
]


class Practice(Executor[NoOptions]):
    """Is simulated, as tests need it."""

    name = "practice"
    simulated = True


@pytest.mark.parametrize(("test", "where"), TESTS)
def test_the_tests_of_a_recipe_are_told_apart(bench, plugins, test, where):
    others = [plugins.find(row.kind, row.name) for row in plugins.all() if row.kind]
    plugins = Plugins(allow=(), extra=[*others, Practice], environ={})
    data = parse(f"{bench.recipe}tests:\n  - {test.replace('GIVEN', PLAIN)}\n".encode(), "r.yaml").data
    assert bool(faults(data, plugins)) == (where is not None)
    found = places(data, Draft7Validator(recipe_schema(plugins)))
    assert {place for place in found if place} == ({where} if where else set())


SOUND = [
    ("name: test", 'name: "${NAME:-test}"'),
    ("[BTC/USDT:USDT]", '["${SYMBOL:-BTC/USDT:USDT}"]'),
    ("[BTC/USDT:USDT]", "{BTC/USDT:USDT: null, SOL/USDT:USDT: {tick: '0.1', step: 1, maintenance: null}}"),
    ("[BTC/USDT:USDT]", "[BTC/USDT:USDT: ]"),
    ("  - tape: {}", "  - tape"),
    ("  - tape: {}", "  - tape:"),
    ("  - tape: {}", "  - ${FEED:-tape}"),
    ("  - tape: {}", "  - tape: {broken: 'no'}\n    id: ${ID:-mine}"),
    ("  - tape: {}", "  - tape: {broken: 0}"),
    ("fast: 5", 'fast: "${FAST:-5}"'),
    ("fast: 5", 'fast: "5"'),
    ("fast: 5", "fast: 5.0"),
    ("interval: 1m", 'interval: "${INTERVAL:-1m}"'),
    ("allocator: even", "allocator: {even: }"),
    ("allocator: even", "allocator: ${ALLOCATOR:-even}"),
    ("fraction: 0.5", "fraction: '.5'"),
    ("fraction: 0.5", 'mode: "${MODE:-half}"'),
    ("  sizing:", "  protection:\n  limits:\n  no_trade_band:\n  max_age:\n  sizing:"),
    ("sinks:\n  - trail", "sinks:"),
    ("sinks:\n  - trail", "sinks:\n  - trail: {both: x, tags: {}, path: a$$b}"),
    ("sinks:", "transport:\nentry:\ntests:\nsinks:"),
    ("sinks:", "transport: inproc\nsinks:"),
    ("sinks:", "transport: {inproc: }\nsinks:"),
    ("sinks:", "transport: {pipe: {}, id: mine}\nsinks:"),
    ("sinks:", "entry: limit\nsinks:"),
    ("sinks:", "entry: {limit: }\nsinks:"),
    ("sinks:", "entry: {market: {}}\nsinks:"),
    ("sinks:", "entry: ${ENTRY:-market}\nsinks:"),
]


@pytest.mark.parametrize(("old", "new"), SOUND)
def test_what_is_sound_however_it_is_written_is_valid(bench, plugins, old, new):
    data = parse(bench.with_changes((old, new)).encode(), "r.yaml").data
    assert faults(data, plugins) == []
    assert refusals(data, Draft7Validator(recipe_schema(plugins))) == []


def test_the_broken_recipes_of_the_corpus_are_refused():
    taken = set()
    for recipe in sorted(CORPUS.glob("*.yaml")):
        document = read_document(recipe)
        if not document.problems and any(problem.severity == "error" for problem in faults(recipe)):
            taken |= set() if places(document.data) else {recipe.stem}
    assert taken == set(BEYOND)


VALUES = st.sampled_from(
    [
        *(None, True, False, 0, 1, -1, 5, 5.0, 0.5, 1e9, [], {}, [1], [[1, 2]], ["a"], {"a": 1}, {"exactly": []}),
        *("", "a", "5", " 5 ", "0.5", "1e3", "1_000", "yes", "no", "1m", "0s", "1.5h", "2024-01-31", "max", "market"),
        *("limit", "buy", "flatten", "inproc", "zeromq", "console", "BTC/USDT:USDT", "ETH/USDT:USDT", "$$", "a$$b"),
        *("${V:-5}", "${V:-1m}", "${V:-console}", "x${V:-y}", "${V:-true}"),
    ]
)


def nodes(data, path=()):
    """Yield the path of every value below."""
    members = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in members:
        yield (*path, key)
        yield from nodes(value, (*path, key))


def respelt(value):
    """Return other ways to write a scalar that mean the same, or nearly."""
    text = json.dumps(value) if isinstance(value, bool | int | float) else value
    if not isinstance(text, str):
        return []
    return [
        text,
        f" {text} ",
        f"${{V:-{text}}}",
        f"{text[:1]}${{V:-{text[1:]}}}",
        text.upper(),
        text.replace("$", "$$"),
    ]


@st.composite
def changed(draw):
    """A recipe of ours with some changes: values respelt, replaced, left out, doubled, keys exchanged."""
    data = copy.deepcopy(read_document(draw(st.sampled_from(RECIPES))).data)
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from(list(nodes(data)) or [("name",)]))
        at = data
        for part in above:
            at = at[part]
        value = at.get(last) if isinstance(at, dict) else at[last]
        way = draw(st.sampled_from(["respell", "respell", "respell", "replace", "leave out", "double", "wrap"]))
        if way == "respell" and (others := respelt(value)):
            at[last] = draw(st.sampled_from(others))
        elif way == "leave out":
            del at[last]
        elif way == "double" and isinstance(at, list):
            at.append(copy.deepcopy(value))
        elif way == "wrap":
            at[last] = draw(
                st.sampled_from([[value], {"exactly": value}, {str(value): None}, {"BTC/USDT:USDT": value}])
            )
        else:
            at[last] = copy.deepcopy(draw(VALUES))
    return data


@settings(deadline=None)
@given(changed())
def test_what_lint_takes_the_schema_takes(data):
    assume(not faults(data))
    assert refusals(data) == []


class Odd(Options):
    """Makes no schema."""

    value: int = Field(default=1, description="A value.")

    @classmethod
    def __get_pydantic_json_schema__(cls, schema, handler):
        raise RuntimeError(f"at {id(schema)}")


class Strange(Sink[Odd]):
    """Has options that cannot be described."""

    name = "strange"


class Twice(Sink[NoOptions]):
    """Is there twice."""

    name = "twice"


class Again(Sink[NoOptions]):
    """Is there twice, too."""

    name = "twice"


class Named(Feed[NoOptions]):
    """Has the name of a key."""

    name = "id"


def test_what_a_plugin_does_wrong_spoils_nothing_else():
    plugins = Plugins(allow=(), extra=(Strange, Twice, Again, Named), environ={})
    entry = recipe_schema(plugins)["properties"]["sinks"]["items"]
    assert list(entry["properties"]) == ["strange", "id"]
    assert entry["properties"]["strange"] == {
        "type": ["object", "null"],
        "$comment": "its options model makes no JSON Schema: RuntimeError",
        "description": "Has options that cannot be described.",
    }
    feeds = recipe_schema(plugins)["properties"]["feeds"]["items"]
    assert feeds["properties"].keys() == {"id"}
    Draft7Validator.check_schema(recipe_schema(plugins))


PROJECTS = [
    ("{}", None),
    ("", None),
    ("logging:\nstate:\nplugins:\nlimits:\n", None),
    (
        "logging: {level: debug}\nstate: a\nplugins: {allow: [quantmind]}\nlimits: [max_leverage: {limit: '${V:-3}'}]",
        None,
    ),
    ("plugins: {allow: null}\n", None),
    ("loging: {}", ""),
    ("logging: {level: loud}", "logging/level"),
    ("logging: {level: '${LEVEL}'}", "logging/level"),
    ("state: ''", "state"),
    ("state: 5", "state"),
    ("plugins: {allow: quantmind}", "plugins/allow"),
    ("limits: {max_leverage: {limit: 3}}", "limits"),
    ("limits: [max_leverage: {limit: 0}]", "limits/0/max_leverage/limit"),
    ("limits: [kelly: {}]", "limits/0"),
    ("[]", ""),
]


@pytest.mark.parametrize(("text", "where"), PROJECTS)
def test_projects_are_told_apart(text, where):
    data = parse(text.encode(), "quantmind.yaml").data
    assert places(data, Draft7Validator(project_schema(_own()))) == (set() if where is None else {where})


@pytest.mark.slow
def test_an_independent_validator_says_the_same(tmp_path, bench):
    schema = tmp_path / "recipe.schema.json"
    schema.write_text(as_text(recipe_schema(_own())))
    broken = [path for path in CORPUS.glob("*.yaml") if path.stem.startswith(("key-", "type-", "missing-"))]
    broken = [path for path in broken if not read_document(path).problems and places(read_document(path).data)]
    # Other readers of YAML take 0x1F and 0o17 for numbers.
    broken = [path for path in broken if path.stem not in {"type-number-hexadecimal", "type-number-octal"}]
    assert len(broken) > 50

    def check(*arguments):
        command = [sys.executable, "-m", "check_jsonschema", "--output-format", "json", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, json.loads(done.stdout)

    assert check("--check-metaschema", schema)[0] == 0
    code, told = check("--schemafile", schema, *RECIPES)
    assert (code, told["status"]) == (0, "ok")
    code, told = check("--schemafile", schema, *broken)
    assert code == 1
    refused = {re.sub(r"^file:", "", error["filename"]) for error in told["errors"]}
    assert {Path(name).stem for name in refused} == {path.stem for path in broken}

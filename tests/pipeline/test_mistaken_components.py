"""Mistakes of authors: each is told in one line that blames the component, at its author's line, and ends in order."""

from __future__ import annotations

import json
import re
import sys
import textwrap

import pytest

from quantmind.cli import main

HEAD = """
import asyncio
from decimal import Decimal as D
from quantmind.errors import QuantMindError
from quantmind.events import Bar, Fill, Signal, Trade
from quantmind.hookspecs import hookimpl
from quantmind.kinds import *

SECOND = 1_000_000_000
BARS = bars(10 * SECOND)

class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no words")
"""

SOUND = {
    "strategy": (
        "Strategy",
        """
        @classmethod
        def needs(cls, options):
            return Needs((BARS,))

        def on_bar(self, bar):
            return self.signal(1.0 if bar.ts // SECOND // 10 % 4 < 2 else -1.0)
        """,
    ),
    "allocator": (
        "Allocator",
        """
        def decide(self, portfolio):
            return {signal.symbol: {signal.strategy: signal.direction} for signal in portfolio.signals}
        """,
    ),
    "sizing": ("SizingRule", "def budget(self, sizing):\n    return D('0.1')"),
    "protection": (
        "Protection",
        """
        def levels(self, held):
            return Levels(stop=held.average_price * (D("0.9") if held.quantity > 0 else D("1.1")))
        """,
    ),
    "limit": ("Limit", ""),
    "executor": (
        "Executor",
        """
        simulated = True
        balance = D(10000)

        @classmethod
        def account(cls, options):
            return "strange"

        @classmethod
        def wants(cls, options, offered):
            return offered

        def submit(self, command):
            return []

        def cancel(self, command):
            return []

        def on_market(self, seq, event):
            return []
        """,
    ),
    "feed": (
        "Feed",
        """
        @classmethod
        def offers(cls, options, symbols):
            return {symbol: frozenset({TRADES}) for symbol in symbols}

        async def events(self):
            for n in range(1, 100):
                yield [Trade("BTC/USDT:USDT", n * SECOND, 50_000.0 + n, 1.0, 1)]
        """,
    ),
    "sink": ("Sink", "async def write(self, batch):\n    pass"),
}

WATCHER = '''
class Watcher(Sink[NoOptions]):
    """Tells that it was opened and closed."""

    name = "watcher"

    async def open(self):
        self.run.output.write("opened\\n")

    async def write(self, batch):
        pass

    async def close(self):
        self.run.output.write("closed\\n")
'''

REGISTER = """
@hookimpl
def register_components():
    return [{}]
"""

RECIPE = """\
name: mistaken
instruments: [BTC/USDT:USDT]
feeds: [{feed}]
strategies: [{strategy}]
allocator: {allocator}
risk:
  sizing: [{sizing}]
  protection: [{protection}]
  limits: [{limit}]
executor: {executor}
sinks: [watcher, {sink}]
tests:
  - name: one
    given: {{bars: {{interval: 10s, close: [100, 101, 102, 103]}}}}
    expect: {{equity_above: 0}}
"""
SLOTS = {
    "feed": "{synthetic: {seed: 7, duration: 2m}}",
    "strategy": "steady",
    "allocator": "equal_weight",
    "sizing": "{fixed_quantity: {quantity: 0.1}}",
    "protection": "",
    "limit": "{max_leverage: {limit: 3}}",
    "executor": "{paper: {balance: 10000}}",
    "sink": "console",
}
FAULT = re.compile(r"fault of QuantMind|Traceback")


def component(kind, body="", *, name="odd", cls="Odd"):
    base, sound = SOUND[kind]
    members = textwrap.indent(textwrap.dedent(sound) + "\n" + textwrap.dedent(body), "    ")
    return f'\nclass {cls}({base}[NoOptions]):\n    """Is odd."""\n\n    name = "{name}"\n\n{members}\n'


class Stranger:
    """A project, and a distribution of a stranger with one odd component among sound ones."""

    def __init__(self, folder, capfd):
        self.folder = folder
        self._capfd = capfd

    def install(self, kind, code):
        site = self.folder / "site" / "stranger-1.0.dist-info"
        site.mkdir(parents=True)
        (site / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
        (site / "entry_points.txt").write_text(
            "[quantmind]\nodd = stranger_odd\nsteady = stranger_sound\nwatcher = stranger_sound\n"
        )
        (site.parent / "stranger_odd.py").write_text(code)
        sound = component("strategy", name="steady", cls="Steady")
        (site.parent / "stranger_sound.py").write_text(HEAD + sound + WATCHER + REGISTER.format("Steady, Watcher"))
        (self.folder / "quantmind.yaml").write_text("state: state\nlogging: {level: warning}\n")
        (self.folder / "recipe.yaml").write_text(RECIPE.format(**{**SLOTS, kind: "odd"}))

    def call(self, *arguments):
        try:
            code = main(list(arguments))
        finally:
            for module in ("stranger_odd", "stranger_sound"):
                sys.modules.pop(module, None)
        return code, *self._capfd.readouterr()


@pytest.fixture
def stranger(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return Stranger(tmp_path, capfd)


INIT = {
    "strategy": "id, symbols",
    "allocator": "strategies",
    "sizing": "instrument",
    "protection": "instrument",
    "limit": "",
    "executor": "instruments",
    "feed": "instruments",
    "sink": "run",
}

UNFIT = [
    ("strategy", "async def on_bar(self, bar):\n    return None", "on_bar must not be async, as nobody waits for it"),
    ("strategy", "async def on_bar(self, bar):\n    yield None", "on_bar must not be async, as nobody waits for it"),
    ("strategy", "async def start(self):\n    pass", "start must not be async"),
    ("strategy", "def on_bar(self):\n    pass", r"on_bar must take \(self, bar\), and takes \(self\)"),
    (
        "strategy",
        "def on_bar(self, bar, past):\n    pass",
        r"on_bar must take \(self, bar\), and takes \(self, bar, past",
    ),
    ("strategy", "@property\ndef on_bar(self):\n    pass", r"on_bar must be a method: write def on_bar\(self, bar\)"),
    ("strategy", "@staticmethod\ndef on_bar(bar):\n    pass", "on_bar must be a method"),
    ("strategy", "def on_trades(self, trade):\n    pass", r"on_trades is never called: did you mean on_trade\?"),
    ("strategy", "def needs(self, options):\n    pass", "needs is asked of the class: write @classmethod before it"),
    ("strategy", "def __init__(self, options):\n    pass", r"__init__ must take \(self, options, id, symbols\), and"),
    ("strategy", "scope = 'symbols'", "scope must be 'symbol' or 'universe', was 'symbols'"),
    ("strategy", "name = None", "must have a name of small letters, digits and _, was None"),
    ("allocator", "async def decide(self, portfolio):\n    pass", "decide must not be async"),
    ("allocator", "def decide(self, portfolio):\n    yield {}", "decide must return its answer, not yield it"),
    ("sizing", "def budget(self, equity, price):\n    pass", r"budget must take \(self, sizing\), and takes"),
    ("sizing", "def figures(self):\n    return {}", "figures is a method, and must be a value: write @property"),
    ("protection", "async def levels(self, held):\n    pass", "levels must not be async"),
    ("limit", "async def check(self, increase):\n    return ALLOWED", "check must not be async"),
    ("executor", "async def submit(self, command):\n    return []", "submit must not be async"),
    ("executor", "def perform(self, approved):\n    return []", "perform must not be written anew"),
    ("feed", "def events(self):\n    yield []", "events must be async: write async def"),
    ("feed", "async def events(self):\n    return []", "events must yield its batches, and has no yield"),
    ("feed", "def close(self):\n    pass", "close must be async: write async def"),
    ("sink", "def write(self, batch):\n    pass", "write must be async: write async def"),
    ("sink", "def open(self):\n    pass", "open must be async: write async def"),
    ("sink", "open = None", r"open must be a method: write def open\(self\)"),
]


@pytest.mark.parametrize(("kind", "body", "said"), UNFIT)
def test_what_cannot_be_called_is_told_before_anything_runs(stranger, kind, body, said):
    stranger.install(kind, HEAD + component(kind, body) + REGISTER.format("Odd"))
    code, output, errors = stranger.call("run", "recipe.yaml", "--json")
    assert (code, output, errors.count("\n")) == (78, "", 1)
    assert re.search(rf"^error: recipe.yaml:\d+:\d+: .*component stranger_odd\.Odd[: ].*{said}", errors)
    assert not FAULT.search(errors)
    assert not (stranger.folder / "state").exists()
    assert stranger.call("lint", "recipe.yaml")[0] == 1


@pytest.mark.parametrize("verb", ["run", "test", "lint"])
def test_the_line_of_the_author_is_named_at_every_verb(stranger, verb):
    code = HEAD + component("strategy", "async def on_bar(self, bar):\n    return None") + REGISTER.format("Odd")
    stranger.install("strategy", code)
    line = code[: code.index("async def on_bar")].count("\n") + 1
    exit_code, output, errors = stranger.call(verb, "recipe.yaml")
    assert exit_code == (1 if verb == "lint" else 78)
    assert f"(stranger_odd.py:{line})" in output + errors


@pytest.mark.parametrize("kind", SOUND)
def test_an_init_that_leaves_out_that_of_its_kind_is_told(stranger, kind):
    parameters = ", ".join(filter(None, ("self, options", INIT[kind])))
    stranger.install(kind, HEAD + component(kind, f"def __init__({parameters}):\n    pass") + REGISTER.format("Odd"))
    code, output, errors = stranger.call("run", "recipe.yaml")
    assert code == 1
    said = r"error: \S+: its __init__ must call super\(\).__init__ with all that it is given \(stranger_odd.py:\d+\)\n"
    assert re.search(said, errors)
    assert not FAULT.search(errors)
    assert output.count("opened") == output.count("closed")


RAISES = [
    (
        "strategy",
        "def on_bar(self, bar):\n    raise ValueError('x')",
        r"strategy odd failed on Bar\(.*: ValueError: x",
    ),
    ("strategy", "def on_bar(self, bar):\n    raise SystemExit(3)", "a component raised SystemExit: 3: it must"),
    (
        "strategy",
        "def on_bar(self, bar):\n    raise asyncio.CancelledError",
        "a component raised CancelledError: it must",
    ),
    (
        "strategy",
        "def start(self):\n    raise Unprintable",
        r"strategies\[0\].odd: cannot be made: Unprintable: its __str__",
    ),
    (
        "allocator",
        "def decide(self, portfolio):\n    raise ValueError('x')",
        r"allocator odd failed on .*: ValueError: x",
    ),
    (
        "sizing",
        "def budget(self, sizing):\n    raise Unprintable",
        "sizing odd failed on .*: Unprintable: its __str__ raises",
    ),
    ("sizing", "def save(self):\n    raise ValueError('x')", "sizing odd failed on what it is to save: ValueError: x"),
    ("sizing", "@property\ndef figures(self):\n    raise ValueError('x')", "sizing odd: its figures cannot be told: V"),
    (
        "protection",
        "def levels(self, held):\n    raise ValueError('x')",
        r"protection odd failed on Held\(.*: ValueError: x",
    ),
    (
        "limit",
        "def check(self, increase):\n    raise Unprintable",
        r"limit odd failed on Increase\(.*: Unprintable: its",
    ),
    (
        "limit",
        "def watch(self, standing):\n    raise ValueError('x')",
        "limit odd failed on the account: ValueError: x",
    ),
    (
        "executor",
        "@classmethod\ndef account(cls, options):\n    raise ValueError('x')",
        "executor.odd: its account cannot be",
    ),
    (
        "executor",
        "@property\ndef balance(self):\n    raise ValueError('x')",
        "executor.odd: cannot be prepared: ValueError: x",
    ),
    (
        "executor",
        "def restore(self, orders, account):\n    raise ValueError('x')",
        "executor odd failed on what the journal",
    ),
    (
        "executor",
        "def submit(self, command):\n    raise ValueError('x')",
        r"executor odd failed on Submit\(.*: ValueError: x",
    ),
    ("executor", "async def open(self):\n    raise ValueError('x')", "executor odd cannot be opened: ValueError: x"),
    ("executor", "async def close(self):\n    raise ValueError('x')", "executor odd cannot be closed: ValueError: x"),
    (
        "feed",
        "async def events(self):\n    yield []\n    raise Unprintable",
        "feed odd failed: Unprintable: its __str__ raises",
    ),
    ("feed", "async def events(self):\n    yield []\n    raise SystemExit(3)", "feed odd failed: SystemExit: 3"),
    (
        "feed",
        "@property\ndef speed(self):\n    raise ValueError('x')",
        "feed odd: its speed cannot be told: ValueError: x",
    ),
    ("feed", "async def open(self):\n    raise SystemExit(3)", "a component raised SystemExit: 3"),
    (
        "feed",
        "async def close(self):\n    raise Unprintable",
        "feed odd cannot be closed: Unprintable: its __str__ raises",
    ),
    (
        "sink",
        "async def open(self):\n    raise Unprintable",
        "sink odd cannot be opened: Unprintable: its __str__ raises",
    ),
    (
        "sink",
        "@property\ndef events(self):\n    raise ValueError('x')",
        "sink odd: its events cannot be told: ValueError: x",
    ),
]


@pytest.mark.parametrize(("kind", "body", "said"), RAISES)
def test_what_a_component_raises_is_told_with_its_line(stranger, kind, body, said):
    stranger.install(kind, HEAD + component(kind, body) + REGISTER.format("Odd"))
    check(stranger, said)


ANSWERS = [
    (
        "sizing",
        "def budget(self, sizing):\n    return 0.1",
        r"sizing odd: budget must give a Decimal, was 0.1 \(float\)",
    ),
    ("sizing", "def budget(self, sizing):\n    pass", "sizing odd: budget must give a Decimal, was None"),
    ("sizing", "def save(self):\n    return {}", r"sizing odd: save must give text, was \{\} \(dict\)"),
    ("sizing", "figures = None", "sizing odd: figures must give numbers by name, was None"),
    ("protection", "def distance(self, price):\n    return 1.5", "distance must give a Decimal or None, was 1.5"),
    ("protection", "def levels(self, held):\n    pass", "protection odd: levels must give Levels, was None"),
    (
        "protection",
        "def levels(self, held):\n    return Levels(stop=1.5)",
        "levels must give a stop and a take_profit that",
    ),
    ("protection", "def levels(self, held):\n    return Levels(until='x')", "levels must give an until that is whole"),
    (
        "limit",
        "def check(self, increase):\n    return False",
        r"limit odd: check must give ALLOWED, Shrunk.*, was False",
    ),
    ("limit", "def check(self, increase):\n    pass", r"limit odd: check must give ALLOWED, Shrunk.*, was None"),
    ("limit", "def check(self, increase):\n    return Allowed", "limit odd: check must give ALLOWED, Shrunk"),
    (
        "limit",
        "def check(self, increase):\n    return Shrunk(0.1, 'odd', 'x')",
        "check must give Shrunk with a quantity",
    ),
    ("limit", "def check(self, increase):\n    return Refused(5, None)", "check must give a code and figures in words"),
    ("limit", "def watch(self, standing):\n    return True", r"watch must give a Stop or None, was True \(bool\)"),
    (
        "limit",
        "def watch(self, standing):\n    return Stop('all', 'x')",
        "watch must give a Stop of level reduce, flatten",
    ),
    ("executor", "balance = 1.5", r"executor odd: balance must give a finite Decimal, was 1.5"),
    ("executor", "def submit(self, command):\n    pass", "submit must give a list of order events, .*, was None"),
    (
        "executor",
        "def on_market(self, seq, event):\n    return [1]",
        r"on_market must give a list of order events.*, was \[1",
    ),
    (
        "feed",
        "async def events(self):\n    yield None",
        "feed odd: events must give lists of market events.*, was None",
    ),
    (
        "feed",
        "async def events(self):\n    yield [{}]",
        r"feed odd: events must give lists of market events.*, was \[\{\}\]",
    ),
    (
        "feed",
        "async def events(self):\n    yield [Trade('BTC/USDT:USDT', SECOND, D(5), 1.0, 1)]",
        r"feed odd: events must give Trades whose price is a number, and no Decimal, was Decimal\('5'\)",
    ),
    (
        "feed",
        "async def events(self):\n    yield [Trade('BTC/USDT:USDT', 1e9, 5.0, 1.0, 1)]",
        "feed odd: events must give Trades whose ts is a whole number, was 1000000000.0",
    ),
    ("feed", "speed = 0", "feed odd: speed must give a number above 0 or None, was 0"),
    ("sink", "events = 'fills'", "sink odd: events must give types of event, .*, was 'fills'"),
]


@pytest.mark.parametrize(("kind", "body", "said"), ANSWERS)
def test_an_answer_that_is_none_is_told_as_the_component_s(stranger, kind, body, said):
    stranger.install(kind, HEAD + component(kind, body) + REGISTER.format("Odd"))
    check(stranger, said, placed="=" not in body.partition("\n")[0])


def check(stranger, said, *, placed=True):
    code, output, errors = stranger.call("run", "recipe.yaml", "--json")
    (line,) = (line for line in errors.splitlines() if line.startswith("error: "))
    assert (code, output) == (1, "")
    assert re.search(said, line)
    assert bool(re.search(r" \(stranger_odd\.py:\d+\)$", line)) is placed
    assert not FAULT.search(errors)
    assert errors.count("opened\n") == errors.count("closed\n")
    for run in (stranger.folder / "state" / "runs").iterdir():
        assert not list(run.glob("*.tmp"))


@pytest.mark.parametrize("raised", ["Unprintable", "SystemExit(3)", "KeyboardInterrupt", "asyncio.CancelledError"])
def test_a_sink_that_raises_anything_stops_no_trading(stranger, raised):
    code = component("sink", f"async def write(self, batch):\n    raise {raised}")
    stranger.install("sink", HEAD + code + REGISTER.format("Odd"))
    exit_code, output, errors = stranger.call("run", "recipe.yaml", "--json")
    assert exit_code == 0
    assert "odd" in json.loads(output)["sinks"]
    expect_told(errors, "sink odd failed, trading goes on: ")


@pytest.mark.parametrize("raised", ["Unprintable", "SystemExit(3)"])
def test_a_sink_that_cannot_be_closed_fails_no_run(stranger, raised):
    code = component("sink", f"async def close(self):\n    raise {raised}")
    stranger.install("sink", HEAD + code + REGISTER.format("Odd"))
    exit_code, _, errors = stranger.call("run", "recipe.yaml", "--json")
    assert exit_code == 0
    expect_told(errors, "sink odd failed, trading goes on: ")


def expect_told(errors, said):
    assert said in errors
    assert re.search(r"\(stranger_odd\.py:\d+\)", errors)
    assert not FAULT.search(errors)
    assert "closed\n" in errors


def test_what_went_wrong_first_is_told_before_what_closing_raises(stranger):
    body = """
    async def events(self):
        yield []
        raise ValueError("first")

    async def close(self):
        raise ValueError("second")
    """
    stranger.install("feed", HEAD + component("feed", body) + REGISTER.format("Odd"))
    code, _, errors = stranger.call("run", "recipe.yaml")
    assert code == 1
    assert "error: feed odd failed: ValueError: first (stranger_odd.py:" in errors
    assert "feed odd cannot be closed: ValueError: second (stranger_odd.py:" in errors


def test_a_generator_of_signals_is_as_good_as_a_list(stranger):
    code = component("strategy", "def on_bar(self, bar):\n    yield self.signal(1.0)")
    stranger.install("strategy", HEAD + code + REGISTER.format("Odd"))
    assert stranger.call("run", "recipe.yaml")[0] == 0


def test_an_import_that_is_missing_is_told_with_its_line(stranger):
    stranger.install("strategy", "import not_installed_anywhere\n")
    code, _, errors = stranger.call("run", "recipe.yaml")
    assert code == 78
    assert "failed: ModuleNotFoundError: No module named 'not_installed_anywhere' (stranger_odd.py:1)" in errors


def test_what_nobody_foresaw_is_the_fault_of_whose_code_it_came_through(stranger):
    code = component("feed", "@classmethod\ndef runs_live(cls, options):\n    raise ValueError('x')")
    stranger.install("feed", HEAD + code + REGISTER.format("Odd"))
    _, _, errors = stranger.call("run", "recipe.yaml")
    assert not FAULT.search(errors)
    assert "ValueError: x" in errors

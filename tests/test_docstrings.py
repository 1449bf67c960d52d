"""The public API is documented: every name, its unit, its shape, its errors, and the source of its formula.

The rules (in `documented`) look at the syntax trees, so that they see the docstrings of attributes as well. Each of
them is tried on a bad example. What no rule can see is whether the words are true.
"""

import ast
import importlib
import re

import pytest

from tests.documented.api import API, FORMULAS, MODULES, outside, parsed
from tests.documented.lint import lint
from tests.documented.syntax import ROOT
from tests.documented.words import SHAPES, UNITS

USERS = sorted([*(ROOT / "plugins").rglob("*.py"), *(ROOT / "tests" / "strangers").glob("*.py")])
README = re.findall(r"^```python[^\n]*\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
BAD = {
    "function": ("def f():\n    pass\n", "m.f: has no docstring"),
    "constant": ("LIMIT = 3\n", "m.LIMIT: has no docstring"),
    "alias": ("Side = Literal['buy']\n", "m.Side: has no docstring"),
    "method": ("class A:\n    'One.'\n    def f(self): ...\n", "m.A.f: has no docstring"),
    "field": ("class A(Struct):\n    'A name.'\n    name: str\n", "m.A.name: has no docstring"),
    "option": ("class A(Options):\n    'Some.'\n    x: str = Field(default='')\n", "m.A.x: has no docstring"),
    "attribute": (
        "class A:\n    'One.'\n    def __init__(self, n: str):\n        self.n = n\n",
        "m.A.n: has no docstring",
    ),
    "empty words": (
        "class A:\n    'One.'\n    @property\n    def last_name(self):\n        'The last name.'\n",
        "m.A.last_name: says no more than its name",
    ),
    "time": ("def at(ts: int):\n    'Go to a time.'\n", "m.at(ts): does not tell its unit (time)"),
    "price": (
        "class A(Struct):\n    'Held.'\n    price: Decimal | None\n    'What was paid.'\n",
        "m.A.price: does not tell its unit (price)",
    ),
    "low": ("def f(low: float):\n    'See it.'\n", "m.f(low): does not tell its unit (price)"),
    "quantity": (
        "def close(quantity: 'Decimal'):\n    'Close so much.'\n",
        "m.close(quantity): does not tell its unit (quantity)",
    ),
    "volume": ("def f(volume: float):\n    'Trade it.'\n", "m.f(volume): does not tell its unit (quantity)"),
    "money": (
        "class A:\n    'One.'\n    @property\n    def fee(self) -> Decimal:\n        'What is paid.'\n",
        "m.A.fee: does not tell its unit (money)",
    ),
    "part": ("def f(win_rate: Decimal):\n    'Bet on it.'\n", "m.f(win_rate): does not tell its unit (part)"),
    "ratio": ("def f(leverage: float):\n    'Borrow.'\n", "m.f(leverage): does not tell its unit (ratio)"),
    "number": ("def f(count: int):\n    'Take some.'\n", "m.f(count): does not tell its unit (number)"),
    "order": ("def f() -> Sequence[int]:\n    'Return what is there.'\n", "m.f: does not tell its order"),
    "order of a tuple": ("def f(x: tuple[float, ...]):\n    'Take them.'\n", "m.f(x): does not tell its order"),
    "keys": ("def f() -> Mapping[str, str]:\n    'Return names.'\n", "m.f: does not tell its keys"),
    "items": ("def f() -> tuple[int, str]:\n    'Return what is there.'\n", "m.f: does not tell its items"),
    "columns": ("def f() -> pl.DataFrame:\n    'Return a table.'\n", "m.f: does not tell its columns"),
    "raised": (
        "def f():\n    'Refuse it.'\n    raise ValueError('no')\n",
        "m.f: does not say that it raises ValueError",
    ),
    "raised below": (
        "def f():\n    'Ask it.'\n    _g()\ndef _g():\n    raise KeyError\n",
        "m.f: does not say that it raises KeyError",
    ),
    "raised by a constructor": (
        "class A:\n    'One.'\n    def __init__(self):\n        raise ValueError\n",
        "m.A.__init__: does not say that it raises ValueError",
    ),
    "raised by an instance": (
        "def f():\n    'Make one.'\n    return _A()\nclass _A:\n    def __init__(self):\n        raise KeyError\n",
        "m.f: does not say that it raises KeyError",
    ),
    "raised again": (
        "def f():\n    'Ask.'\n    try:\n        raise KeyError\n    except KeyError:\n        raise\n",
        "m.f: does not say that it raises KeyError",
    ),
    "never raised": (
        'def f():\n    """Do it.\n\n    Raises:\n        ValueError: never.\n    """\n    print(1)\n',
        "m.f: says that it raises what nothing below it does: ValueError",
    ),
    "formula": ("def f():\n    'Twice the half, by definition.'\n", "m.f: does not write its formula"),
    "source": ("def f():\n    'Return a + b.'\n", "m.f: does not say where its formula is from"),
}
"""Code that breaks one rule, and how it is told."""

GOOD = '''
"""A module."""

class A(Struct):
    """What is held: its `price` is in quote currency."""

    price: Decimal
    ts: int
    """When, ns UTC."""

def f(rate: Decimal, prices: Sequence[float]) -> dict[str, float]:
    """Return x = rate * price by symbol, of prices in any order (Kelly, 1956); the rate is in [0, 1].

    Raises:
        ValueError: it is not.
    """
    try:
        raise KeyError("x")
    except KeyError:
        raise ValueError("no") from None
'''


class TestTheRulesSeeWhatIsMissing:
    """A rule that cannot fail protects nothing."""

    @pytest.mark.parametrize("name", BAD)
    def test_a_bad_example(self, name):
        code, fault = BAD[name]
        found = [str(one) for one in lint(ast.parse(f"'A module.'\n{code}"), "m", formulas=frozenset({"m"}))]
        assert [one for one in found if one.startswith(fault)], found

    def test_every_unit_and_every_shape_has_a_bad_example(self):
        assert {unit for unit, *_ in UNITS} | {shape for shape, *_ in SHAPES} <= set(BAD)

    def test_a_module_without_docs(self):
        assert [str(fault) for fault in lint(ast.parse("import x"), "m")] == ["m: has no docstring"]

    def test_a_good_example(self):
        assert list(lint(ast.parse(GOOD), "m", formulas=frozenset({"m.f"}))) == []

    @pytest.mark.parametrize(
        "code",
        [
            "from quantmind.trader.trader import Trader\n",
            "import quantmind.pipeline.run\n",
            "from quantmind.data.store import Writer\n",
            "from quantmind import cli\n",
        ],
    )
    def test_an_import_from_outside(self, code):
        assert list(outside(code))


@pytest.mark.parametrize("module", MODULES)
def test_the_docs_of_the_api_say_what_they_must(module):
    _, tree = parsed(module)
    assert [str(fault) for fault in lint(tree, module, MODULES[module])] == []


@pytest.mark.parametrize("name", API)
def test_the_api_is_there_and_each_of_its_modules_has_a_sentence(name):
    assert importlib.import_module(name).__doc__
    assert re.fullmatch(r"[A-Z].{10,110}\.", API[name])


@pytest.mark.parametrize("path", USERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_plugins_rely_on_nothing_but_the_api(path):
    assert list(outside(path.read_text())) == []


def test_the_guide_shows_nothing_but_the_api():
    assert README
    assert [name for code in README for name in outside(code)] == []


def test_every_formula_is_in_the_api():
    names = {name for name in FORMULAS if name not in MODULES}
    assert {name.rpartition(".")[0] for name in names} <= set(MODULES)

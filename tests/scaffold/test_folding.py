"""Lines that a name has made too long are broken as formatters break them."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantmind.scaffold.folding import WIDTH, folded

LONG = "A" * 50
LINES = (
    "from quantmind_{0} import {0}, {0}Options",
    "class {0}(Strategy[{0}Options]): ...",
    "def test_it(executor: {0}) -> None: ...",
    "def wants(cls, options: {0}Options, offered: frozenset[Channel]) -> frozenset[Channel]: ...",
    "check_sink(lambda run: {0}({0}Options(), run))",
    'made = {0}({0}Options(fee=Decimal("1, (2")), [KNOWN[BTC]])',
    'refused = Refused("{0}", f"hour {{hour}} is not in {{opens}} to {{closes}} UTC")',
)


def test_what_fits_stays():
    assert folded("x" * WIDTH) == "x" * WIDTH


def test_what_has_no_brackets_stays():
    assert folded("prose " * 20) == "prose " * 20


def test_an_import_has_each_name_on_its_own_line():
    assert folded(f"from module import {LONG}, {LONG}Options") == (
        f"from module import (\n    {LONG},\n    {LONG}Options,\n)"
    )


def test_arguments_go_together_to_a_line_of_their_own_if_they_fit():
    assert folded(f"    made = {LONG}(Options(name), [KNOWN[BTC], 'and more'])") == (
        f"    made = {LONG}(\n        Options(name), [KNOWN[BTC], 'and more']\n    )"
    )


def test_else_each_goes_to_one():
    assert folded(f"    made = Made({LONG}, {LONG})") == (f"    made = Made(\n        {LONG},\n        {LONG},\n    )")


def test_of_a_function_the_parameters_are_broken_and_not_what_it_returns():
    assert folded(f"def offers(cls, options: {LONG}) -> Mapping[str, frozenset[Channel]]:") == (
        f"def offers(\n    cls, options: {LONG}\n) -> Mapping[str, frozenset[Channel]]:"
    )


def test_a_comma_in_a_text_parts_nothing():
    assert folded(f'refused = Refused("{LONG}, of (one", "{LONG}")') == (
        f'refused = Refused(\n    "{LONG}, of (one",\n    "{LONG}",\n)'
    )


@pytest.mark.parametrize("line", LINES)
@given(length=st.integers(1, 70))
def test_it_means_the_same(line, length):
    written = line.format("A" * length)
    assert ast.dump(ast.parse(folded(written))) == ast.dump(ast.parse(written))

"""Lint is bounded, whatever it is given: in what it prints, in memory, and in time."""

from __future__ import annotations

import contextlib
import functools
import itertools
import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from quantmind.cli import main
from quantmind.kinds.options import parse_duration
from quantmind.plugins import Plugins
from quantmind.project import MOST, Project
from quantmind.recipe.document import MAX_BYTES, parse
from quantmind.recipe.given import Quotes
from quantmind.recipe.interpolate import MAX_LENGTH, Interpolation
from quantmind.recipe.interpolate import MOST as MOST_IN_ONE
from quantmind.recipe.lint import lint
from quantmind.recipe.load import read
from quantmind.recipe.problems import ENOUGH, LONGEST, SHOWN
from quantmind.recipe.walk import MAX_NODES

TESTS = Path(__file__).parents[1]
WORST = runpy.run_path(str(TESTS / "recipe" / "corpus" / "worst.py"))["WORST"]
FULL = runpy.run_path(str(TESTS / "recipe" / "corpus" / "worst.py"))["PROJECT"]
BENCH = runpy.run_path(str(TESTS / "benchmarks" / "bench_lint.py"))
RECIPES = sorted((TESTS.parent / "recipes").glob("*.yaml"))
MOST_MEMORY = 45
SPREAD = 9
"""MB beyond those of quickstart that the worst recipe takes: what an interpreter takes itself differs."""

SOUND = {
    "every component",
    "components",
    "feeds",
    "symbols",
    "strategies",
    "strategies of nanoseconds by symbols",
    "tests",
    "tests of rules",
}
"""Those that have nothing but warnings."""


@functools.cache
def quickstart() -> float:
    peak: float = BENCH["measured"](BENCH["LINT"], str(TESTS.parent / "recipes" / "quickstart.yaml"))[2]
    return peak


@pytest.mark.slow
@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", WORST)
def test_the_worst_is_told_briefly_and_takes_little(name, tmp_path):
    file = tmp_path / "worst.yaml"
    file.write_text(WORST[name])
    *_, peak = BENCH["measured"](BENCH["LINT"], str(file))
    assert peak <= max(MOST_MEMORY, quickstart() + SPREAD)
    problems = lint(file, Plugins(environ={}), Project(tmp_path), {"PATH": "/usr/bin:/bin"})
    assert len(problems) <= SHOWN + 1
    assert all(len(str(problem)) <= 3 * LONGEST for problem in problems)
    assert any(problem.severity == "error" for problem in problems) is (name not in SOUND)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["every component", "misspelt components", "prices that are none", "feeds"])
def test_a_full_quantmind_yaml_beside_it_takes_little_more(name, tmp_path):
    (tmp_path / "quantmind.yaml").write_text(FULL)
    project = Project.read(tmp_path / "quantmind.yaml", {})
    assert len(FULL) == MAX_BYTES
    assert MOST - 3 <= len(project.document.marks) <= MOST
    file = tmp_path / "worst.yaml"
    file.write_text(WORST[name])
    *_, peak = BENCH["measured"](BENCH["LINT"], str(file))
    assert peak <= max(MOST_MEMORY, quickstart() + SPREAD)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.stem)
def test_a_recipe_takes_little(recipe):
    *_, peak = BENCH["measured"](BENCH["LINT"], str(recipe))
    assert peak <= max(MOST_MEMORY, quickstart() + SPREAD)


@pytest.mark.parametrize("name", ["unknown keys", "misspelt components", "one key again", "venue spellings"])
@pytest.mark.timeout(20)
def test_no_more_is_looked_for_when_very_much_is_wrong(name, tmp_path):
    file = tmp_path / "worst.yaml"
    file.write_text(WORST[name])
    reading = read(file, Plugins(environ={}), Project(tmp_path), {}, unset="warning")
    assert ENOUGH <= len(reading.problems) <= ENOUGH + 10
    assert reading.recipe is None


def test_an_alias_counts_as_much_as_what_it_stands_for():
    document = parse(WORST["alias bomb"].encode(), "r.yaml")
    assert len(document.marks) <= MAX_NODES + 1
    assert document.data is None


def test_what_is_put_in_is_bounded_in_all_texts_together():
    interpolation = Interpolation({"A": "x" * 1_000})
    texts = interpolation.resolve(["${A}" * MOST_IN_ONE] * 20)
    assert sum(map(len, texts)) <= MAX_LENGTH
    assert [path for path, fault in interpolation.faults.items() if "1 MiB" in fault] == [
        f"[{n}]" for n in range(10, 20)
    ]


def test_many_problems_are_told_in_a_moment_where_much_came_from_outside(tmp_path):
    file = tmp_path / "r.yaml"
    entries = "".join(f"  - console: {{view: '${{A}}{number}'}}\n" for number in range(900))
    file.write_text(WORST["every component"].replace("sinks: [console, jsonl, redis, sqlite]\n", f"sinks:\n{entries}"))
    problems = lint(file, Plugins(environ={}), Project(tmp_path), {"A": "something"})
    assert "something" not in "".join(map(str, problems))


@pytest.mark.parametrize("written", ["9" * 31 + "s", "300y", "9223372036854775808ns", "15251w", "1" * 100_000 + "w"])
def test_a_duration_can_be_recorded(written):
    with pytest.raises(ValueError, match="must be"):
        parse_duration(written)


def test_lint_loads_no_library_of_a_venue_or_a_broker(capsys):
    code = (
        "from quantmind.cli import main; main(['lint', *sys.argv[1:]]); heavy = {'ccxt', 'aiohttp', 'zmq', 'nats', "
        "'redis', 'polars', 'numpy', 'asyncio', 'rich', 'httpx'} & set(sys.modules); "
        f"assert not heavy, heavy; {BENCH['PEAK']}"
    )
    BENCH["measured"](code, str(TESTS.parent / "recipes" / "quickstart.yaml"))
    BENCH["measured"](code.replace("'asyncio', ", ""), *map(str, RECIPES))
    assert main(["lint", *map(str, RECIPES)]) == 0
    capsys.readouterr()


figures = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 5)), min_size=1, max_size=6)


@given(figures, st.data())
def test_repeats_that_are_not_written_out_are_checked_as_if_they_were(first, data):
    total = sum(count for _, count in first)
    cuts = sorted(data.draw(st.sets(st.integers(1, total - 1))) if total > 1 else [])
    second = [(data.draw(st.integers(1, 9)), end - start) for start, end in itertools.pairwise([0, *cuts, total])]
    told = None
    for number, (bid, ask) in enumerate(zip(spread(first), spread(second), strict=True)):
        if bid > ask:
            told = f"quote {number} has bid {bid} above ask {ask}"
            break
    with pytest.raises(ValidationError, match=told) if told else contextlib.nullcontext():
        Quotes(bid=[list(pair) for pair in first], ask=[list(pair) for pair in second])


def spread(pairs):
    return [figure for figure, count in pairs for _ in range(count)]

"""`quantmind test`: the tests that recipes have."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quantmind.cli.session import Session
from quantmind.errors import UsageError

if TYPE_CHECKING:
    from quantmind.plugins import Plugins
    from quantmind.recipe.model import Recipe
    from quantmind.recipe.problems import Problem


@click.command(
    short_help="Run the tests of recipes.",
    epilog="Examples: quantmind test recipes/*.yaml · quantmind test recipe.yaml -k cross --json",
)
@click.argument(
    "recipes",
    nargs=-1,
    required=True,
    metavar="RECIPE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, an object for each test.")
@click.option("-k", "name", metavar="NAME", default="", help="Only tests with this in their name.")
@click.pass_context
def test(ctx: click.Context, recipes: tuple[Path, ...], as_json: bool, name: str) -> None:
    """Run the `tests:` of each RECIPE; end with 1 if one fails.

    Strategies, allocator and risk rules are the recipe's own. Feed, clock, executor and sinks are replaced, and
    there is no fee and no latency but what the test gives. Nothing was before the market that is given: the
    strategies warm up on it.

    \b
      tests:
        - name: buys after a cross, stops below
          given:
            equity: 10000
            bars: {interval: 1m, close: [[100, 40], 99, 98, 101, 104, 108]}
          expect:
            signals: [{strategy: momentum, direction: 1}]
            orders: [{side: buy, stop_below: 108}]
            refusals: []

    given: equity, fee, latency, start, executor (more options of it), and a market of series: bars {interval,
    close, open, high, low, volume}, quotes {bid, ask, bid_size, ask_size, every}, trades {price, size, every},
    marks {price, every}, funding {rate, every}; with several instruments each by symbol. [FIGURE, COUNT] repeats.
    With nothing but closes, open = high = low = close, and this is bid and ask all through the bar.

    expect: the lists signals, targets, orders, refusals, fills, funding, transfers, latches; position; and equity,
    pnl, fees, drawdown at the end. The entries of a list must have come in this order, each as one of its own;
    others may have come between them. {exactly: [...]} allows no others, and an empty list means that there were
    none. Keys that an entry does not name are not compared; KEY_below and KEY_above compare a figure with a bound.
    Money is compared exactly, what is a float to nine digits.

    orders are those made to reach a Target, unless an entry names another purpose (stop, take_profit, flatten).
    stop and take_profit of an order are triggers of the protective orders that were placed while the position
    which it opened or increased was held: `stop_below: 108` is met by any stop with a trigger below 108, and
    `stop: null` means that there was none.
    """  # noqa: D301 - \b keeps click from wrapping
    from quantmind.pipeline.recipe_test import run_test

    loaded = _load(ctx.obj, recipes)
    rows = []
    for file, (recipe, plugins) in loaded.items():
        for written in recipe.tests:
            if name.lower() not in written.name.lower():
                continue
            verdict = run_test(recipe, written, plugins)
            rows.append({"recipe": str(file), "test": verdict.name, "ok": verdict.ok, "difference": verdict.difference})
            if not as_json:
                click.echo(f"{file}: {verdict.name}: {'ok' if verdict.ok else f'FAILED: {verdict.difference}'}")
        if not recipe.tests and not as_json:
            click.echo(f"{file}: has no tests")
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    if name and not rows:
        raise UsageError(f"no test has {name} in its name")
    ctx.exit(0 if all(row["ok"] for row in rows) else 1)


def _load(session: Session, files: tuple[Path, ...]) -> dict[Path, tuple[Recipe, Plugins]]:
    """Load every recipe before the first test runs.

    Raises:
        RecipeProblems: some cannot be run; every reason of every recipe.
    """
    from quantmind.pipeline.recipe_test import REPLACED
    from quantmind.project import Project
    from quantmind.recipe.load import load
    from quantmind.recipe.problems import RecipeProblems

    loaded = {}
    problems: list[Problem] = []
    for file in files:
        try:
            project = Project.find(file.parent, os.environ)
            plugins = session.plugins(project)
            loaded[file] = load(file, plugins, project, os.environ, REPLACED), plugins
        except RecipeProblems as error:
            problems += error.problems
    if problems:
        raise RecipeProblems(problems)
    return loaded

"""`quantmind test`: the tests that recipes have."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quantmind.cli.calling.session import Session
from quantmind.cli.calling.standard_output import reserved
from quantmind.cli.completing import completers
from quantmind.errors import UsageError

if TYPE_CHECKING:
    from quantmind.verdicts.collecting import Item
    from quantmind.verdicts.report import Loudness, Report
    from quantmind.verdicts.verdict import Verdict

_INTERRUPTED = 130
_NARROWEST, _WIDEST = 60, 120


@click.command(
    short_help="Run the tests of recipes.",
    epilog="\b\nExample: quantmind test recipes\nExample: quantmind test recipe.yaml -k cross -v\n"
    "Example: quantmind test recipes --junit report.xml",
)
@click.argument(
    "recipes",
    nargs=-1,
    metavar="[RECIPE]...",
    type=click.Path(exists=True, path_type=Path),
    shell_complete=completers.recipes,
)
@click.option("-k", "name", metavar="NAME", default="", help="Only tests with this in their name.")
@click.option("-v", "--verbose", is_flag=True, help="A line for each test.")
@click.option("-q", "--quiet", is_flag=True, help="No progress: failures and the summary.")
@click.option("-x", "--exitfirst", is_flag=True, help="Stop at the first failure.")
@click.option("--maxfail", type=click.IntRange(min=1), metavar="N", help="Stop after N failures.")
@click.option("--collect-only", is_flag=True, help="List the tests, and run none.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, an object for each test.")
@click.option(
    "--junit",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a report in JUnit XML, too, as servers of continuous integration read it.",
)
@click.pass_context
def test(
    ctx: click.Context,
    recipes: tuple[Path, ...],
    name: str,
    verbose: bool,
    quiet: bool,
    exitfirst: bool,
    maxfail: int | None,
    collect_only: bool,
    as_json: bool,
    junit: Path | None,
) -> None:
    """Run the `tests:` of each RECIPE: a file, or a folder whose recipes are all run; left out, this folder.

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
            pnl_above: 0

    given: equity, fee, latency, start, executor (more options of it), and a market of series: bars {interval,
    close, open, high, low, volume}, quotes {bid, ask, bid_size, ask_size, every}, trades {price, size, every},
    marks {price, every}, funding {rate, every}; with several instruments each by symbol. [FIGURE, COUNT] repeats.
    With nothing but closes, open = high = low = close, and this is bid and ask all through the bar.

    expect: the lists signals, targets, orders, stops, take_profits, refusals, fills, funding, transfers, latches;
    and the figures position, equity, pnl, fees, drawdown at the end. The entries of a list must have come in this
    order, each as one of its own; others may have come between them. {exactly: [...]} allows no others, and an
    empty list means that there were none. Keys that an entry does not name are not compared; KEY_below and
    KEY_above compare a figure with a bound. Money is compared exactly, what is a float to nine digits.

    \b
      signals       {strategy, symbol, direction, confidence}, or the direction
      targets       {symbol, value}, or the value
      orders        {side, symbol, quantity, filled, type, price, state, reason,
                    reduce_only, purpose, stop, take_profit, trigger}, or the side
      stops         {trigger, first_trigger, side, symbol, quantity, filled, state,
      take_profits  reason}, or the trigger
      refusals      {code, side, symbol, quantity}, or the code
      fills         {side, symbol, quantity, price, fee, realised, position,
                    average_price, purpose, maker}, or the side
      funding       {amount, rate, mark, symbol}, or the amount
      transfers     {symbol, price}, or the symbol
      latches       {name, level}, or the name

    orders are those made to reach a Target, unless an entry names another purpose (stop, take_profit, flatten).
    stop and take_profit of an order are triggers of the protective orders that were placed while the position
    which it opened or increased was held: `stop_below: 108` is met by any stop with a trigger below 108, and
    `stop: null` means that there was none. stops and take_profits are these protective orders themselves, each
    as it was at the end, in the order in which they were placed.

    A failure tells what came, and how long after the market began: 0:43:00 is the close of the 43rd bar of 1m.

    position, pnl and fees may be by strategy {momentum: 5}, and by symbol {BTC/USDT:USDT: 5} or both
    {BTC/USDT:USDT: {momentum: 5}}; so may their bounds, such as pnl_above.

    \b
    Ends with 0   all tests passed
              1   some failed, or a component raised
              2   there is no test, or none has NAME in its name
              78  a recipe cannot be run; then no test is
              130 an interrupt: what had been run is told
    """  # noqa: D301 - \b keeps click from wrapping
    from quantmind.verdicts.collecting import collect, files

    if verbose and quiet:
        raise UsageError("--verbose and --quiet exclude each other")
    if junit is not None and not (junit.absolute().parent.is_dir() and os.access(junit.absolute().parent, os.W_OK)):
        raise UsageError(f"--junit: {junit.parent} is no folder that can be written to")
    session: Session = ctx.obj
    chosen = files(recipes or (Path(),))
    with reserved(as_json=as_json):
        items = collect(chosen, session.plugins, name)
    if not items:
        raise UsageError(_nothing(recipes, chosen, name))
    if collect_only:
        _list(items, as_json=as_json)
        return
    report = None if as_json else _report(len(items), session, verbose=verbose, quiet=quiet)
    began, start = datetime.now(UTC), time.perf_counter()
    verdicts: list[tuple[Item, Verdict]] = []
    interrupted = False
    try:
        with reserved(as_json=as_json):
            _run(items, verdicts, report, 1 if exitfirst else maxfail)
    except KeyboardInterrupt:
        interrupted = True
    duration = time.perf_counter() - start
    if report is not None:
        report.close(verdicts, duration, interrupted=interrupted)
    else:
        click.echo(json.dumps([_as_json(item, verdict) for item, verdict in verdicts], indent=2))
    if junit is not None:
        from quantmind.verdicts.junit import write

        write(junit, verdicts, began, duration)
    if interrupted:
        ctx.exit(_INTERRUPTED)
    ctx.exit(0 if all(verdict.outcome == "passed" for _, verdict in verdicts) else 1)


def _run(items: Sequence[Item], verdicts: list[tuple[Item, Verdict]], report: Report | None, most: int | None) -> None:
    """Run the tests one after the other, until the `most` that may fail have failed."""
    from quantmind.pipeline.recipe_test import run

    failed = 0
    for item in items:
        if report is not None:
            report.begin(item)
        verdict = run(item.prepared)
        verdicts.append((item, verdict))
        if report is not None:
            report.end(verdict)
        failed += verdict.outcome != "passed"
        if failed == most:
            return


def _nothing(recipes: Sequence[Path], chosen: Sequence[Path], name: str) -> str:
    """Say why there is no test to run."""
    where = ", ".join(map(str, recipes)) or "this folder"
    if not chosen:
        return f"{where}: no recipe with tests: write a section tests: into one, as `quantmind test --help` shows it"
    if name:
        return f"no test has {name} in its name: `quantmind test --collect-only` lists them"
    return f"{where}: no tests: write a section tests:, as `quantmind test --help` shows it"


def _list(items: Sequence[Item], *, as_json: bool) -> None:
    if as_json:
        rows = [{"file": item.file, "line": item.line, "name": item.test.name} for item in items]
        click.echo(json.dumps(rows, indent=2))
        return
    for item in items:
        click.echo(f"{item.file}:{item.line}: {item.test.name}")
    click.echo(f"{len(items)} {'test' if len(items) == 1 else 'tests'}")


def _report(total: int, session: Session, *, verbose: bool, quiet: bool) -> Report:
    """Make the report for people: coloured on a terminal, unless NO_COLOR is set."""
    from quantmind.verdicts.report import Report

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else 80
    loudness: Loudness = "verbose" if verbose else "quiet" if quiet else "normal"

    def print_(text: str) -> None:
        click.echo(text, nl=False, color=True)

    return Report(
        print_,
        total,
        width=min(max(width, _NARROWEST), _WIDEST),
        colours=terminal and not os.environ.get("NO_COLOR"),
        loudness=loudness,
        traces=session.debug,
    )


def _as_json(item: Item, verdict: Verdict) -> dict[str, Any]:
    differences = [
        {
            "path": each.path,
            "line": item.mark(each.path).line,
            "expected": each.expected,
            "came": list(each.came),
        }
        for each in verdict.differences
    ]
    return {
        "file": item.file,
        "line": item.line,
        "name": item.test.name,
        "outcome": verdict.outcome,
        "duration": round(verdict.duration, 6),
        "differences": differences,
        "refusals": dict(verdict.refusals),
        "error": verdict.error,
    }

"""`quantmind backtest`: a recipe on recorded data."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from quantmind import logs
from quantmind.cli.calling.interruption import interruptible
from quantmind.cli.calling.session import Session
from quantmind.cli.calling.standard_output import reserved
from quantmind.cli.completing import completers
from quantmind.errors import UsageError


class Read(click.ParamType):  # type: ignore[type-arg] # generic from click 8.4 on only
    """Reads a time or a duration as recipes do."""

    def __init__(self, name: str) -> None:
        self.name = name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the text."""
        if ctx is not None and ctx.resilient_parsing:
            # A line that is being written is not read.
            return value
        from quantmind.kinds.moment import parse_moment
        from quantmind.kinds.options import parse_duration

        try:
            return parse_moment(value) if self.name == "time" else parse_duration(value)
        except ValueError as error:
            self.fail(f"{error}, was {value}", param, ctx)


MOMENT = Read("time")
DURATION = Read("duration")


@click.command(
    short_help="Run a recipe on recorded data.",
    epilog="Examples: quantmind backtest recipes/replay.yaml --data ~/bars · "
    "quantmind backtest recipe.yaml --data BTCUSDT-1m.parquet --start 2025-05-18 --end 2025-05-25 --json",
)
@click.argument(
    "recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path), shell_complete=completers.recipes
)
@click.argument("more", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option(
    "--data",
    multiple=True,
    required=True,
    metavar="PATH...",
    type=click.Path(path_type=Path),
    help="Files, or folders of files, of bars, funding rates and mark prices; found by their names.",
)
@click.option("--interval", type=DURATION, help="The bars to replay; default: the shortest there are.")
@click.option("--start", type=MOMENT, help="The first bar is the first to open then; rows before it warm up.")
@click.option("--end", type=MOMENT, help="The last bar is the last to open before.")
@click.option("--executor", shell_complete=completers.executors, help="A simulated executor, in place of the recipe's.")
@click.option("--balance", help="The balance to begin with.")
@click.option("--fee", help="The fee of every fill, as a part of its notional: 0.0005 is 0.05 %.")
@click.option("--latency", help="The time an order takes to reach the venue, such as 250ms.")
@click.option("--slippage", help="How much worse than the price shown each fill is, as a part of it.")
@click.option("--leverage", help="The largest leverage that an order may lead to.")
@click.option("--sinks", is_flag=True, help="Keep the recipe's sinks.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def backtest(
    session: Session,
    /,
    recipe: Path,
    more: tuple[Path, ...],
    data: tuple[Path, ...],
    interval: int | None,
    start: int | None,
    end: int | None,
    executor: str | None,
    sinks: bool,
    as_json: bool,
    **given: str | None,
) -> None:
    """Run RECIPE on recorded data, and print the summary and the statement.

    Feed and executor of the recipe are replaced; a simulated executor stays, with its options. The sinks are left
    out. Files are found by names such as BTC_USDT_USDT-1m-futures.feather, BTC_USDT_USDT-8h-funding_rate.feather,
    BTC_USDT_USDT-8h-mark.feather or BTCUSDT-1m-2025-05.parquet (.parquet, .feather, .csv, .csv.gz).

    The run is kept, for `quantmind export`.
    """
    from quantmind.backtest.library import Library
    from quantmind.backtest.plan import Plan
    from quantmind.backtest.report import Report
    from quantmind.backtest.simulated import choose_executor
    from quantmind.pipeline.folder import RunFolder
    from quantmind.pipeline.run import Running

    if start is not None and end is not None and start >= end:
        raise UsageError("--end must be after --start")
    with reserved(as_json=as_json):
        loaded, project = session.load(recipe)
        logs.configure(project.level)
        terms = {key: value for key, value in given.items() if value is not None}
        chosen = choose_executor(loaded, session.plugins(project), executor, terms)
        library = Library.of([*data, *more])
        plan = Plan.make(loaded, library, chosen, interval=interval, start=start, end=end, sinks=sinks)
        summary = interruptible(Running(plan.recipe, project, output=sys.stdout))
    if summary is None:
        return
    report = Report.of(plan, summary, RunFolder.find(project.state, summary.run))
    if as_json:
        click.echo(json.dumps(report.as_json()))
    else:
        click.echo("\n".join(report.lines()))

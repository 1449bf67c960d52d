"""`quantmind data download`: history from an archive into the store."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from quantmind import logs
from quantmind.cli.backtest import MOMENT
from quantmind.cli.calling.interruption import watch
from quantmind.cli.calling.session import Session
from quantmind.cli.completing import completers
from quantmind.cli.data.options import CHANNELS, SPAN, check_symbol, counted, store_folder, with_interval
from quantmind.errors import UsageError

if TYPE_CHECKING:
    from quantmind.data.store.fetching import Fetched, Piece
    from quantmind.data.store.lack import Lack
    from quantmind.data.store.layout import Stream
    from quantmind.data.store.manifest import Span
    from quantmind.kinds import Archive
    from quantmind.kinds.channel import Channel
    from quantmind.plugins import Plugins

_MOST_TOLD = 5
"""So many failures and gaps of a channel are told; --json has all."""

_DAY = 86_400_000_000_000


@click.command(
    "download",
    short_help="Fetch history from an archive.",
    epilog="\b\nExample: quantmind data download SOURCE BTC/USDT:USDT --start 2025-01-01 --to ~/market\n"
    "Example: quantmind data download SOURCE BTC/USDT:USDT ETH/USDT:USDT --channels bars,funding,marks "
    "--interval 5m --start 2025-01-01 --end 2025-07-01",
)
@click.argument("source", shell_complete=completers.archives)
@click.argument("symbols", nargs=-1, required=True, metavar="SYMBOL...", shell_complete=completers.symbols)
@click.option("--channels", type=CHANNELS, default="bars", show_default=True, help="Such as bars,funding,marks,trades.")
@click.option("--interval", type=SPAN, default="1m", show_default=True, help="The length of the bars.")
@click.option("--start", type=MOMENT, required=True, help="From when on; bars by the time they open.")
@click.option("--end", type=MOMENT, help="Until when, not included; default: the last midnight (UTC).")
@click.option("--to", type=click.Path(path_type=Path), metavar="FOLDER", help="The store; default: the project's.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="An option of the archive, as in YAML.")
@click.option("--parallel", type=click.IntRange(1, 64), default=4, show_default=True, help="Fetched side by side.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(
    ctx: click.Context,
    source: str,
    symbols: tuple[str, ...],
    channels: tuple[Channel, ...],
    interval: int,
    start: int,
    end: int | None,
    to: Path | None,
    settings: tuple[str, ...],
    parallel: int,
    as_json: bool,
) -> None:
    """Fetch history of each SYMBOL from SOURCE, an installed archive (`quantmind plugins list`), into a store.

    What the store has as a whole is not fetched again: call it once more to go on after an interrupt, or to try
    again what failed. It ends with 1 where something of the span is still lacking, and says what.
    """
    from quantmind.project import Project

    session: Session = ctx.obj
    project = Project.find(Path.cwd(), os.environ)
    logs.configure(project.level)
    archive = _archive(session.plugins(project), source, settings)
    chosen = with_interval(channels, interval)
    span = _span(start, end, chosen)
    streams = _streams(archive, source, symbols, chosen)
    folder = store_folder(to)
    results, lacks = _download(archive, streams, span, folder, parallel, quiet=as_json)
    answer = [_row(stream, results.get(stream), lacks[stream]) for stream in streams]
    whole = not any(lacks[stream].fails for stream in streams)
    if as_json:
        click.echo(json.dumps({"store": str(folder), "venue": archive.venue, "complete": whole, "streams": answer}))
    else:
        for stream, row in zip(streams, answer, strict=True):
            for line in _lines(stream, row):
                click.echo(line)
    ctx.exit(0 if whole else 1)


def _archive(plugins: Plugins, source: str, settings: Sequence[str]) -> Archive[Any]:
    """Make the archive that is named, with its options.

    Raises:
        UsageError: there is none, or it does not take the options.
    """
    from quantmind.plugins import PluginError
    from quantmind.recipe.document import Document, parse
    from quantmind.recipe.faults import validate
    from quantmind.recipe.findings import Findings
    from quantmind.recipe.interpolate import Interpolation

    try:
        component = cast("type[Archive[Any]]", plugins.find("archive", source))
    except PluginError as error:
        raise UsageError(str(error)) from error
    given = {}
    for setting in settings:
        key, sign, text = setting.partition("=")
        if not sign or not key.strip():
            raise UsageError(f"--set {setting}: must be KEY=VALUE, such as --set retries=3")
        read = parse(text.encode(), "")
        if read.problems:
            raise UsageError(f"--set {setting}: {read.problems[0].message}")
        given[key.strip()] = read.data
    findings = Findings(Document("", None), Interpolation({}))
    options = validate(component.options_model, given, "", findings)
    if options is None:
        raise UsageError("\n".join(f"--set {problem.path}: {problem.message}" for problem in findings.problems))
    return component(options)


def _span(start: int, end: int | None, channels: Sequence[Channel]) -> Span:
    """Return the span that is fetched: what has not been yet is no part of it, and of bars they are whole ones."""
    now = time.time_ns()
    until = min(now // _DAY * _DAY if end is None else end, now)
    for channel in channels:
        if channel.kind == "bar":
            until = until // channel.interval * channel.interval
            if start % channel.interval:
                start += channel.interval - start % channel.interval
    if start >= until:
        raise UsageError("--end must be after --start, and --start must be over" if end else "--start: is not over yet")
    return start, until


def _streams(archive: Archive[Any], source: str, symbols: Sequence[str], channels: Sequence[Channel]) -> list[Stream]:
    """Return the channels that are fetched.

    Raises:
        UsageError: a symbol is not unified, or the archive has no such channel of it.
    """
    from quantmind.data.store.layout import Stream, channel_name

    for symbol in symbols:
        check_symbol(symbol)
        offered = archive.channels(symbol)
        for channel in channels:
            if offered is not None and channel not in offered:
                names = ", ".join(channel_name(one) for one in sorted(offered)) or "nothing"
                raise UsageError(f"{source} has no {channel} of {symbol}; it has {names}")
    return [Stream(archive.venue, channel, symbol) for symbol in dict.fromkeys(symbols) for channel in channels]


def _download(
    archive: Archive[Any], streams: Sequence[Stream], span: Span, folder: Path, parallel: int, *, quiet: bool
) -> tuple[dict[Stream, Fetched], dict[Stream, Lack]]:
    """Fetch what lacks; return what came, and what lacks still."""
    from quantmind.data.store import Store, Writer
    from quantmind.data.store.fetching import Fetching, pieces
    from quantmind.data.store.lack import Lack, complete, lacking

    results: dict[Stream, Fetched] = {}
    with Writer(folder) as writer:
        store = Store(folder)
        wanted = [
            piece for stream in streams for piece in pieces(stream, lacking(complete(store, stream, *span), *span))
        ]

        async def work() -> bool:
            with _shown(len(wanted), quiet=quiet) as told:
                async with archive:
                    await Fetching(archive, writer, parallel, told).fetch(wanted, results)
            return True

        if wanted and watch(work()) is None:
            click.echo("interrupted: the same command goes on", err=True)
    return results, {stream: Lack.of(store, stream, *span) for stream in streams}


@contextlib.contextmanager
def _shown(total: int, *, quiet: bool) -> Iterator[Callable[[Piece, bool], None] | None]:
    """Show a bar of the pieces, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task("", total=total)

        def told(piece: Piece, done: bool) -> None:
            progress.update(task, advance=int(done), description=str(piece.stream))

        yield told


def _row(stream: Stream, result: Fetched | None, lack: Lack) -> dict[str, Any]:
    from quantmind.data.store.layout import channel_name

    return {
        "venue": stream.venue,
        "channel": channel_name(stream.channel),
        "symbol": stream.symbol,
        "fetched": result.events if result else 0,
        "lacking": lack.spans,
        "missing": lack.count,
        "gaps": lack.gaps,
        "failures": result.failures if result else [],
    }


def _lines(stream: Stream, row: dict[str, Any]) -> Iterator[str]:
    """Say what came of a channel: how many events, why not more, and what lacks."""
    yield f"{stream}: {counted(row['fetched'], 'event')} fetched" + (
        "" if row["lacking"] or (row["missing"] and stream.channel.kind == "bar") else ", complete"
    )
    failures = row["failures"]
    for failure in failures[:_MOST_TOLD]:
        yield f"{stream}: failed: {failure}"
    if len(failures) > _MOST_TOLD:
        yield f"{stream}: failed: {len(failures) - _MOST_TOLD} more pieces"
    if row["lacking"]:
        yield f"{stream}: is lacking: {_some(row['lacking'])}"
    if row["missing"]:
        what = "bar" if stream.channel.kind == "bar" else "number"
        yield f"{stream}: {counted(row['missing'], what)} missing in the source: {_some(row['gaps'])}"


def _some(spans: Sequence[str]) -> str:
    """Write the first few of some spans."""
    more = f" and {len(spans) - _MOST_TOLD} more" if len(spans) > _MOST_TOLD else ""
    return ", ".join(spans[:_MOST_TOLD]) + more

"""`quantmind data convert`: files into a store, and a store into files."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from quantmind.cli.backtest import MOMENT
from quantmind.cli.calling.session import Session
from quantmind.cli.data.options import CHANNELS, SPAN, check_symbol, counted, store_folder, with_interval
from quantmind.errors import UsageError

if TYPE_CHECKING:
    from quantmind.data.store.layout import Stream
    from quantmind.data.store.store import Store
    from quantmind.kinds import Archive
    from quantmind.kinds.channel import Channel

_LISTED = 10
"""Channels of a store that are told at the most."""

_CONTENTS = {"bar": "bars", "mark": "marks", "funding": "funding"}


@click.command(
    "convert",
    short_help="Bring files into a store, or a store into files.",
    epilog="\b\nExample: quantmind data convert BTC_USDT_USDT-1m-futures.feather --venue binanceusdm --to ~/market\n"
    "Example: quantmind data convert recording.gz --symbol BTC/USDT:USDT --channels quote,trade --to ~/market\n"
    "Example: quantmind data convert ~/market --symbol BTC/USDT:USDT --channels bar-1m --to btc-1m.csv",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--to", type=click.Path(path_type=Path), help="A store, or a file to write; default: the project's store."
)
@click.option("--venue", help="The venue that the data are of; a recording tells it itself.")
@click.option("--symbol", help="Such as BTC/USDT:USDT; default: by the name of the file.")
@click.option("--channels", type=CHANNELS, help="Such as bar, mark, funding; of a recording or a store quote,trade.")
@click.option("--interval", type=SPAN, help="The length of bars; default: by the name of the file.")
@click.option("--start", type=MOMENT, help="From a store: from when on.")
@click.option("--end", type=MOMENT, help="From a store: until when, not included.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, an object for each file.")
@click.pass_obj
def command(
    session: Session,
    files: tuple[Path, ...],
    to: Path | None,
    venue: str | None,
    symbol: str | None,
    channels: tuple[Channel, ...] | None,
    interval: int | None,
    start: int | None,
    end: int | None,
    as_json: bool,
) -> None:
    """Bring each FILE into a store: bars, marks and funding rates as Feather, Parquet, CSV or JSON, as freqtrade keeps
    them too (BTC_USDT_USDT-1m-futures.feather), and recordings that an installed archive reads. The other way round,
    where FILE is the folder of a store and --to a file, it writes one channel of it as CSV, Feather or Parquet.

    Converting a file twice changes nothing: of what is the same event one is kept.
    """  # noqa: D205 - click takes the first sentence for the summary
    if len(files) == 1 and files[0].is_dir():
        row = _from_store(files[0], to, venue, symbol, channels, interval, start, end)
        click.echo(json.dumps([row]) if as_json else f"{row['file']}: {counted(row['events'], 'row')} of {row['what']}")
        return
    if start is not None or end is not None:
        raise UsageError("--start and --end are for a store that is written to a file")
    rows = _into_store(session, files, store_folder(to), venue, symbol, channels, interval)
    if as_json:
        click.echo(json.dumps(rows))
    for row in () if as_json else rows:
        click.echo(f"{row['file']}: {counted(row['events'], 'event')} of {row['what']}")


def _into_store(
    session: Session,
    files: Sequence[Path],
    folder: Path,
    venue: str | None,
    symbol: str | None,
    channels: tuple[Channel, ...] | None,
    interval: int | None,
) -> list[dict[str, Any]]:
    """Bring files into a store; all of them are looked at before the first is read."""
    from quantmind.data.store import Writer
    from quantmind.data.store.importing import Source, described, is_table, take_file, take_recording

    _check_names(venue, symbol)
    content = _content(channels)
    jobs: list[tuple[Path, Source | Archive[Any]]] = []
    for path in files:
        if not path.expanduser().is_file():
            raise UsageError(f"{path}: there is no such file")
        if is_table(path):
            if venue is None:
                raise UsageError(f"{path}: does not tell its venue; give --venue, such as binanceusdm")
            jobs.append((path, Source.of(path, symbol, cast("Any", content), interval)))
        else:
            if symbol is None:
                raise UsageError(f"{path}: give --symbol, such as BTC/USDT:USDT, to read it as a recording")
            jobs.append((path, _archive(session, path)))
    rows: list[dict[str, Any]] = []
    with Writer(folder, once=True) as writer:
        for path, job in jobs:
            if isinstance(job, Source):
                count = take_file(job, venue or "", writer)
                what = f"{described(job)} of {venue}"
            else:
                some = with_interval(channels or tuple(sorted(job.channels(symbol or "") or ())), interval or 0)
                if not some:
                    raise UsageError(f"{path}: has nothing of {symbol}")
                import asyncio

                count = asyncio.run(take_recording(job, symbol or "", some, writer))
                what = f"{', '.join(map(str, some))} of {symbol} of {job.venue}"
            rows.append({"file": str(path), "events": count, "what": what, "store": str(folder)})
    return rows


def _check_names(venue: str | None, symbol: str | None) -> None:
    """Refuse a venue or a symbol that nothing should be stored under.

    Raises:
        UsageError: one cannot be.
    """
    if symbol is not None:
        check_symbol(symbol)
    if venue is not None and not venue.strip():
        raise UsageError("--venue: must not be empty; name one such as binanceusdm")


def _content(channels: tuple[Channel, ...] | None) -> str | None:
    """Return what a file of one channel holds."""
    if channels is None or len(channels) != 1:
        return None
    return _CONTENTS.get(channels[0].kind)


def _archive(session: Session, path: Path) -> Archive[Any]:
    """Return the installed archive that reads a recording.

    Raises:
        UsageError: none does.
    """
    from quantmind.project import Project

    plugins = session.plugins(Project.find(Path.cwd(), os.environ))
    names = sorted({row.name for row in plugins.all() if row.kind == "archive" and not row.fault})
    for name in names:
        component = cast("type[Archive[Any]]", plugins.find("archive", name))
        if (found := component.reading(path)) is not None:
            return found
    raise UsageError(
        f"{path}: must end with .feather, .parquet, .csv or .json, or be a recording that an archive reads; "
        f"installed: {', '.join(names) or 'none'}"
    )


def _from_store(
    folder: Path,
    to: Path | None,
    venue: str | None,
    symbol: str | None,
    channels: tuple[Channel, ...] | None,
    interval: int | None,
    start: int | None,
    end: int | None,
) -> dict[str, Any]:
    """Write one channel of a store to a file."""
    from quantmind.data.store import Store
    from quantmind.data.store.exporting import export

    if to is None:
        raise UsageError("--to: name the file to write, such as btc-1m.csv")
    stream = _stream(Store(folder), venue, symbol, with_interval(channels or (), interval or 0))
    return {"file": str(to), "events": export(Store(folder), stream, to, start, end), "what": str(stream)}


def _stream(store: Store, venue: str | None, symbol: str | None, channels: Sequence[Channel]) -> Stream:
    """Return the one channel of a store that is meant.

    Raises:
        UsageError: there is none, or several.
    """
    from quantmind.kinds.channel import Channel

    found = [
        stream
        for stream in store.streams()
        if venue in (None, stream.venue)
        and symbol in (None, stream.symbol)
        and (not channels or stream.channel in channels or Channel(stream.channel.kind) in channels)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{store.folder} has {_listed(found)}: name one with --venue, --symbol and --channels")
    held = store.streams()
    if not held:
        raise UsageError(f"{store.folder}: has nothing; is it the folder of a store, as `data record --to` names it?")
    built = any(channel.kind == "bar" for channel in channels) and any(one.channel.kind == "trade" for one in held)
    how = (
        f"; bars are built of trades when a recipe with the feed `replay: {{store: {store.folder}, "
        f"venue: {held[0].venue}}}` is played by `quantmind run`"
    )
    raise UsageError(
        f"{store.folder} has nothing of the kind, but {_listed(held)}: name one with --venue, --symbol and --channels"
        f"{how if built else ''}"
    )


def _listed(found: Sequence[Stream]) -> str:
    """Write the first of some channels, and how many there are besides."""
    more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return "; ".join(map(str, found[:_LISTED])) + more

"""`quantmind venue`: a simulated Binance USD-M on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from quantmind_venue.faults.reading import Script
    from quantmind_venue.options import VenueOptions


@click.command(
    epilog="\b\nExamples:\n"
    "  quantmind venue\n"
    "  quantmind venue --symbols BTCUSDT,SOLUSDT --seed 7 --balance 50000\n"
    "  quantmind venue --data btcusdt_20240808.gz --faults faults.yaml --log sent.jsonl\n"
    "  quantmind venue --data BTCUSDT=btc-1m.feather --start 2025-05-18 --speed 60"
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; others than this machine reach it only if told so.",
)
@click.option("--port", default=8900, show_default=True, type=click.IntRange(0, 65_535), help="0 is a free one.")
@click.option("--symbols", help="Contracts of a made-up market, BTCUSDT,ETHUSDT without.")
@click.option(
    "--data",
    multiple=True,
    metavar="FILE|SYMBOL=FILE",
    help="A raw recording to play, or a file of bars for each contract; a made-up market without.",
)
@click.option("--funding", multiple=True, metavar="SYMBOL=FILE", help="Funding rates that belong to the bars.")
@click.option("--marks", multiple=True, metavar="SYMBOL=FILE", help="Mark prices that belong to the bars.")
@click.option("--interval", default="1m", show_default=True, help="Interval of the bars.")
@click.option("--synthetic", is_flag=True, help="Make the market up, which it does without --data.")
@click.option("--seed", default=0, show_default=True, help="Another seed is another market, and other faults.")
@click.option("--quote-interval", help="Time between quotes of a made-up market, 100ms without.")
@click.option("--trade-interval", help="Time between trades of a made-up market, 250ms without.")
@click.option(
    "--speed", default="1", show_default=True, metavar="N|max|virtual", help="How many times real time it runs."
)
@click.option("--start", help="Where in the bars it begins, such as 2025-05-18.")
@click.option("--keep-times", is_flag=True, help="Leave the times of data as they were, instead of moving them to now.")
@click.option(
    "--hold",
    type=click.Choice(["subscribed", "told"]),
    help="Let the market wait for the first subscription, or until POST /venue/begin.",
)
@click.option("--balance", default="10000", show_default=True, help="The account's balance.")
@click.option("--key", help="The account's API key; one for tests without.")
@click.option("--secret", help="The account's secret; one for tests without.")
@click.option("--no-limits", is_flag=True, help="Count requests, but refuse none.")
@click.option("--faults", type=click.Path(path_type=Path), help="A YAML list of what goes wrong, and when.")
@click.option("--bad-day", metavar="TIME", help="Let something go wrong every so often at random, by the seed.")
@click.option("--log", type=click.Path(path_type=Path), help="A file for every message sent or missed, and request.")
@click.option("--json", "as_json", is_flag=True, help="Print the settings as one line of JSON.")
def venue(faults: Path | None, as_json: bool, **given: Any) -> None:
    """Simulate Binance USD-M on this machine, for any bot, until Ctrl-C."""
    script = _script(faults) if faults is not None else None
    options = _options(given, script.faults if script is not None else ())
    import uvloop

    from quantmind_venue.running import run

    uvloop.run(run(options, script, as_json=as_json))


def _script(path: Path) -> Script:
    from quantmind_venue.faults.reading import Script

    return Script(_home("--faults", path))


def _options(given: dict[str, Any], faults: tuple[dict[str, Any], ...]) -> VenueOptions:
    """Read the options.

    Raises:
        UsageError: one of them is wrong.
    """
    from quantmind.checking import Checking
    from quantmind.errors import UsageError
    from quantmind_venue.options import VenueOptions

    recording, bars = _data(given)
    options: dict[str, Any] = {
        "host": given["host"],
        "port": given["port"],
        "recording": recording,
        "bars": bars,
        "funding": _files("--funding", given["funding"]),
        "marks": _files("--marks", given["marks"]),
        "interval": given["interval"],
        "seed": given["seed"],
        "speed": given["speed"],
        "times": "recorded" if given["keep_times"] else "now",
        "hold": given["hold"] or "no",
        "balance": given["balance"],
        "limits": not given["no_limits"],
        "log": _home("--log", given["log"]) if given["log"] is not None else None,
        "faults": faults,
    }
    if given["symbols"] is not None:
        options["symbols"] = _symbols(given["symbols"])
    for name in ("quote_interval", "trade_interval", "start", "key", "secret", "bad_day"):
        if given[name] is not None:
            options[name] = given[name]
    checking = Checking()
    read = checking.options(VenueOptions, options)
    if read is None:
        raise UsageError("; ".join(_told(path, message) for path, message in checking.problems))
    return read


def _told(name: str, message: str) -> str:
    """Say what is wrong with an option, if it is with one and not with how they go together."""
    return f"--{name.replace('_', '-')}: {message}" if name else message


def _data(given: dict[str, Any]) -> tuple[Path | None, dict[str, Path]]:
    """Return the recording, if one is to be played, and the files of bars by their contracts."""
    from quantmind.errors import UsageError

    recordings = [text for text in given["data"] if "=" not in text]
    if len(recordings) > 1 or (recordings and len(given["data"]) > 1):
        raise UsageError("--data: give one raw recording, or a file of bars for each contract as SYMBOL=FILE")
    if given["synthetic"] and given["data"]:
        raise UsageError("--synthetic and --data exclude each other")
    if given["symbols"] is not None and given["data"]:
        raise UsageError("--symbols is for a made-up market: the data say which contracts there are")
    if not recordings:
        return None, _files("--data", given["data"])
    if not recordings[0]:
        raise UsageError("--data: must name a raw recording, or a file of bars as SYMBOL=FILE, was empty")
    return _home("--data", Path(recordings[0])), {}


def _files(option: str, given: tuple[str, ...]) -> dict[str, Path]:
    """Return files by the contracts that they are of."""
    from quantmind.errors import UsageError

    files: dict[str, Path] = {}
    for text in given:
        spelling, equals, path = text.partition("=")
        if not equals or not spelling or not path:
            raise UsageError(f"{option}: must be SYMBOL=FILE such as BTCUSDT=btc-1m.feather, was {text or 'empty'}")
        symbol = _symbol(option, spelling)
        if symbol in files:
            raise UsageError(f"{option}: {symbol} has two files, {files[symbol]} and {path}: give one")
        files[symbol] = _home(option, Path(path))
    return files


def _symbols(text: str) -> tuple[str, ...]:
    from quantmind.errors import UsageError

    names = [each.strip() for each in text.split(",") if each.strip()]
    if not names:
        raise UsageError(f"--symbols: must be contracts such as BTCUSDT,SOLUSDT, was {text.strip() or 'empty'}")
    return tuple(dict.fromkeys(_symbol("--symbols", name) for name in names))


def _symbol(option: str, spelling: str) -> str:
    """Return a contract as the venue spells it."""
    from quantmind.errors import UsageError
    from quantmind_binance.symbols import unified

    try:
        unified(spelling)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
    return spelling.upper()


def _home(option: str, path: Path) -> Path:
    """Return a path with the home folder that it names."""
    from quantmind.errors import UsageError

    try:
        return path.expanduser()
    except RuntimeError:
        raise UsageError(f"{option}: there is no such home folder: write the whole path, was {path}") from None

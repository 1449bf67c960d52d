"""`quantmind venue`: a simulated Binance USD-M on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
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
    options = _options(faults, given)
    import uvloop

    from quantmind_venue.running import run

    uvloop.run(run(options, as_json=as_json))


def _options(faults: Path | None, given: dict[str, Any]) -> VenueOptions:
    """Read the options.

    Raises:
        UsageError: one of them is wrong.
    """
    from pydantic import ValidationError

    from quantmind.errors import UsageError
    from quantmind_venue.options import VenueOptions

    files = [_split("--data", each, named=False) for each in given["data"]]
    recordings = [path for symbol, path in files if not symbol]
    if len(recordings) > 1 or (recordings and len(files) > 1):
        raise UsageError("--data: give one raw recording, or a file of bars for each contract as SYMBOL=FILE")
    if given["synthetic"] and files:
        raise UsageError("--synthetic and --data exclude each other")
    if given["symbols"] and files:
        raise UsageError("--symbols is for a made-up market: the data say which contracts there are")
    options: dict[str, Any] = {
        "host": given["host"],
        "port": given["port"],
        "recording": recordings[0] if recordings else None,
        "bars": {symbol: path for symbol, path in files if symbol},
        "funding": dict(_split("--funding", each, named=True) for each in given["funding"]),
        "marks": dict(_split("--marks", each, named=True) for each in given["marks"]),
        "interval": given["interval"],
        "seed": given["seed"],
        "speed": _speed(given["speed"]),
        "times": "recorded" if given["keep_times"] else "now",
        "hold": given["hold"] or "no",
        "balance": given["balance"],
        "limits": not given["no_limits"],
        "log": given["log"],
        "faults": _faults(faults) if faults is not None else (),
    }
    if given["symbols"]:
        options["symbols"] = tuple(each.strip().upper() for each in given["symbols"].split(",") if each.strip())
    for name in ("quote_interval", "trade_interval", "start", "key", "secret", "bad_day"):
        if given[name] is not None:
            options[name] = given[name]
    try:
        return VenueOptions(**options)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        option = str(first["loc"][0]) if first["loc"] else ""
        text = first["msg"].removeprefix("Value error, ")
        where = f"--{option.replace('_', '-')} {given.get(option) or ''}".strip() + ": " if option else ""
        raise UsageError(f"{where}{text}") from None


def _split(option: str, text: str, *, named: bool) -> tuple[str, Path]:
    from quantmind.errors import UsageError

    symbol, equals, path = text.partition("=")
    if not equals and not named:
        return "", Path(text)
    if not symbol or not path:
        raise UsageError(f"{option} {text}: must be SYMBOL=FILE such as BTCUSDT=btc-1m.feather")
    return symbol.upper(), Path(path)


def _speed(text: str) -> float | str:
    from quantmind.errors import UsageError

    if text in {"max", "virtual"}:
        return text
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise UsageError(f"--speed {text}: must be a number above 0 such as 10, or max, or virtual")
    return speed


def _faults(path: Path) -> tuple[dict[str, Any], ...]:
    """Read and check a script of faults."""
    import yaml

    from quantmind.errors import UsageError
    from quantmind_venue.faults.faults import read

    try:
        said = yaml.safe_load(path.expanduser().read_text())
    except OSError as error:
        raise UsageError(f"--faults {path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"--faults {path}: is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(said, list):
        raise UsageError(f"--faults {path}: must be a list of faults such as `- close: {{at: 10s}}`")
    for number, each in enumerate(said):
        try:
            read(each)
        except ValueError as error:
            raise UsageError(f"--faults {path}: [{number}].{error}") from error
    return tuple(said)

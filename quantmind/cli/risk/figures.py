"""Figures on the command line: read as Decimal from the text that was written, and written with every digit."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import click
import msgspec

from quantmind.errors import UsageError
from quantmind.events import Side
from quantmind.kinds.options import parse_duration
from quantmind.market.instruments import KNOWN, Instrument
from quantmind.risk.ranges import Range

_SMALLEST, _LARGEST = -15, 15

SIDES: Mapping[str, Side] = {"long": "buy", "buy": "buy", "short": "sell", "sell": "sell"}
"""The side of the order that opens a position, by the words for it."""

Answer = dict[str, Decimal | int | str | None]
"""An answer by the names of its figures."""

json_option = click.option(
    "--json", "json_", is_flag=True, help="Print one JSON object, each figure with all its digits."
)

side_option = click.option(
    "--side", type=click.Choice(list(SIDES), case_sensitive=False), required=True, help="long or buy, short or sell."
)


class Figure(click.ParamType):  # type: ignore[type-arg] # generic only in the newest click
    """A decimal number within a range; any other text ends with exit code 2 and the range, on one line."""

    name = "number"

    def __init__(self, permitted: Range, whole: bool = False) -> None:
        self.permitted = permitted
        self.whole = whole

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:  # noqa: ARG002 - click's signature
        """Read the figure."""
        figure = read_figure(str(value))
        if figure is None or figure not in self.permitted or (self.whole and figure != int(figure)):
            name = param.opts[0] if param is not None else self.name
            what = "whole number" if self.whole else "number"
            # A figure that is within the range may still be of no size that can be reckoned with.
            sizes = f", of a size from 1e{_SMALLEST} to 1e{_LARGEST}" if figure is None and _finite(str(value)) else ""
            raise UsageError(f"{name}: must be a {what} {self.permitted}{sizes}, was {value}")
        return figure


class Span(click.ParamType):  # type: ignore[type-arg] # generic only in the newest click
    """A duration, as recipes write it; in ns."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ARG002 - click's signature
        """Read the duration."""
        try:
            ns = parse_duration(value)
        except ValueError as error:
            raise UsageError(f"{param.opts[0] if param else self.name}: {error}, was {value}") from error
        if ns <= 0:
            raise UsageError(f"{param.opts[0] if param else self.name}: must be longer than nothing, was {value}")
        return ns


class KnownInstrument(click.ParamType):  # type: ignore[type-arg] # generic only in the newest click
    """An instrument that is known by its unified symbol."""

    name = "symbol"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Instrument:  # noqa: ARG002 - click's signature
        """Find the instrument."""
        if isinstance(value, Instrument):
            return value
        symbol = str(value)
        if symbol not in KNOWN:
            close = difflib.get_close_matches(symbol.upper(), KNOWN, 1)
            hint = f"did you mean {close[0]}?" if close else "write its steps instead;"
            raise UsageError(f"--instrument: {symbol} is not known; {hint} known: {', '.join(KNOWN)}")
        return KNOWN[symbol]


def figure(
    name: str,
    permitted: Range,
    what: str,
    *,
    default: str | None = None,
    required: bool = False,
    whole: bool = False,
) -> Callable[[Any], Any]:
    """Add an option that takes a figure; its help says what is permitted."""
    return click.option(
        name,
        type=Figure(permitted, whole),
        default=default,
        required=required,
        show_default=default is not None,
        help=f"{what} ({permitted}).",
    )


def read_figure(text: str) -> Decimal | None:
    """Read a decimal number of a size that money has; None if it is none."""
    value = _finite(text)
    return value if value is not None and (not value or _SMALLEST <= value.adjusted() <= _LARGEST) else None


def _finite(text: str) -> Decimal | None:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def plain(value: Decimal, places: int = 6) -> str:
    """Write a figure for a person: rounded to decimals, of a small one to three digits, without trailing zeros."""
    places = max(places, 2 - value.adjusted()) if value else places
    rounded = round(value, places) if value.as_tuple().exponent < -places else value  # type: ignore[operator] # finite
    text = f"{rounded:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def tell(lines: Sequence[str], json_: bool, **answer: Decimal | int | str | None) -> None:
    """Print an answer: its lines for a person, or as one JSON object, a figure as a number with every digit."""
    if not json_:
        click.echo("\n".join(lines))
        return
    fields = {
        key: msgspec.Raw(f"{value:f}".encode()) if isinstance(value, Decimal) else value
        for key, value in answer.items()
    }
    click.echo(msgspec.json.encode(fields).decode())

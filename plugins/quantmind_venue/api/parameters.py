"""Parameters: what a request says, read and checked with the venue's codes."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Protocol, TypeVar

from quantmind_venue.api.signing import illegal, missing
from quantmind_venue.errors import VenueError

_CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_DECIMAL = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?|\.[0-9]{1,20}")


def text(sent: Mapping[str, str], name: str) -> str:
    """Return a parameter that must be there."""
    value = sent.get(name)
    if not value:
        raise missing(name)
    return value


def choice(sent: Mapping[str, str], name: str, choices: Collection[str], code: int, words: str) -> str:
    """Return one of several words; any other is refused with a code of its own."""
    value = text(sent, name)
    if value not in choices:
        raise VenueError(code, words)
    return value


def optional(sent: Mapping[str, str], name: str, choices: Collection[str], default: str) -> str:
    """Return one of several words, or the default where none was sent."""
    value = sent.get(name)
    if value is None:
        return default
    if value not in choices:
        raise invalid(name)
    return value


def flag(sent: Mapping[str, str], name: str) -> bool:
    """Return whether a switch is on; it is off where it was not sent."""
    value = sent.get(name)
    if value is None:
        return False
    word = value.lower()
    if word not in {"true", "false"}:
        raise invalid(name)
    return word == "true"


def decimal(sent: Mapping[str, str], name: str) -> Decimal | None:
    """Return a figure, None where none was sent."""
    value = sent.get(name)
    if value is None:
        return None
    if not value:
        raise VenueError(-1105, f"Parameter '{name}' was empty.")
    if not _DECIMAL.fullmatch(value):
        if value.startswith("-"):
            return _negative(name, value)
        raise illegal(name, r"^([0-9]{1,20})(\.[0-9]{1,20})?$")
    return Decimal(value)


def _negative(name: str, value: str) -> Decimal:
    try:
        return Decimal(value)
    except InvalidOperation:
        raise invalid(name) from None


def integer(sent: Mapping[str, str], name: str) -> int | None:
    """Return a whole number, None where none was sent."""
    value = sent.get(name)
    if value is None:
        return None
    if not value:
        raise VenueError(-1105, f"Parameter '{name}' was empty.")
    if not _INTEGER.fullmatch(value):
        raise illegal(name, "^[0-9]{1,20}$")
    return int(value)


def limited(sent: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Return how many rows are asked for."""
    value = integer(sent, name)
    if value is None:
        return default
    if not 0 < value <= most:
        raise invalid(name)
    return value


def client_id(sent: Mapping[str, str], name: str) -> str:
    """Return the id that the client gave, or make one."""
    value = sent.get(name)
    if value is None:
        return secrets.token_urlsafe(16)
    if not value:
        raise VenueError(-1105, f"Parameter '{name}' was empty.")
    if len(value) > 36:
        raise VenueError(-4015, "Client order id length should not be more than 36 chars.")
    if not _CLIENT_ID.fullmatch(value):
        raise illegal(name, r"^[\.A-Z\:/a-z0-9_-]{1,36}$")
    return value


def unwanted(sent: Mapping[str, str], *names: str) -> None:
    """Refuse parameters that do not belong to the order."""
    for name in names:
        if name in sent:
            raise VenueError(-1106, f"Parameter '{name}' sent when not required.")


def off(sent: Mapping[str, str], name: str) -> None:
    """Refuse a switch that does not belong to the order, unless it is off."""
    if flag(sent, name):
        unwanted(sent, name)


def span(sent: Mapping[str, str], days: int) -> tuple[int, int]:
    """Return from when to when (ms) rows are asked for; no more than so many days where both are named."""
    start, end = integer(sent, "startTime"), integer(sent, "endTime")
    if start is not None and end is not None:
        if start > end:
            raise VenueError(-1023, "Start time is greater than end time.")
        if end - start > days * 86_400_000:
            raise VenueError(-4165, f"Invalid time interval: at most {days} days.")
    return start or 0, end if end is not None else 1 << 62


class _Dated(Protocol):
    @property
    def id(self) -> int: ...

    @property
    def time(self) -> int: ...


D = TypeVar("D", bound=_Dated)


def page(sent: Mapping[str, str], name: str, rows: Iterable[D]) -> list[D]:
    """Return the rows that are asked for: from an id on, else of a span; the last ones where no begin was said."""
    first, (start, end) = integer(sent, name), span(sent, 7)
    limit = limited(sent, "limit", 500, 1000)
    found = [row for row in rows if (row.id >= first if first is not None else start <= row.time <= end)]
    return found[:limit] if first is not None or "startTime" in sent else found[-limit:]


def invalid(name: str) -> VenueError:
    """Say that the value of a parameter is none of its values."""
    return VenueError(-1130, f"Data sent for parameter '{name}' is not valid.")

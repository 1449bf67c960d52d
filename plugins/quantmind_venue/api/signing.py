"""Signing: whether a request comes from the account's owner, and in time."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote_plus

from quantmind_venue.errors import VenueError

if TYPE_CHECKING:
    from quantmind_venue.clock import Clock

KEY_HEADER = "X-MBX-APIKEY"
WINDOW = 5_000
"""The recvWindow (ms) of a request that names none."""

_WIDEST = 60_000
_NUMBER = re.compile(r"[0-9]{1,20}")
_SIGNATURE = re.compile(rb"(?:^|&)signature=[^&]*")
_MARK = b"signature="


def missing(name: str) -> VenueError:
    """Say that a parameter is not there."""
    return VenueError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def illegal(name: str, legal: str) -> VenueError:
    """Say that a parameter has characters that it must not have."""
    return VenueError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def parsed(text: bytes) -> list[tuple[str, str]]:
    """Read a query or a form."""
    if not text:
        return []
    if b"%" in text or b"+" in text:
        return parse_qsl(text.decode("utf-8", "replace"), keep_blank_values=True)
    pairs = []
    for part in text.decode("utf-8", "replace").split("&"):
        name, _, value = part.partition("=")
        if name:
            pairs.append((name, value))
    return pairs


def parameters(query: bytes, body: bytes = b"") -> dict[str, str]:
    """Read the parameters of a request.

    Raises:
        VenueError: one of them is there twice.
    """
    pairs = parsed(query) + parsed(body)
    read = dict(pairs)
    if len(read) != len(pairs):
        raise VenueError(-1101, "Too many parameters sent for this endpoint: a parameter is there twice.")
    return read


def signed_text(query: bytes, body: bytes) -> bytes:
    """Return what a signature is made over: query and body as they were sent, one behind the other, without it."""
    return _unsigned(query) + _unsigned(body)


def _unsigned(text: bytes) -> bytes:
    if _MARK not in text:
        return text
    left = _SIGNATURE.sub(b"", text)
    return left[1:] if left.startswith(b"&") else left


class Signing:
    """The key and the secret of one account."""

    def __init__(self, key: str, secret: str, clock: Clock) -> None:
        self._key = key
        self._secret = secret.encode()
        self._clock = clock

    def keyed(self, key: str | None) -> None:
        """Check the API key.

        Raises:
            VenueError: it is missing, malformed, or not the account's.
        """
        if key == self._key:
            return
        if not key or not key.isascii() or not key.isprintable():
            raise VenueError(-2014, "API-key format invalid.", 401)
        raise VenueError(-2015, "Invalid API-key, IP, or permissions for action.", 401)

    def signature(self, text: bytes) -> str:
        """Sign a text."""
        return hmac.digest(self._secret, text, "sha256").hex()

    def checked(self, key: str | None, query: bytes, body: bytes) -> dict[str, str]:
        """Check a signed request, and return its parameters without what only signs it.

        Raises:
            VenueError: it is not the account's, or too early or late.
        """
        self.keyed(key)
        read = parameters(query, body)
        given = read.pop("signature", None)
        self._timely(read)
        if not given:
            raise missing("signature")
        self._same(given, self.signature(signed_text(query, body)))
        return read

    def checked_message(self, sent: Mapping[str, object]) -> dict[str, str]:
        """Check the parameters of a message on the WebSocket API, signed in the order of their names.

        Raises:
            VenueError: they are not the account's, or too early or late.
        """
        read = {name: text_of(value) for name, value in sent.items() if value is not None}
        if "apiKey" not in read:
            raise missing("apiKey")
        self.keyed(read["apiKey"])
        given = read.pop("signature", None)
        names = sorted(read)
        texts = [
            "&".join(f"{name}={read[name]}" for name in names),
            "&".join(f"{name}={quote(read[name], safe='~')}" for name in names),
        ]
        del read["apiKey"]
        self._timely(read)
        if not given:
            raise missing("signature")
        # Clients do not agree whether the values are escaped before they are signed.
        self._same(given, *(self.signature(text.encode()) for text in texts))
        return read

    def _timely(self, read: dict[str, str]) -> None:
        stamp = read.pop("timestamp", "")
        if not stamp:
            raise missing("timestamp")
        window = WINDOW
        if "recvWindow" in read:
            given = read.pop("recvWindow")
            window = int(_checked_number("recvWindow", given.removesuffix(".0")))
            if window > _WIDEST:
                raise VenueError(-1131, f"recvWindow must be less than {_WIDEST}.")
        verdict = self._clock.accepts(_checked_number("timestamp", stamp), window)
        if verdict == "early":
            raise VenueError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        if verdict == "late":
            raise VenueError(-1021, "Timestamp for this request is outside of the recvWindow.")

    @staticmethod
    def _same(given: str, *expected: str) -> None:
        if not any(hmac.compare_digest(unquote_plus(given).encode(), each.encode()) for each in expected):
            raise VenueError(-1022, "Signature for this request is not valid.")


def _checked_number(name: str, text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise illegal(name, "^[0-9]{1,20}$")
    return int(text)


def text_of(value: object) -> str:
    """Write a JSON value as it stands in a query."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)

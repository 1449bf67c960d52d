"""The dialler: connects as one stage, with its secrets, and says in one line why that fails."""

from __future__ import annotations

import logging
import ssl
from collections import Counter
from pathlib import Path

import nats.errors
from nats.aio.client import RawCredentials

from quantmind.errors import QuantMindError
from quantmind_nats.client import Client, PlainError
from quantmind_nats.names import Names
from quantmind_nats.options import NATSOptions

PING = 2.0
"""Seconds between two questions whether the server is still there."""

_UNANSWERED = 1
_DIAL = 2
_PENDING = 1024 * 1024
_TOLD = 1_000
_log = logging.getLogger(__name__)


class RefusedError(QuantMindError):
    """The server, or what is needed to talk to it, is there and not as it must be: trying again helps nobody."""


class Dialler:
    """Connects to servers as one stage, and counts what goes wrong on the connections."""

    def __init__(self, options: NATSOptions, names: Names, stage: str) -> None:
        self._options = options
        self._names = names
        self._stage = stage
        self._told: set[str] = set()
        self.counts: Counter[str] = Counter()
        """Violations of permissions, and messages that found no room, by figure."""

    async def connect(self, url: str) -> Client:
        """Return a client that is connected to a server.

        Raises:
            RefusedError: trying again helps nobody.
            OSError: the server is not there, or does not answer as it should.
        """
        client = Client(self._options.encrypted)
        causes: list[Exception] = []

        async def note(error: Exception) -> None:
            causes.append(error)
            self._note(error)

        try:
            await client.connect(
                [url],
                error_cb=note,
                name=f"quantmind {self._names.pipeline} {self._stage}",
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=_DIAL,
                ping_interval=PING,  # type: ignore[arg-type] # asyncio.sleep takes it
                max_outstanding_pings=_UNANSWERED,
                inbox_prefix=self._names.inbox,
                pending_size=_PENDING,
                no_echo=False,
                **self._identity(),  # type: ignore[arg-type]
            )
        except Exception as error:  # noqa: BLE001 - nats-py and nkeys raise many kinds
            await client.end()
            cause = causes[-1] if isinstance(error, nats.errors.NoServersError) and causes else error
            raise _told(url, cause) from None
        except BaseException:
            await client.end()
            raise
        client.settle(round(PING * 2_000))
        return client

    def _identity(self) -> dict[str, object]:
        """Return who the stage is, and whom it trusts; files are read here and not before."""
        options, found = self._options, dict[str, object]()
        if options.encrypted:
            found["tls"] = self._context()
        if options.user is not None and options.password is not None:
            found["user"] = self._own(options.user)
            found["password"] = options.password.get_secret_value()
        if options.nkey is not None:
            found["nkeys_seed_str"] = self._secret("nkey", options.nkey.get_secret_value(), "SU")
        if options.credentials is not None:
            text = self._secret("credentials", options.credentials.get_secret_value(), "-----BEGIN")
            found["user_credentials"] = RawCredentials(text)
        return found

    def _context(self) -> ssl.SSLContext:
        tls = self._options.tls
        try:
            context = ssl.create_default_context(cafile=tls.ca if tls else None)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if tls and tls.certificate:
                context.load_cert_chain(self._own(tls.certificate), self._own(tls.key) if tls.key else None)
        except OSError as error:
            raise RefusedError(
                f"nats: the files of `tls` cannot be used ({error.strerror or error}): correct them"
            ) from None
        return context

    def _own(self, text: str) -> str:
        return text.replace("{stage}", self._stage)

    def _secret(self, option: str, value: str, beginning: str) -> str:
        """Return a secret, or what its file holds."""
        value = value.strip()
        if value.startswith(beginning):
            return value
        path = Path(self._own(value))
        try:
            text = path.read_text().strip()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "no text"
            raise RefusedError(f"nats: the file of `{option}` cannot be read ({reason}): correct it") from None
        if beginning not in text:
            raise RefusedError(f"nats: {path} does not hold what `{option}` needs: it has no {beginning}")
        return text[text.index(beginning) :] if option == "nkey" else text

    def _note(self, error: Exception) -> None:
        """Count what the server or nats-py complains of, and log each text once."""
        text = str(error)
        if isinstance(error, nats.errors.SlowConsumerError):
            self.counts["slow_consumer_drops"] += 1
            text = f"messages on {error.subject} find no room: this stage does not keep up"
        elif "permissions violation" in text.lower():
            self.counts["refused_by_permission"] += 1
            text = f"the server refuses a {text.removeprefix('nats: ')}: grant it to the stage's user"
        else:
            _log.debug("nats: %s", text)
            return
        if text not in self._told and len(self._told) < _TOLD:
            self._told.add(text)
            _log.warning("nats: %s", text)


def _told(url: str, cause: Exception) -> Exception:
    """Return an error that says in one line what keeps a server from being used."""
    if isinstance(cause, QuantMindError):
        return cause
    text = str(cause).removeprefix("nats: ").strip("'") or type(cause).__name__
    refusal = _refusal(cause, text)
    if refusal:
        return RefusedError(f"nats: {url} {refusal}")
    if isinstance(cause, TimeoutError):
        return OSError(f"nats: {url} does not answer")
    return OSError(f"nats: {url}: {getattr(cause, 'strerror', None) or text}")


def _refusal(cause: Exception, text: str) -> str:
    """Return what is wrong between a server that is there and this stage; empty where it may yet come right."""
    if "authorization" in text.lower() or "authentication" in text.lower():
        return "refuses this stage's user: correct `user`, `nkey` or `credentials`"
    if isinstance(cause, PlainError):
        return "does not offer TLS: switch it on in the server, or leave `tls` out"
    if isinstance(cause, ssl.SSLError):
        reason = getattr(cause, "verify_message", "") or cause.reason or text
        return f"and this stage find no TLS ({reason}): correct `tls` or the server's certificate"
    if isinstance(cause, ValueError) or type(cause).__module__.startswith("nkeys"):
        return f"cannot be told who this stage is ({text}): correct `nkey` or `credentials`"
    return ""

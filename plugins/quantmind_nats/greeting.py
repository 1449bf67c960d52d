"""The greeting of a NATS server: that it is there, lets a stage in, and stores."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from quantmind.errors import QuantMindError
from quantmind.kinds import Greeting, Server
from quantmind.kinds.transport import STAGES
from quantmind_nats.names import Names
from quantmind_nats.options import NATSOptions, server

if TYPE_CHECKING:
    from quantmind_nats.client import Client
    from quantmind_nats.dialler import Dialler


_PORT = 4222


def servers(options: NATSOptions) -> tuple[Server, ...]:
    """Return every server of the cluster; their URLs hold no secret."""
    return tuple(Server(url, partial(_greet, options, url)) for url in options.url)


async def _greet(options: NATSOptions, url: str) -> Greeting:
    try:
        from quantmind_nats.dialler import Dialler
    except ImportError as error:
        raise QuantMindError(
            f"the nats transport needs nats-py and nkeys ({error}): pip install 'nats-py[nkeys]'"
        ) from None
    from quantmind.kinds.reaching import best_of, connected

    parts = server(url)
    async with connected(parts.hostname or "", parts.port or _PORT):
        # That nobody listens is told better by the system than by nats-py.
        pass
    stages = STAGES if _by_stage(options) else ("observer",)
    refusals: list[str] = []
    for stage in stages:
        dialler = Dialler(options, Names("doctor", stage), stage)
        client = await _dial(dialler, url, refusals, last=stage == stages[-1])
        if client is None:
            continue
        try:
            took = await best_of(client.flush)
            words = _words(client)
        finally:
            await client.end()
        if len(stages) > 1:
            words += f", lets the {stage} stage in"
        return Greeting(words, took)
    raise QuantMindError(refusals[0])


async def _dial(dialler: Dialler, url: str, refusals: list[str], *, last: bool) -> Client | None:
    """Connect as a stage; None if it is refused, and others may yet be let in: their secrets may be elsewhere."""
    from quantmind_nats.dialler import RefusedError

    try:
        return await dialler.connect(url)
    except RefusedError as error:
        refusals.append(_told(error, url))
        if last:
            raise QuantMindError(refusals[0]) from None
        return None
    except OSError as error:
        raise QuantMindError(f"{_told(error, url)}: start a nats-server there or correct `url`") from None


def _by_stage(options: NATSOptions) -> bool:
    """Say whether every stage has a name or a secret of its own."""
    secrets = [secret.get_secret_value() for secret in (options.nkey, options.credentials) if secret is not None]
    files = [options.tls.certificate, options.tls.key] if options.tls is not None else []
    return any("{stage}" in (text or "") for text in (*secrets, *files, options.user))


def _words(client: Client) -> str:
    """Say what the server is.

    Raises:
        QuantMindError: it stores nothing.
    """
    info = client._server_info  # noqa: SLF001 - nats-py shows no more than the version
    words = f"NATS {info.get('version', '')}".strip()
    if not info.get("jetstream"):
        raise QuantMindError(f"{words}, but without JetStream: switch it on (nats-server -js)")
    return f"{words} with JetStream"


def _told(error: Exception, url: str) -> str:
    return str(error).removeprefix("nats: ").removeprefix(url).lstrip(": ")

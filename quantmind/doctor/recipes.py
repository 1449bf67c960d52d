"""Recipes: whether they can be run here, and whether the servers that they name are there."""

from __future__ import annotations

import asyncio
import os
import queue
import re
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import SecretBytes, SecretStr

from quantmind.doctor.clock import wall
from quantmind.doctor.finding import Finding, failed, ok, warning
from quantmind.errors import QuantMindError
from quantmind.kinds import Greeting, Server
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.components import secrets
from quantmind.recipe.load import load
from quantmind.recipe.model import Recipe, Spec

PATIENCE = 3.0
"""Seconds that a server has to answer."""

_SLOW = 1_000_000_000
_LOGIN = re.compile(r"//[^/@\s]*@")


def recipes(files: Sequence[Path], plugins: Plugins) -> Iterator[Finding]:
    """Load each recipe as a run would, and greet the servers that its components talk to, all at once."""
    named: dict[str, Server] = {}
    found: set[str] = set()
    for file in files:
        subject = f"{file}"
        try:
            recipe = load(file, plugins, Project.find(file.parent, os.environ), os.environ)
        except QuantMindError as error:
            yield from (failed("recipe", line) for line in error.lines)
            continue
        yield ok("recipe", f"{subject} is sound; its plugins, variables and credentials are here")
        for spec in _specs(recipe):
            found |= {_told(secret) for _, secret in secrets(spec.options)}
            try:
                for server in spec.component.servers(spec.options):
                    named.setdefault(f"{spec.component.name} {server.address}", server)
            except Exception as error:  # noqa: BLE001 - a component of others may raise anything
                yield failed("server", f"{spec.path} does not say where it is: {type(error).__name__}: {error}")
    addresses = [_LOGIN.sub("//", server.address) for server in named.values()]
    hidden = {part for secret in found for part in _hidden(secret, addresses)}
    for finding in _greeted(named):
        yield _masked(finding, hidden)


def _specs(recipe: Recipe) -> Iterator[Spec]:
    single = [spec for spec in (recipe.transport, recipe.allocator, recipe.executor) if spec is not None]
    yield from (*recipe.feeds, *single, *recipe.strategies, *recipe.sizing, *recipe.protection, *recipe.limits)
    yield from recipe.sinks


def _greeted(servers: dict[str, Server]) -> Iterator[Finding]:
    """Greet every server in a thread of its own: a library that blocks holds up no other."""
    answers: queue.SimpleQueue[tuple[str, Finding]] = queue.SimpleQueue()
    for name, server in servers.items():
        threading.Thread(target=_greet, args=(name, server, answers), name=name, daemon=True).start()
    waiting = dict(servers)
    end = time.monotonic() + PATIENCE + 0.5
    found: dict[str, Finding] = {}
    while waiting:
        try:
            name, finding = answers.get(timeout=max(end - time.monotonic(), 0.0))
        except queue.Empty:
            break
        found[name] = finding
        waiting.pop(name)
    for name in servers:
        yield found.get(name) or _silent(name)


def _greet(name: str, server: Server, answers: queue.SimpleQueue[tuple[str, Finding]]) -> None:
    try:
        answers.put((name, _judged(name, asyncio.run(_patiently(server)))))
    except TimeoutError:
        answers.put((name, _silent(name)))
    except QuantMindError as error:
        answers.put((name, failed("server", f"{name}: {error}")))
    except BaseException as error:  # noqa: BLE001 - a component of others may raise anything
        text = " ".join(str(error).split()) or "no more is known"
        answers.put((name, failed("server", f"{name}: {type(error).__name__}: {text}")))


async def _patiently(server: Server) -> Greeting:
    async with asyncio.timeout(PATIENCE):
        return await server.greet()


def _silent(name: str) -> Finding:
    return failed("server", f"{name}: no answer in {PATIENCE:g} s", "see to the network, a firewall or the address")


def _judged(name: str, greeting: Greeting) -> Finding:
    took = "" if greeting.took is None else f", round trip {greeting.took / 1e6:.1f} ms"
    words = f"{name}: {greeting.words}{took}"
    off = None if greeting.clock is None else wall(greeting.clock, greeting.doubt)
    if off is not None:
        return Finding("server", off.state, f"{words}; {off.words}", off.advice)
    if greeting.clock is not None:
        words += f", clocks {abs(greeting.clock) / 1e6:.0f} ms apart"
    if greeting.warning:
        return warning("server", words)
    if greeting.took is not None and greeting.took > _SLOW:
        return warning("server", words, "that is slow: see to the network")
    return ok("server", words)


def _told(secret: SecretStr | SecretBytes) -> str:
    """Return what must not be told."""
    value = secret.get_secret_value()
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _hidden(secret: str, addresses: Sequence[str]) -> Iterator[str]:
    """Yield what must not be told of a secret: of a server's address it is not where that is."""
    try:
        parts = urlsplit(secret)
    except ValueError:
        parts = urlsplit("")
    login, _, host = parts.netloc.rpartition("@")
    if not parts.scheme or not any(address.startswith(f"{parts.scheme}://{host}") for address in addresses):
        yield secret
        return
    hidden = [login, *login.split(":", 1), parts.query, parts.fragment]
    if parts.scheme in {"http", "https"}:
        # There a path may be what lets one in.
        hidden.append(parts.path)
    for part in hidden:
        yield part
        yield unquote(part)


def _masked(finding: Finding, secrets: Iterable[str]) -> Finding:
    """Take out whatever is secret, whoever wrote it there."""
    words = _LOGIN.sub("//***@", finding.words)
    for secret in sorted(secrets, key=len, reverse=True):
        # A secret of a sign or two would take out half the line; no such one is worth keeping.
        if len(secret) > 3:
            words = words.replace(secret, "***")
    return Finding(finding.subject, finding.state, words, finding.advice)

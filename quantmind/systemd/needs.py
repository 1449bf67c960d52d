"""Needs: what the recipe has each stage read, from its text as it is written; no secret is opened."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from quantmind.errors import RecipeError
from quantmind.kinds.transport import STAGES
from quantmind.recipe.sections import is_inproc, is_read

_TOKEN = re.compile(r"\$\$|\$\{([^}]*)\}")
_CREDENTIAL = re.compile(r"[A-Za-z0-9_.@-]{1,255}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DEFAULT = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*:-([^}]*)\}")
_SECRET = re.compile(r"\$\{(?:credential|file):[^}]*\}")


class Needs(msgspec.Struct, frozen=True):
    """What one stage, or a pipeline in one process, reads from outside its recipe."""

    credentials: tuple[str, ...] = ()
    """Names of credentials that all stages which want them share."""
    own_credentials: tuple[str, ...] = ()
    """Names of credentials of the transport, which are each stage's own."""
    files: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    """Variables of the environment that have no default."""

    @property
    def all_credentials(self) -> tuple[str, ...]:
        """Every name of a credential."""
        return (*self.credentials, *self.own_credentials)


def stages(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the stages that a recipe is run in; none when it is run in one process."""
    if is_inproc(data.get("transport")):
        return ()
    return tuple(stage for stage in STAGES if stage != "sink" or data.get("sinks"))


def needs(data: Mapping[str, Any], stage: str | None) -> Needs:
    """Return what a stage needs; without one, what all of them do.

    Raises:
        RecipeError: a credential has a name that systemd cannot give it.
    """
    read = {key: section for key, section in data.items() if is_read(key, stage) and key != "tests"}
    transport = {"transport": read.pop("transport", None)}
    own = _named(transport, "credential:") if stage else ()
    every = (*_named(read, "credential:"), *_named(transport, "credential:"))
    for name in every:
        if not _CREDENTIAL.fullmatch(name) or name in {".", ".."}:
            raise RecipeError(f"${{credential:{name}}}: a name may hold letters, digits, and the signs _ . @ -")
    return Needs(
        credentials=tuple(dict.fromkeys(name for name in every if name not in own)),
        own_credentials=own,
        files=tuple(dict.fromkeys((*_named(read, "file:"), *_named(transport, "file:")))),
        # Those of other stages' sections as well: a figure among them decides how the stages fit together.
        variables=tuple(dict.fromkeys(token for token in _tokens(_untested(data)) if _VARIABLE.fullmatch(token))),
    )


def addresses(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the addresses that the transport names, where nothing is set that has a default."""
    texts = (_SECRET.sub("", _DEFAULT.sub(r"\1", text)) for text in _texts(data.get("transport")))
    return tuple(part for text in texts for part in re.split(r"[,\s]+", text) if "://" in part or "${" in part)


def is_local(address: str) -> bool:
    """Tell whether an address is a socket in the file system."""
    return address.startswith(("ipc://", "unix://"))


def is_loopback(address: str) -> bool:
    """Tell whether an address is on this machine for certain."""
    if is_local(address):
        return True
    try:
        host = urlsplit(address).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def absolute(path: str, folder: Path) -> Path:
    """Return the file that a recipe names."""
    return folder / Path(path).expanduser()


def _untested(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: section for key, section in data.items() if key != "tests"}


def _named(data: Any, prefix: str) -> tuple[str, ...]:
    found = (token.removeprefix(prefix) for token in _tokens(data) if token.startswith(prefix))
    return tuple(dict.fromkeys(found))


def _tokens(data: Any) -> Iterator[str]:
    for text in _texts(data):
        yield from (match[1] for match in _TOKEN.finditer(text) if match[1] is not None)


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for member in data.values():
            yield from _texts(member)
    elif isinstance(data, list):
        for member in data:
            yield from _texts(member)

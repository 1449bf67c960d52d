"""References: the text of files and of credentials that a recipe names."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

import msgspec

LONGEST = 65_536
"""Bytes of a file or a credential at the most."""

_NAME = re.compile(r"[A-Za-z0-9_.@-]{1,255}")


class Referred(msgspec.Struct, frozen=True):
    """The text of a file or a credential, without the line end that closes it."""

    text: str
    exposed: bool
    """Whether its mode lets others than its owner at it."""


class References:
    """Opens what a recipe refers to; the service manager says where credentials are."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._credentials = environ.get("CREDENTIALS_DIRECTORY", "")

    def read(self, kind: str, name: str) -> Referred:
        """Read a file or a credential.

        Raises:
            ValueError: it cannot be read; in words.
        """
        if wrong := fault(kind, name):
            raise ValueError(wrong)
        if kind == "file":
            try:
                path = self._folder / Path(name).expanduser()
            except RuntimeError:
                raise ValueError(f"the file {name} cannot be read: there is no such home folder") from None
            return _read(path, f"the file {name}")
        if not self._credentials:
            raise ValueError(
                f"the credential {name} cannot be read: CREDENTIALS_DIRECTORY is not set; systemd sets it for a unit "
                "that has LoadCredential=, by hand set it to a folder with files of those names"
            )
        return _read(Path(self._credentials) / name, f"the credential {name}")


def fault(kind: str, name: str) -> str:
    """Say what is wrong with how a file or a credential is named; empty if nothing is. Opens nothing."""
    if "${" in name:
        return f"the name of a {kind} cannot hold another ${{...}}"
    if kind == "credential" and (not _NAME.fullmatch(name) or name in {".", ".."}):
        return f"the name of a credential has letters, digits and . _ @ -, was {_shown(name)}"
    return "" if name.isprintable() else f"the path of a file is printable and on one line, was {_shown(name)}"


def _shown(name: str) -> str:
    return name if name.isprintable() else repr(name)


def _refuse(mode: int, what: str) -> None:
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "no plain file"
        raise ValueError(f"{what} cannot be read: it is {kind}")


def _read(path: Path, what: str) -> Referred:
    try:
        _refuse(path.stat().st_mode, what)
        # Whatever takes its place meanwhile does not make us wait.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(descriptor).st_mode
            _refuse(mode, what)
            data = file.read(LONGEST + 1)
        if len(data) > LONGEST:
            raise ValueError(f"{what} has more than {LONGEST} bytes: name one that holds nothing but the value")
        text = data.decode()
    except FileNotFoundError:
        raise ValueError(f"{what} cannot be read: there is no such file") from None
    except OSError as error:
        raise ValueError(f"{what} cannot be read: {error.strerror or type(error).__name__}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{what} is no UTF-8 text") from None
    return Referred(text.removesuffix("\n").removesuffix("\r"), bool(mode & 0o077))

"""References: the text of files and of credentials that a recipe names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

LONGEST = 65_536
"""Bytes of a file or a credential at the most."""

_NAME = re.compile(r"[A-Za-z0-9_.@-]{1,255}")


class References:
    """Opens what a recipe refers to; the service manager says where credentials are."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._credentials = environ.get("CREDENTIALS_DIRECTORY", "")

    def text(self, kind: str, name: str) -> str:
        """Return a text without the line end that closes it.

        Raises:
            ValueError: it cannot be read; in words.
        """
        if kind == "file":
            return _read(self._folder / Path(name).expanduser(), f"the file {name}")
        if not _NAME.fullmatch(name) or name in {".", ".."}:
            raise ValueError(f"the name of a credential has letters, digits and . _ @ -, was {name}")
        if not self._credentials:
            raise ValueError(
                f"the credential {name} cannot be read: CREDENTIALS_DIRECTORY is not set; systemd sets it for a unit "
                "that has LoadCredential=, by hand set it to a folder with files of those names"
            )
        return _read(Path(self._credentials) / name, f"the credential {name}")


def _read(path: Path, what: str) -> str:
    try:
        if not path.is_file():
            raise ValueError(f"{what} cannot be read: there is no such file")
        with path.open("rb") as file:
            data = file.read(LONGEST + 1)
        if len(data) > LONGEST:
            raise ValueError(f"{what} has more than {LONGEST} bytes")
        text = data.decode()
    except OSError as error:
        raise ValueError(f"{what} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{what} is no UTF-8 text") from None
    return text.removesuffix("\n").removesuffix("\r")

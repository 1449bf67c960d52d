"""How far a sink stage has written an account's facts; kept, so that a stage that starts again misses none."""

from __future__ import annotations

import json
from pathlib import Path

from quantmind.errors import QuantMindError
from quantmind.files import replacing

FILE = "progress.json"
_FRESH = "progress.new"


class Progress:
    """The last fact that every sink has taken, in the folder of the sinks."""

    def __init__(self, folder: Path) -> None:
        """Read it.

        Raises:
            QuantMindError: the folder cannot be made, or the file holds something else.
        """
        self._file = folder / FILE
        self.account = ""
        """The account whose facts they are; empty before the first one."""
        self.number: int | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            found = json.loads(self._file.read_text())
            self.account, self.number = str(found["account"]), int(found["number"])
        except FileNotFoundError:
            return
        except OSError as error:
            raise QuantMindError(f"{self._file}: cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError):
            raise QuantMindError(
                f"{self._file} holds no progress: remove it, and facts are told from this run on"
            ) from None

    def note(self, account: str, number: int) -> None:
        """Keep it; a crash leaves what was noted before or what is noted now.

        Raises:
            QuantMindError: it cannot be written.
        """
        self.account, self.number = account, number
        try:
            with replacing(self._file, _FRESH) as fresh:
                fresh.write_text(json.dumps({"account": account, "number": number}) + "\n")
        except OSError as error:
            raise QuantMindError(f"{self._file}: cannot be written: {error.strerror}: make room") from error

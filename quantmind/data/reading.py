"""Reading data files: why one cannot be read, on one line."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from quantmind.errors import QuantMindError

_OF_SYSTEM = re.compile(r"([^:]+) \(os error \d+\)")


@contextlib.contextmanager
def reading(what: Path | str, form: str = "") -> Iterator[None]:
    """Say what could not be read, and as which form of file, when polars or the system refuses.

    Raises:
        QuantMindError: it cannot be read.
    """
    import polars as pl

    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        read = f"read as {form}" if form else "read"
        raise QuantMindError(f"{what}: cannot be {read}: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """Return what went wrong, on one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    # What the system refused polars tells in words only.
    if (refused := _OF_SYSTEM.search(str(error))) is not None:
        return refused[1].strip()
    if "empty" in str(error).partition("\n")[0]:
        return "it is empty"
    return "it is damaged, or of another format: fetch or export it again"

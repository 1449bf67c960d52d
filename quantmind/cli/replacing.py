"""Files of the user that a command changes: each whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from quantmind.errors import QuantMindError


def replace(contents: Mapping[Path, bytes]) -> None:
    """Replace files that are there, by what is written beside them first; who may read them stays the same.

    Raises:
        QuantMindError: one of them cannot be written; then none is, unless it happens as the last step of one.
    """
    with contextlib.ExitStack() as cleared:
        fresh: dict[Path, Path] = {}
        for file, content in contents.items():
            # A link stays one.
            target = Path(os.path.realpath(file))
            beside = target.with_name(f".{target.name}.{os.getpid()}")
            try:
                if not os.access(target, os.W_OK):
                    raise PermissionError(13, "Permission denied")
                with beside.open("xb") as stream:
                    cleared.callback(_remove, beside)
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
                beside.chmod(target.stat().st_mode & 0o7777)
            except OSError as error:
                raise QuantMindError(f"{file}: cannot be written: {error.strerror}") from error
            fresh[target] = beside
        for target, beside in fresh.items():
            try:
                beside.replace(target)
            except OSError as error:
                raise QuantMindError(f"{target}: cannot be written: {error.strerror}") from error


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()

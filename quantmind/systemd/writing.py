"""Writing units: each file whole or not at all, and none over one that was not written here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from quantmind.errors import QuantMindError, UsageError
from quantmind.files import beside
from quantmind.systemd.units import HEADER


def write(contents: Mapping[Path, str], folder: Path) -> list[Path]:
    """Write files below a folder, by their relative paths.

    Raises:
        UsageError: one of them is there already, and was not written here.
        QuantMindError: they cannot be written.
    """
    targets = {folder / path: text for path, text in contents.items()}
    for target in targets:
        if os.path.lexists(target) and not _is_ours(target):
            raise UsageError(f"{target} was not written by this command and is not overwritten: name another folder")
    for target, text in targets.items():
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            # Units hold no secret, and are read by who asks for their state.
            with beside(target, text.encode(), 0o644) as fresh:
                fresh.replace(target)
        except OSError as error:
            raise QuantMindError(f"{target}: cannot be written: {error.strerror}") from error
    return list(targets)


def left_over(contents: Mapping[Path, str], folder: Path, name: str) -> list[Path]:
    """Return files that an earlier call wrote for the same units, and that this one does not."""
    written = {folder / path for path in contents}
    found = [
        *folder.glob(f"{name}[-@.]*.service"),
        *folder.glob(f"{name}.service"),
        *folder.glob(f"{name}@*.service.d/*"),
    ]
    return sorted(path for path in found if path not in written and _is_ours(path))


def _is_ours(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            return not path.is_symlink() and stream.readline().rstrip("\n") == HEADER
    except OSError:
        return False

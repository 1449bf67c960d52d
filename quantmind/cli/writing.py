"""Files that a command writes for its user: all of them, or none."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from quantmind.errors import QuantMindError, UsageError


def write(contents: Mapping[Path, bytes], folder: Path) -> list[Path]:
    """Write files below a folder, by their relative paths; all of them, or none.

    Raises:
        UsageError: one of them is there already.
        QuantMindError: they cannot be written.
    """
    targets = {folder / path: content for path, content in contents.items()}
    with contextlib.ExitStack() as undo:
        for target, content in targets.items():
            try:
                for parent in reversed(target.parents):
                    if not parent.is_dir():
                        parent.mkdir()
                        undo.callback(parent.rmdir)
                with target.open("xb") as stream:
                    undo.callback(target.unlink)
                    stream.write(content)
            except (FileExistsError, NotADirectoryError) as error:
                raise UsageError(
                    f"{error.filename} is there already: nothing is overwritten, name another folder"
                ) from error
            except OSError as error:
                raise QuantMindError(f"{error.filename or target}: cannot be written: {error.strerror}") from error
        undo.pop_all()
    return list(targets)

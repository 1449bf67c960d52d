"""Blame: what was raised, in words, and the line of its author's file that it came from."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from quantmind.errors import ComponentError

_OURS = sys.stdlib_module_names | {"quantmind"}
"""The packages whose lines help no author."""
_LONGEST = 200


def told(error: BaseException) -> str:
    """Say what was raised in one line, whatever its `__str__` does."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - it is what the author of a component wrote
        text = "its __str__ raises"
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    if isinstance(error, NotImplementedError) and not text and frames and _package(frames[-1]) == "quantmind":
        return f"it has no {frames[-1].f_code.co_name}, which every component of its kind has"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def place(error: BaseException | None, package: str = "") -> str:
    """Return ` (file.py:line)`: the innermost line of a package that an error came through; empty if it came by none.

    Left out, the package is the first one that is not QuantMind. What it calls may raise deep inside of a library: the
    line that helps is the author's own.
    """
    lines = [] if error is None else list(traceback.walk_tb(error.__traceback__))
    package = package or next((name for frame, _ in lines if (name := _package(frame)) not in _OURS), "")
    own = [(frame, line) for frame, line in lines if package and _package(frame) == package]
    return _written(own[-1][0].f_code, str(own[-1][0].f_globals.get("__name__")), own[-1][1]) if own else ""


def within(error: BaseException, packages: frozenset[str]) -> str:
    """Return the package, one of these, whose code is the innermost that an error came through; empty if none is.

    What it was raised from, or while it was handled, counts where it has no such code itself.
    """
    seen: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in seen:
        came_through = [_package(frame) for frame, _ in traceback.walk_tb(following.__traceback__)]
        if found := [package for package in came_through if package in packages]:
            return found[-1]
        seen.append(following)
        following = following.__cause__ or following.__context__
    return ""


def misanswered(component: Any, method: str, wanted: str, answer: object) -> ComponentError:
    """Return the error of a component whose method answers with something else than what is wanted of it."""
    at = defined(getattr(type(component), method))
    return ComponentError(f"{component.kind} {component.name}: {method} must give {wanted}, was {shown(answer)}{at}")


def defined(method: object) -> str:
    """Return ` (file.py:line)`: where a method is written; empty where that is not known."""
    function = getattr(method, "__func__", getattr(method, "fget", method))
    code = getattr(function, "__code__", None)
    return _written(code, str(getattr(function, "__module__", "")), code.co_firstlineno) if code is not None else ""


def shown(value: object) -> str:
    """Write a value and its type, whatever its `__repr__` does."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # noqa: BLE001 - as above
        text = "something"
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return text if value is None else f"{text} ({type(value).__name__})"


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _written(code: CodeType, module: str, line: int) -> str:
    """Write a place by the file's path from where its package lies: long enough to find it, and the same everywhere."""
    path = Path(code.co_filename)
    parts = module.count(".") + 1 + (path.name == "__init__.py")
    return f" ({'/'.join(path.parts[-parts:])}:{line})"

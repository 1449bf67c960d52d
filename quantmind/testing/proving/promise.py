"""Promises: what a component of a kind keeps to, each in words, and how it is found out."""

from __future__ import annotations

import importlib
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

S = TypeVar("S")

_CODE = re.compile(r"[a-z][a-z0-9_]*")
_OURS = f"{Path(__file__).parents[2]}{os.sep}"


class Promise(msgspec.Struct, frozen=True):
    """One thing that a component promises, and whether it was kept."""

    words: str
    """What a component of the kind promises: `answers the same when asked twice`."""
    fault: str = ""
    """What was found instead; empty when it is kept."""
    left_out: str = ""
    """Why it was not checked; empty when it was."""


class LeftOut(Exception):  # noqa: N818 - it is no error
    """A promise cannot be checked here; says why."""


class Check(msgspec.Struct, Generic[S], frozen=True):
    """A promise, and what proves it of a subject: raises AssertionError, or LeftOut."""

    words: str
    prove: Callable[[S], None]


def keep(who: str, checks: Sequence[Check[S]], subject: S) -> None:
    """Prove every promise, for a test.

    Raises:
        AssertionError: one is broken; says who, what was promised, and what was seen.
    """
    for check in checks:
        try:
            check.prove(subject)
        except LeftOut:
            continue
        except AssertionError as error:
            raise AssertionError(_told(who, check.words, str(error))) from error
        except ImportError as error:
            if "pip install hypothesis" in str(error):
                raise
            raise AssertionError(_told(who, check.words, raised(error))) from error
        except Exception as error:
            raise AssertionError(_told(who, check.words, raised(error))) from error


def report(checks: Sequence[Check[S]], subject: S) -> Iterator[Promise]:
    """Prove every promise, and say what came of each; whatever is raised is a fault in words."""
    for check in checks:
        yield proven(check.words, lambda check=check: check.prove(subject))  # type: ignore[misc] # bound at once


def proven(words: str, prove: Callable[[], None]) -> Promise:
    """Prove one promise, and say what came of it."""
    try:
        prove()
    except LeftOut as reason:
        return Promise(words, left_out=str(reason))
    except AssertionError as error:
        return Promise(words, fault=one_line(str(error)) or raised(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's component may raise anything
        return Promise(words, fault=raised(error))
    return Promise(words)


def raised(error: BaseException) -> str:
    """Say what was raised, and where in its author's file."""
    text = one_line(str(error))
    said = f"raised {type(error).__name__}: {text}" if text else f"raised {type(error).__name__}"
    frames = traceback.extract_tb(error.__traceback__)
    others = [frame for frame in frames if not _is_ours(frame.filename)]
    if isinstance(error, NotImplementedError) and not text and frames and _is_ours(frames[-1].filename):
        return f"it has no `{frames[-1].name}`, which every component of its kind must have"
    # What its author calls may raise deep inside of numpy: the place that helps is the author's own.
    own = [frame for frame in others if _package(frame.filename) == _package(others[0].filename)]
    return f"{said} ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else said


def importable(component: type[Any]) -> bool:
    """Say whether a class is found by the name of its module and its own."""
    try:
        found: Any = importlib.import_module(component.__module__)
    except ImportError:
        return False
    for part in component.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is component


def expect(holds: bool, text: str) -> None:
    """Fail with a text unless something holds.

    Raises:
        AssertionError: it does not.
    """
    if not holds:
        raise AssertionError(text)


def expect_reason(code: str, figures: str) -> None:
    """Expect a stable code and figures that fit a line."""
    expect(_CODE.fullmatch(code) is not None, f"a code has small letters, digits and _, was {code!r}")
    expect(bool(figures.strip()) and figures.isprintable(), f"figures are one line of text, was {figures!r}")


def one_line(text: str) -> str:
    """Return a text in one line."""
    return " ".join(text.split())


def _told(who: str, words: str, fault: str) -> str:
    return f"{who} {words}: {fault}"


def _is_ours(filename: str) -> bool:
    """Say whether a file is of the checks, of Python itself or of what draws examples."""
    return filename.startswith((_OURS, sys.base_prefix + "/lib", "<")) or "/hypothesis/" in filename


def _package(filename: str) -> Path:
    """Return what a file is a part of: the installed package, else the folder that it lies in."""
    path = Path(filename)
    for place in ("site-packages", "dist-packages"):
        if place in path.parts:
            return Path(*path.parts[: path.parts.index(place) + 2])
    return path.parent

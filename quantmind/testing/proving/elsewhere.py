"""Elsewhere: the same component in processes of its own, where the hashes of texts are others."""

from __future__ import annotations

import base64
import importlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from quantmind.events import Market
from quantmind.testing.proving.promise import LeftOut, importable

_CHILD = "from quantmind.testing.proving.elsewhere import child; child()"
_SEEDS = ("1", "2", "3")
"""A set of two texts comes in either order: so many processes hit on both."""
_PATIENCE = 60.0


def ways(kind: type[Any], role: str, made_with: Sequence[Any], given: Any) -> Iterator[list[str]]:
    """Yield what a component says in other processes.

    Raises:
        LeftOut: it cannot be made there.
    """
    if not importable(kind):
        raise LeftOut(f"it cannot be made in another process: {kind.__qualname__} is not found by its module's name")
    try:
        what = (kind.__module__, kind.__qualname__, role, tuple(made_with), given)
        sent = base64.b64encode(pickle.dumps(what))
    except Exception as error:
        raise LeftOut(f"its options cannot be sent to another process: {error}") from error
    path = os.pathsep.join(filter(None, sys.path))
    started = [
        subprocess.Popen(  # noqa: S603 - this Python, with our own lines
            [sys.executable, "-c", _CHILD],
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for seed in _SEEDS
    ]
    try:
        for process in started:
            output, errors = process.communicate(sent, _PATIENCE)
            if process.returncode:
                raise AssertionError(f"in another process it failed: {errors.decode().strip().splitlines()[-1]}")
            yield json.loads(output.splitlines()[-1])
    finally:
        for process in started:
            process.kill()
            process.communicate()


def child() -> None:
    """Make the component that the parent names, and write what it says."""
    module, name, role, made_with, given = pickle.loads(base64.b64decode(sys.stdin.buffer.read()))  # noqa: S301 - our parent's
    kind: Any = importlib.import_module(module)
    for part in name.split("."):
        kind = getattr(kind, part)
    component = kind(*made_with)
    said = _performed(component, given) if role == "strategy" else _decided(component, given)
    sys.stdout.write("\n" + json.dumps(said) + "\n")


def _performed(strategy: Any, market: Sequence[Market]) -> list[str]:
    from quantmind.testing.proving.performance import Performance

    return [str(said) for said in Performance(strategy, strategy.needs(strategy.options)).to(market)]


def _decided(allocator: Any, story: Any) -> list[str]:
    from quantmind.testing.allocator import answers

    return [repr(answer) for answer in answers(allocator, story)]

"""Another day: the clock on the wall and the random numbers as they are not, for what must not look at them."""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import sys
import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

_LATER = 47 * 86_400 + 11 * 3_600 + 1_234
"""In seconds: another day of the week, another hour."""

_CLOCKS = ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "localtime", "gmtime")


@contextlib.contextmanager
def another_day(kind: type[Any]) -> Iterator[None]:
    """Let the package of a class see other times, and draw other numbers from what is seeded by nobody."""
    real = {name: getattr(time, name) for name in _CLOCKS}
    false: dict[int, Any] = {id(function): _shifted(name, function) for name, function in real.items()}
    false[id(dt.datetime)] = _later_datetime()
    false[id(time.sleep)] = _no_sleep
    package = kind.__module__.partition(".")[0]
    with contextlib.ExitStack() as stack:
        for module in _modules(package):
            for name, value in list(vars(module).items()):
                if id(value) in false:
                    stack.enter_context(patch.object(module, name, false[id(value)]))
        for name, function in real.items():
            stack.enter_context(patch.object(time, name, false[id(function)]))
        stack.enter_context(patch.object(time, "sleep", _no_sleep))
        stack.enter_context(patch.object(dt, "datetime", false[id(dt.datetime)]))
        state = random.getstate()
        random.seed(0xDA7A)
        stack.callback(random.setstate, state)
        if (numpy := sys.modules.get("numpy")) is not None:
            drawn = numpy.random.get_state()
            numpy.random.seed(0xDA7A)
            stack.callback(numpy.random.set_state, drawn)
        yield


def _modules(package: str) -> list[Any]:
    return [module for name, module in sys.modules.items() if name == package or name.startswith(f"{package}.")]


def _shifted(name: str, function: Any) -> Any:
    if name in {"localtime", "gmtime"}:
        return lambda seconds=None: function(time.time() if seconds is None else seconds)
    later = _LATER * 1_000_000_000 if name.endswith("_ns") else _LATER
    return lambda: function() + later


def _no_sleep(seconds: float) -> None:
    raise AssertionError(f"it sleeps for {seconds} s, and the market waits: answer WakeAt to be called at a time")


class _AnyDatetime(type):
    """What was made before, or by others, is a datetime as well."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _DATETIME)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, _DATETIME)


_DATETIME = dt.datetime


def _later_datetime() -> type[dt.datetime]:
    class Later(dt.datetime, metaclass=_AnyDatetime):
        """The time of another day."""

        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return super().now(tz) + dt.timedelta(seconds=_LATER)

        @classmethod
        def utcnow(cls) -> Any:
            return super().now(dt.UTC).replace(tzinfo=None) + dt.timedelta(seconds=_LATER)

        @classmethod
        def today(cls) -> Any:
            return cls.now()

    return Later

"""Drawing: hypothesis, imported when it is needed, and how the checks run on what it draws."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

_SECONDS = 5.0
"""Of the processor's time: then a slow component is tried on no more examples, and no smaller fault is looked for."""
_LEAST = 5
"""Examples that even a slow one is tried on."""


def hypothesis() -> Any:
    """Return hypothesis's strategies, which draw the examples.

    Raises:
        ImportError: it is not installed.
    """
    try:
        import hypothesis.strategies as module
    except ImportError as error:
        raise ImportError("the conformance checks draw examples with hypothesis: pip install hypothesis") from error
    return module


class Examples:
    """Examples that several checks are run on: drawn once, the same ones in each run."""

    def __init__(self, strategy: Callable[[], Any], count: int) -> None:
        self._strategy = strategy
        """Makes the hypothesis strategy, when the first example is wanted."""
        self._count = count
        self._drawn: list[Any] | None = None

    def each(self, test: Callable[[Any], None]) -> None:
        """Run a test on every example, of a slow component on fewer; where it fails, look for the smallest that does.

        Raises:
            Exception: what the test raised.
        """
        if self._drawn is None:
            drawn: list[Any] = []
            _run(self._strategy(), drawn.append, self._count)
            self._drawn = drawn
        end = time.process_time() + _SECONDS
        for number, example in enumerate(self._drawn):
            if number >= _LEAST and time.process_time() > end:
                return
            try:
                test(example)
            except Exception:
                _run(self._strategy(), test, self._count, _SECONDS)
                # The second time it did not fail: just that is what some checks are after.
                raise


class _Enough(BaseException):
    """The time is over; hypothesis hands on what is no Exception."""


def _run(strategy: Any, test: Callable[[Any], None], count: int, seconds: float = math.inf) -> None:
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis.errors import Flaky

    quiet: Any = settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    failed: list[Exception] = []
    end = time.process_time() + seconds

    def tested(example: Any) -> None:
        if time.process_time() > end:
            raise _Enough
        try:
            test(example)
        except Exception as error:
            failed[:] = [error]
            raise

    drawn: Any = given(strategy)
    try:
        quiet(drawn(tested))()
    except _Enough:
        if failed:
            raise failed[0] from None
    except Flaky:
        raise failed[0] from None

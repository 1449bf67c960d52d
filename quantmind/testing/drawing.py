"""Drawing: hypothesis, imported when it is needed, and how the checks run on what it draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


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
        """Run a test on every example; where it fails, look for the smallest one that does.

        Raises:
            Exception: what the test raised.
        """
        if self._drawn is None:
            drawn: list[Any] = []
            _run(self._strategy(), drawn.append, self._count)
            self._drawn = drawn
        for example in self._drawn:
            try:
                test(example)
            except Exception:
                _run(self._strategy(), test, self._count)
                # The second time it did not fail: just that is what some checks are after.
                raise


def _run(strategy: Any, test: Callable[[Any], None], count: int) -> None:
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

    def tested(example: Any) -> None:
        try:
            test(example)
        except Exception as error:
            failed[:] = [error]
            raise

    drawn: Any = given(strategy)
    try:
        quiet(drawn(tested))()
    except Flaky:
        raise failed[0] from None

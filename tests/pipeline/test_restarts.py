"""Restarts: ever later, not for ever."""

from __future__ import annotations

import pytest

from quantmind.pipeline.restarts import FIRST, LONGEST, MOST, WINDOW, Restarts


def test_each_waits_twice_as_long_up_to_a_bound_and_then_there_is_no_more():
    restarts = Restarts()
    delays = [restarts.delay(float(n)) for n in range(MOST)]
    for count, delay in enumerate(delays):
        assert delay == pytest.approx(min(LONGEST, FIRST * 2**count), rel=0.1)
    assert restarts.delay(float(MOST)) is None


def test_who_ran_for_long_begins_anew():
    restarts = Restarts()
    for n in range(MOST):
        restarts.delay(float(n))
    assert restarts.delay(MOST + WINDOW + 1) == pytest.approx(FIRST, rel=0.1)

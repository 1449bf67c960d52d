import time
from types import SimpleNamespace

import pytest

from quantmind.doctor import clock as module
from quantmind.doctor.clock import clock, wall

SECOND = 1_000_000_000


@pytest.fixture
def kernel(monkeypatch, tmp_path):
    """Let the kernel say of the clock what a test wants."""

    def says(state, error=None, synchronized=False):
        monkeypatch.setattr(module, "_adjtimex", lambda: (state, error))
        marker = tmp_path / "synchronized"
        if synchronized:
            marker.touch()
        monkeypatch.setattr(module, "_SYNCHRONIZED", marker)
        return next(iter(clock()))

    return says


def test_this_machine_tells_something():
    assert {finding.state for finding in clock()} <= {"ok", "warning"}
    state, error = module._adjtimex()
    assert state is None or (0 <= state <= 5 and error >= 0)


@pytest.mark.parametrize(
    ("said", "state", "told"),
    [
        ((0, 12_345), "ok", "is kept right, within 12.3 ms"),
        ((0, 5_000_000), "warning", "is kept right, but may be off by 5.0 s"),
        ((5, 16_000_000), "warning", "nobody keeps it right: switch NTP on"),
        ((5, 16_000_000, True), "ok", "is kept right"),
        ((None, None), "warning", "whether it is kept right cannot be seen here"),
        ((None, None, True), "ok", "is kept right"),
    ],
)
def test_what_the_kernel_says_is_judged(kernel, said, state, told):
    finding = kernel(*said)
    assert (finding.state, finding.told.startswith(told)) == (state, True), finding


def test_a_clock_from_before_the_installation_is_wrong(monkeypatch):
    early = SimpleNamespace(**vars(time))
    early.time = lambda: 1_000_000.0
    monkeypatch.setattr(module, "time", early)
    assert [each.state for each in clock() if "1970-01-12" in each.words] == ["failed"]


def test_a_coarse_clock_is_told(monkeypatch):
    coarse = SimpleNamespace(**vars(time))
    coarse.get_clock_info = lambda _: SimpleNamespace(resolution=0.015)
    monkeypatch.setattr(module, "time", coarse)
    assert any("as coarse as 15.0 ms" in each.words for each in clock() if each.state == "warning")


@pytest.mark.parametrize(
    ("offset", "doubt", "state"),
    [
        (0, 0, None),
        (90_000_000, 0, None),
        (-90_000_000, 0, None),
        (150_000_000, 0, "warning"),
        (150_000_000, 60_000_000, None),
        (2 * SECOND, 0, "failed"),
        (-2 * SECOND, SECOND // 2, "failed"),
        (2 * SECOND, 2 * SECOND, None),
    ],
)
def test_the_distance_to_a_venue_is_judged(offset, doubt, state):
    finding = wall(offset, doubt)
    assert (finding and finding.state) == state
    if finding:
        assert (" behind it" in finding.words) == (offset > 0)

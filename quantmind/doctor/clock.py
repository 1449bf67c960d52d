"""The clock: whether it is synchronised, whether it can be right, and how fine it is."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from pathlib import Path

from quantmind.doctor.finding import Finding, failed, ok, warning

_SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")
_NTP = "switch NTP on (`timedatectl set-ntp true`, or run chrony)"
_UNSYNCHRONISED = 5
"""What `adjtimex` returns, TIME_ERROR of <sys/timex.h>, while nobody keeps the clock right."""
_COARSEST = 1e-3
"""A monotonic clock that is coarser cannot tell the latency of an order."""
_LARGEST = 1_000_000
"""An error in microseconds from which on venues refuse orders: Binance takes none of more than 1 s ahead."""


class _Timex(ctypes.Structure):
    """The beginning of `struct timex`, and room for the rest of it."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def clock() -> Iterator[Finding]:
    """Look at this machine's clocks; asks nobody."""
    yield _synchronised()
    made = Path(__file__).stat().st_mtime
    if (shown := time.time()) < made - 86_400:
        now = time.strftime("%Y-%m-%d", time.gmtime(shown))
        yield failed("clock", f"shows {now}, which was before this program was installed", _NTP)
    resolution = time.get_clock_info("monotonic").resolution
    if resolution > _COARSEST:
        yield warning("clock", f"the monotonic clock is as coarse as {resolution * 1e3:.1f} ms: latencies are guesses")
    else:
        yield ok("clock", f"the monotonic clock is as fine as {resolution * 1e9:.0f} ns")


def _synchronised() -> Finding:
    state, error = _adjtimex()
    if state == _UNSYNCHRONISED and not _SYNCHRONIZED.exists():
        return warning("clock", "nobody keeps it right", _NTP)
    if state is None and not _SYNCHRONIZED.exists():
        return warning("clock", "whether it is kept right cannot be seen here", "see `timedatectl`")
    if state != _UNSYNCHRONISED and error is not None and error > _LARGEST:
        return warning("clock", f"is kept right, but may be off by {error / 1e6:.1f} s", "see `chronyc tracking`")
    within = f", within {error / 1e3:.1f} ms" if error is not None and state != _UNSYNCHRONISED else ""
    return ok("clock", f"is kept right{within}")


def _adjtimex() -> tuple[int | None, int | None]:
    """Ask the kernel: its state, and the largest error (us); None where that cannot be."""
    timex = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (AttributeError, OSError):
        return None, None
    if state < 0:
        return (None, None) if ctypes.get_errno() else (state, None)
    return state, int(timex.maxerror)


def wall(offset: int, doubt: int) -> Finding | None:
    """Judge how far the clock of a server is ahead of this machine's (ns)."""
    off = max(abs(offset) - doubt, 0)
    side = "behind" if offset > 0 else "ahead of"
    words = f"this machine's clock is {abs(offset) / 1e9:.3f} s {side} it"
    if off > 1_000_000_000:
        return failed("clock", words, f"venues refuse orders that are off by a second; {_NTP}")
    if off > 100_000_000:
        return warning("clock", words, _NTP)
    return None

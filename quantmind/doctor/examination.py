"""The examination: every check side by side, and none waited for without end."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping

from quantmind.doctor.finding import Check, Finding, failed

PATIENCE = 5.0
"""Seconds that all checks have together."""


def examine(checks: Mapping[str, Check], patience: float) -> list[Finding]:
    """Run every check, and return what they found in the order of the checks.

    One that raises has failed, and one that gives no answer in time as well: what it found before that counts.
    """
    found: dict[str, list[Finding]] = {subject: [] for subject in checks}
    answers: queue.SimpleQueue[tuple[str, Finding | None]] = queue.SimpleQueue()
    for subject, check in checks.items():
        # Daemons: a file system that hangs must not keep the process from ending.
        threading.Thread(target=_run, args=(subject, check, answers), name=subject, daemon=True).start()
    waiting = set(checks)
    end = time.monotonic() + patience
    while waiting:
        try:
            subject, finding = answers.get(timeout=max(end - time.monotonic(), 0.0))
        except queue.Empty:
            break
        if finding is None:
            waiting.discard(subject)
        else:
            found[subject].append(finding)
    for subject in waiting:
        found[subject].append(failed(subject, f"gave no answer in {patience:g} s", "see what it hangs on"))
    return [finding for findings in found.values() for finding in findings]


def _run(subject: str, check: Check, answers: queue.SimpleQueue[tuple[str, Finding | None]]) -> None:
    try:
        for finding in check():
            answers.put((subject, finding))
    except BaseException as error:  # noqa: BLE001 - whatever is broken, the other checks go on
        text = " ".join(str(error).split())
        answers.put((subject, failed(subject, f"cannot be looked at: {type(error).__name__}: {text}".rstrip(": "))))
    answers.put((subject, None))

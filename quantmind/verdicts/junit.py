"""Writes verdicts as JUnit XML, which the servers of continuous integration read."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from quantmind.files import replace
from quantmind.verdicts.collecting import Item
from quantmind.verdicts.verdict import Verdict

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no way to write."""


def write(path: Path, verdicts: Sequence[tuple[Item, Verdict]], began: datetime, duration: float) -> None:
    """Write a suite for each recipe, whole or not at all.

    Args:
        path: The file that is written, or replaced.
        verdicts: Each test that was run, and what came of it.
        began: When the first one began.
        duration: How long all took, in seconds.

    Raises:
        QuantMindError: it cannot be written.
    """
    root = ET.Element("testsuites", {"name": "quantmind test", **_counts(verdicts, duration)})
    for file in dict.fromkeys(item.file for item, _ in verdicts):
        own = [(item, verdict) for item, verdict in verdicts if item.file == file]
        took = math.fsum(verdict.duration for _, verdict in own)
        stamp = began.astimezone(UTC).isoformat(timespec="seconds")
        suite = ET.SubElement(root, "testsuite", {"name": file, **_counts(own, took), "timestamp": stamp})
        for item, verdict in own:
            _case(suite, item, verdict)
    ET.indent(root)
    replace({path: ET.tostring(root, "utf-8", xml_declaration=True) + b"\n"})


def _counts(verdicts: Sequence[tuple[Item, Verdict]], took: float) -> dict[str, str]:
    outcomes = [verdict.outcome for _, verdict in verdicts]
    return {
        "tests": str(len(outcomes)),
        "failures": str(outcomes.count("failed")),
        "errors": str(outcomes.count("error")),
        "skipped": "0",
        "time": f"{took:.3f}",
    }


def _case(suite: ET.Element, item: Item, verdict: Verdict) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": item.file,
            "name": _plain(item.test.name),
            "file": item.file,
            "line": str(item.line),
            "time": f"{verdict.duration:.3f}",
        },
    )
    if verdict.error:
        ET.SubElement(case, "error", {"type": "error", "message": _plain(verdict.error)}).text = _plain(verdict.error)
    elif verdict.differences:
        failure = ET.SubElement(case, "failure", {"type": "difference", "message": _plain(verdict.told)})
        lines = [f"{item.mark(each.path)}: {each}" for each in verdict.differences]
        failure.text = _plain("\n".join(lines))


def _plain(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)

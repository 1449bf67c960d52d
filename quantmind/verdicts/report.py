"""Tells of tests as they are run: progress, what failed and how, and a summary."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import click

from quantmind.verdicts.collecting import Item
from quantmind.verdicts.verdict import Outcome, Verdict

Loudness = Literal["quiet", "normal", "verbose"]

_SIGNS: dict[Outcome, str] = {"passed": ".", "failed": "F", "error": "E"}
_WORDS: dict[Outcome, str] = {"passed": "PASSED", "failed": "FAILED", "error": "ERROR"}
_COLOURS: dict[Outcome, str] = {"passed": "green", "failed": "red", "error": "red"}
_PERCENT = len(" [100%]")


class Report:
    """Writes what pytest would, for people; `print` is given text that ends no line by itself."""

    def __init__(
        self,
        print: Callable[[str], Any],
        total: int,
        *,
        width: int,
        colours: bool,
        loudness: Loudness = "normal",
        traces: bool = False,
    ) -> None:
        self._print = print
        self._total = total
        self._width = width
        self._colours = colours
        self._loudness = loudness
        self._traces = traces
        self._done = 0
        self._file = ""
        self._column = 0

    def begin(self, item: Item) -> None:
        """Say which test begins."""
        if self._loudness == "verbose":
            self._write(f"{item.file}:{item.line}: {item.test.name} ")
        elif self._loudness == "normal" and item.file != self._file:
            self._end_line()
            self._file = item.file
            self._write(f"{item.file} ")

    def end(self, verdict: Verdict) -> None:
        """Say what came of it."""
        self._done += 1
        if self._loudness == "quiet":
            return
        verbose = self._loudness == "verbose"
        outcome = verdict.outcome
        if not verbose and self._column >= self._width - _PERCENT:
            self._end_line()
        self._write((_WORDS if verbose else _SIGNS)[outcome], _COLOURS[outcome])
        if verbose or self._done == self._total:
            self._end_line()

    def close(self, verdicts: Sequence[tuple[Item, Verdict]], duration: float, *, interrupted: bool = False) -> None:
        """Tell of each test that failed, and sum up."""
        self._end_line()
        failed = [(item, verdict) for item, verdict in verdicts if verdict.outcome != "passed"]
        if failed:
            self._rule("FAILURES", "=")
            for item, verdict in failed:
                self._rule(item.test.name, "_", "red")
                for line in _lines(item, verdict, traces=self._traces):
                    self._print(f"{line}\n")
            self._rule("summary", "=")
            for item, verdict in failed:
                word = self._coloured(_WORDS[verdict.outcome], "red")
                self._print(f"{word} {item.file}:{item.line}: {item.test.name}\n")
        if interrupted:
            self._print(f"interrupted: {self._total - len(verdicts)} of {self._total} tests were not run to the end\n")
        elif len(verdicts) < self._total:
            self._print(f"stopped after {_several(len(failed), 'failure')}: {self._total - len(verdicts)} not run\n")
        counted = Counter(verdict.outcome for _, verdict in verdicts)
        outcomes: tuple[Outcome, ...] = ("failed", "passed", "error")
        parts = [f"{counted[outcome]} {outcome}" for outcome in outcomes if counted[outcome]]
        if counted["error"]:
            parts[-1] = _several(counted["error"], "error")
        self._print(
            self._coloured(f"{', '.join(parts) or 'nothing'} in {duration:.2f}s", "red" if failed else "green") + "\n"
        )

    def _write(self, text: str, colour: str = "") -> None:
        self._column += len(text)
        self._print(self._coloured(text, colour) if colour else text)

    def _end_line(self) -> None:
        if self._column:
            percent = f"[{100 * self._done // self._total:3d}%]"
            gap = max(self._width - len(percent) - self._column, 1) if self._loudness == "normal" else 1
            self._print(f"{' ' * gap}{self._coloured(percent, 'cyan')}\n")
            self._column = 0

    def _rule(self, words: str, sign: str, colour: str = "") -> None:
        text = f" {words} ".center(self._width, sign)
        self._print((self._coloured(text, colour) if colour else text) + "\n")

    def _coloured(self, text: str, colour: str) -> str:
        return click.style(text, fg=colour) if self._colours else text


def _several(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _lines(item: Item, verdict: Verdict, *, traces: bool) -> Iterator[str]:
    """Say where a test is, and for each thing what was expected and what came."""
    yield f"{item.mark('')}"
    if verdict.error:
        yield f"  {verdict.error}"
        if traces and verdict.cause is not None:
            for line in traceback.format_exception(verdict.cause):
                yield from line.rstrip("\n").splitlines()
        return
    for difference in verdict.differences:
        yield f"  {difference.path}  ({item.mark(difference.path)})"
        yield f"    expected  {difference.expected}"
        for number, came in enumerate(difference.came):
            again = "and" if difference.unwanted else "or"
            yield f"    {again.rjust(8) if number else 'came    '}  {came}"
        if difference.count > len(difference.came):
            yield f"              {difference.count - len(difference.came)} more"
    if verdict.refusals:
        yield f"  refused: {', '.join(f'{code} {count}' for code, count in verdict.refusals.items())}"

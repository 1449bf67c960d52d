"""The plan of a backtest: which data, which executor, and the recipe as it is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from quantmind.backtest.feed import RecordedFeed, RecordedFeedOptions
from quantmind.backtest.library import Content, Library, listed
from quantmind.data.recorded import Recorded
from quantmind.data.rows import span
from quantmind.errors import UsageError
from quantmind.kinds.moment import format_moment
from quantmind.kinds.options import format_duration
from quantmind.recipe.model import Recipe, Spec
from quantmind.recipe.problems import RecipeProblems
from quantmind.recipe.wiring import wire

_DAY = 86_400_000_000_000


class Plan(msgspec.Struct, frozen=True):
    """A recipe whose feed and executor are replaced, and what the user should know of the data."""

    recipe: Recipe
    recorded: Recorded
    begins: int
    """The open time of the first bar, ns UTC."""
    ends: int
    """The end of the last bar, ns UTC."""
    notes: tuple[str, ...]

    @classmethod
    def make(
        cls,
        recipe: Recipe,
        library: Library,
        executor: Spec,
        *,
        interval: int | None = None,
        start: int | None = None,
        end: int | None = None,
        sinks: bool = False,
    ) -> Plan:
        """Replace feed, transport and executor, and the sinks unless they are kept.

        The bars are the shortest that every instrument has and everything can be built from.

        Raises:
            UsageError: the data do not have what is asked for.
            RecipeProblems: a component needs what no data give.
        """
        symbols = [instrument.symbol for instrument in recipe.instruments]
        found = library.common(symbols)
        if interval is not None and interval not in found:
            raise UsageError(
                f"there are no bars of {format_duration(interval)} of every instrument; --interval may be "
                f"{listed(found)}"
            )
        problems: RecipeProblems | None = None
        for candidate in found if interval is None else [interval]:
            recorded = _recorded(library, symbols, candidate, start, end)
            replaced = _replaced(recipe, recorded, executor, sinks)
            try:
                wire(replaced)
            except RecipeProblems as error:
                problems = problems or error
                continue
            spans = _covered(recorded)
            begins = max(min(first for first, _ in spans.values()), start or 0)
            ends = max(last for _, last in spans.values())
            ends = ends if end is None else min(ends, end)
            return cls(replaced, recorded, begins, ends, tuple(_notes(recorded, spans, begins, ends)))
        raise problems or UsageError("there are no data")


def _recorded(library: Library, symbols: Sequence[str], interval: int, start: int | None, end: int | None) -> Recorded:
    funding: dict[str, Sequence[Path]] = {}
    marks: dict[str, Sequence[Path]] = {}
    kinds: list[tuple[Content, dict[str, Sequence[Path]]]] = [("funding", funding), ("marks", marks)]
    for symbol in symbols:
        for content, files in kinds:
            if there := library.intervals(symbol, content):
                files[symbol] = library.pick(symbol, content, there[0])
    bars = {symbol: library.pick(symbol, "bars", interval) for symbol in symbols}
    return Recorded(bars, interval, funding, marks, start, end)


def _replaced(recipe: Recipe, recorded: Recorded, executor: Spec, sinks: bool) -> Recipe:
    feed = Spec(RecordedFeed, RecordedFeedOptions(recorded=recorded), RecordedFeed.name, "--data")
    resolved = {
        **recipe.resolved,
        "feeds": [{RecordedFeed.name: msgspec.to_builtins(recorded, enc_hook=str)}],
        "executor": {executor.component.name: executor.options.model_dump(mode="json")},
    }
    resolved.pop("transport", None)
    if not sinks:
        resolved.pop("sinks", None)
    return msgspec.structs.replace(
        recipe,
        feeds=(feed,),
        transport=None,
        executor=executor,
        sinks=recipe.sinks if sinks else (),
        resolved=resolved,
    )


def _covered(recorded: Recorded) -> dict[str, tuple[int, int]]:
    """Return the span of the bars of each symbol; a start and an end that are asked for must lie in all of them."""
    spans = {}
    start, end = recorded.start, recorded.end
    for symbol, paths in recorded.files.items():
        first, last = span(paths)
        last += recorded.interval
        bars = f"the bars of {format_duration(recorded.interval)} of {symbol}"
        if start is not None and start < first:
            raise UsageError(
                f"{bars} begin {format_moment(first)}, after --start {format_moment(start)}: start later, or give "
                "more data"
            )
        if end is not None and end > last:
            raise UsageError(
                f"{bars} end {format_moment(last)}, before --end {format_moment(end)}: end sooner, or give more data"
            )
        if start is not None and start >= last:
            raise UsageError(f"{bars} end {format_moment(last)}, before --start {format_moment(start)}")
        if end is not None and end <= first:
            raise UsageError(f"{bars} begin {format_moment(first)}, after --end {format_moment(end)}")
        spans[symbol] = (first, last)
    return spans


def _notes(recorded: Recorded, spans: Mapping[str, tuple[int, int]], begins: int, ends: int) -> list[str]:
    """Say what the data lack that changes the result."""
    notes = []
    for symbol, (first, last) in spans.items():
        if first > begins or last < ends:
            notes.append(f"the bars of {symbol} are of {format_moment(first)} to {format_moment(last)} only")
        if symbol not in recorded.funding:
            notes.append(f"no funding rates of {symbol} were found: its positions pay and receive none")
            continue
        settled, until = span(recorded.funding[symbol])
        if settled > max(first, begins) + _DAY or until < min(last, ends) - _DAY:
            notes.append(
                f"the funding rates of {symbol} are of {format_moment(settled)} to {format_moment(until)} only: "
                "outside of it its positions pay and receive none"
            )
    return notes

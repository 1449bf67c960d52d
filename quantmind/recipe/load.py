"""Loading a recipe: parse, interpolate, validate; every problem at once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from pydantic import Field

from quantmind.kinds import Duration, Options
from quantmind.plugins import Plugins
from quantmind.project import Project
from quantmind.recipe.components import (
    Section,
    leaves,
    masked,
    read_component,
    read_list,
    secrets,
)
from quantmind.recipe.document import Document, read_document
from quantmind.recipe.entry import Entry, read_entry
from quantmind.recipe.faults import SLUG, SLUG_WORDS, shown, suggestion, validate
from quantmind.recipe.findings import EnoughError, Findings
from quantmind.recipe.instruments import read_instruments
from quantmind.recipe.interpolate import Discretion, Interpolation
from quantmind.recipe.live import check_live
from quantmind.recipe.model import MAX_AGE, NO_TRADE_BAND, Origins, Recipe, Spec
from quantmind.recipe.problems import Mark, RecipeProblems, Severity, join
from quantmind.recipe.reading import Reading
from quantmind.recipe.references import References
from quantmind.recipe.sections import is_inproc, is_read, section

REQUIRED = {
    "name": "write name: and a short name for the runs of this recipe",
    "instruments": "write instruments: [BTC/USDT:USDT]",
    "feeds": "write feeds: and where market data come from",
    "strategies": "write strategies: and who decides",
    "allocator": "write allocator: equal_weight",
    "risk": "write risk: {sizing: [...]}; without sizing there is no budget",
    "executor": "write executor: and who fills the orders",
}
KEYS = (
    "name",
    "instruments",
    "feeds",
    "transport",
    "strategies",
    "allocator",
    "risk",
    "entry",
    "executor",
    "sinks",
    "tests",
)
_LISTS = {
    "feeds": ("feed", 1),
    "strategies": ("strategy", 1),
    "risk.sizing": ("sizing", 1),
    "risk.protection": ("protection", 0),
    "risk.limits": ("limit", 0),
    "sinks": ("sink", 0),
}
"""The sections that are lists: the kind of their components, and how many there must be at least."""


class Risk(Options):
    """The `risk` section; its components are read one by one."""

    sizing: Any = Field(description="Sizing rules: the smallest budget counts.")
    protection: Any = Field(default=(), description="Protection rules: when to leave a position.")
    limits: Any = Field(default=(), description="Limits on what increases a position.")
    no_trade_band: Decimal = Field(
        default=NO_TRADE_BAND, ge=0, lt=1, description="Changes below this part of the budget are not traded."
    )
    max_age: Duration = Field(
        default=MAX_AGE,
        gt=0,
        description="Live, nothing is increased while the last word of the strategy or the feed stage is older.",
    )


def load(
    source: Path | dict[str, Any],
    plugins: Plugins,
    project: Project,
    environ: Mapping[str, str],
    replaced: Collection[str] = (),
    stage: str | None = None,
    *,
    tested: bool = False,
) -> Recipe:
    """Load a recipe from a file, or from plain data.

    In the sections that are `replaced` before it is run, variables need not be set. For a `stage`, and for who
    observes one, only files and credentials of its own sections are opened, and only their variables must be set. If
    it is to be `tested`, what its tests give must be enough for its components.

    Raises:
        RecipeProblems: it cannot be run; every reason.
    """
    folder = Path.cwd() / (source.parent if isinstance(source, Path) else Path())
    reading = read(
        source,
        plugins,
        project,
        environ,
        unset="warning" if replaced else "error",
        references=References(folder, environ),
        read_here=(lambda path: is_read(path, stage, replaced)) if stage or replaced else None,
        tested=tested,
    )
    problems = [
        problem
        if problem.severity == "warning" and section(problem.path) in replaced
        else msgspec.structs.replace(problem, severity="error")
        for problem in reading.problems
    ]
    if reading.recipe is None or any(problem.severity == "error" for problem in problems):
        raise RecipeProblems(problems)
    return reading.recipe


def read(
    source: Path | dict[str, Any],
    plugins: Plugins,
    project: Project,
    environ: Mapping[str, str],
    *,
    unset: Severity,
    references: References | None = None,
    read_here: Callable[[str], bool] | None = None,
    made: bool = True,
    tested: bool = False,
) -> Reading:
    """Read as much of a recipe as can be read; variables that are not set are noted as `unset` says.

    Files and credentials are opened through `references`, in the sections that are read. Unless it is to be `made`,
    what was read is not put together. Only of one that is `tested` is it looked at whether its tests can be run.
    """
    document = Document("", source) if isinstance(source, dict) else read_document(source)
    texts, inherited = (Interpolation(environ, references, read_here) for _ in range(2))
    data = texts.resolve(document.data)
    limits = inherited.resolve(list(project.limits), "limits")
    findings, above = Findings(document, texts), Findings(project.document, inherited)
    reading = Reading(document=document, project=project.document, texts=texts, inherited=inherited)
    rest = None
    # Whoever has found very many faults looks for no more.
    with contextlib.suppress(EnoughError):
        findings.interpolated(unset)
        if isinstance(data, dict):
            data = _given(data)
            with contextlib.suppress(EnoughError):
                above.interpolated(unset)
                reading.sections["limits"] = read_list(limits, "limit", "limits", plugins, above)
            rest = _read(data, reading, plugins, findings, tested=tested)
            _exposed(reading.sections, findings, above)
            check_live(reading.sections, findings)
            if told := findings.shut_out or above.shut_out:
                above.error("plugins.allow", told)
        elif not document.problems:
            found = "is empty" if data is None else f"must be a mapping, was {shown(data)}"
            findings.error("", f"{found}: a recipe begins with name:")
    reading.problems = [*findings.problems, *above.problems]
    wrong = any(problem.severity == "error" for problem in reading.problems)
    if made and rest and not wrong and all(section.sound for section in reading.sections.values()):
        origins = Origins(
            marks={**_below("limits", project.document.marks), **document.marks},
            environment={**inherited.names, **texts.names},
            discreet=Discretion(texts, inherited),
        )
        file = None if isinstance(source, dict) else Path.cwd() / source
        written = {**_given(document.data), "limits": list(project.limits)}
        written.pop("tests", None)
        secret = texts.secret | inherited.secret
        reading.recipe = _recipe(
            reading, file, rest, {**data, "limits": limits}, origins, secret=secret, written=written
        )
    return reading


def _read(
    data: dict[str, Any], reading: Reading, plugins: Plugins, findings: Findings, *, tested: bool
) -> tuple[Risk, Entry] | None:
    """Read the sections of a recipe; returns what is no component, if it could be read."""
    for key in data:
        if key not in KEYS:
            findings.error(key, suggestion(key, KEYS), key=True)
    for key, advice in REQUIRED.items():
        if key not in data:
            findings.error(key, f"is missing: {advice}")
    reading.name = _name(data, findings)
    if "instruments" in data:
        reading.instruments = read_instruments(data["instruments"], findings)
    risk = validate(Risk, data["risk"], "risk", findings) if "risk" in data else None
    _sections(data, reading.sections, plugins, findings)
    _unique(reading.sections["strategies"], findings)
    entry = read_entry(data.get("entry", "market"), findings)
    if "tests" in data and reading.instruments:
        _tests(data["tests"], reading, plugins, findings, tested=tested)
    return (risk, entry) if risk and entry else None


def _tests(raw: Any, reading: Reading, plugins: Plugins, findings: Findings, *, tested: bool) -> None:
    """Read the tests; most recipes are run without a look at theirs, and the models of these take time to make."""
    from quantmind.recipe.tests import read_tests

    check = None
    if tested:
        from quantmind.recipe.trial import Trial

        check = Trial(reading, plugins, findings).check
    symbols = [instrument.symbol for instrument in reading.instruments or ()]
    ids = [spec.id for spec in reading.sections["strategies"].specs] if reading.sound("strategies") else None
    reading.tests = read_tests(raw, symbols, findings, ids, check)


def _sections(data: dict[str, Any], sections: dict[str, Section], plugins: Plugins, findings: Findings) -> None:
    """Read every section of components."""
    risk = data.get("risk")
    raw = {
        **data,
        **({join("risk", key): value for key, value in risk.items()} if isinstance(risk, dict) else {}),
    }
    for path, (kind, least) in _LISTS.items():
        if path in raw:
            sections[path] = read_list(raw[path], kind, path, plugins, findings, least=least)
        else:
            sections[path] = Section((), sound=least == 0)
    for kind in ("transport", "allocator", "executor"):
        if kind == "transport" and is_inproc(raw.get(kind)):
            sections[kind] = Section((), sound=True)
        else:
            spec = read_component(raw[kind], kind, kind, plugins, findings) if kind in raw else None
            sections[kind] = Section((spec,) if spec else (), sound=spec is not None)


def _exposed(sections: Mapping[str, Section], findings: Findings, inherited: Findings) -> None:
    """Note the secrets that come from files which others can get at."""
    for name, several in sections.items():
        for path in (at for spec in several.specs for at, _ in secrets(spec.options, spec.path)):
            (inherited if name == "limits" else findings).exposed(path)


def _recipe(
    reading: Reading,
    file: Path | None,
    rest: tuple[Risk, Entry],
    data: dict[str, Any],
    origins: Origins,
    *,
    secret: set[str],
    written: dict[str, Any],
) -> Recipe | None:
    """Put together what was read, if it is all there; `data` has the inherited limits as `limits`."""
    allocator, executor = reading.one("allocator"), reading.one("executor")
    if reading.name is None or reading.instruments is None or allocator is None or executor is None:
        return None
    risk, entry = rest
    specs = {path: section.specs for path, section in reading.sections.items()}
    hidden = {at for several in specs.values() for spec in several for at, _ in secrets(spec.options, spec.path)}
    plain = masked(data, hidden | secret)
    values = leaves(plain)
    inherited = plain.pop("limits")
    plain.pop("tests", None)
    limits = [*inherited, *plain["risk"].get("limits", ())]
    return Recipe(
        name=reading.name,
        file=file,
        instruments=reading.instruments,
        feeds=specs["feeds"],
        transport=reading.one("transport"),
        strategies=specs["strategies"],
        allocator=allocator,
        sizing=specs["risk.sizing"],
        protection=specs["risk.protection"],
        limits=specs["limits"] + specs["risk.limits"],
        no_trade_band=risk.no_trade_band,
        max_age=risk.max_age,
        entry=entry,
        executor=executor,
        sinks=specs["sinks"],
        tests=reading.tests,
        written=written,
        resolved={**plain, "risk": {**plain["risk"], "limits": limits}},
        origins=msgspec.structs.replace(origins, values=values),
    )


def _given(data: dict[str, Any]) -> dict[str, Any]:
    """Leave out sections with nothing in them: all their lines may be comments."""
    given = {key: value for key, value in data.items() if value is not None}
    if isinstance(risk := given.get("risk"), dict):
        given["risk"] = {key: value for key, value in risk.items() if value is not None}
    return given


def _name(data: dict[str, Any], findings: Findings) -> str | None:
    name = data.get("name")
    if isinstance(name, str) and SLUG.fullmatch(name):
        return name
    if "name" in data:
        findings.error("name", f"{SLUG_WORDS}, was {shown(findings.written('name', name))}")
    return None


def _below(section: str, marks: Mapping[str, Mark]) -> dict[str, Mark]:
    return {path: mark for path, mark in marks.items() if path.startswith(section)}


def _unique(strategies: Section, findings: Findings) -> None:
    seen: dict[str, Spec] = {}
    for spec in strategies.specs:
        first = seen.setdefault(spec.id, spec)
        if first is not spec:
            findings.error(
                spec.path,
                f"has the same id as {first.path}, {spec.id}: write an id: of its own beside it",
                key=True,
            )

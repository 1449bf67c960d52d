"""The package that brings a component: what can be seen of it once it is installed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from urllib.parse import unquote, urlsplit

from quantmind.entries import GROUP, OWN
from quantmind.errors import QuantMindError
from quantmind.plugins import normalised
from quantmind.reference.marked import Part, parts, stale
from quantmind.scaffold.finding import Finding, Subject


def findings(subject: Subject, described: str) -> Iterator[Finding]:
    """Say what a package lacks; `described` is what the generated part of its README must hold."""
    wanted = normalised(subject.distribution)
    found = next((each for each in distributions() if normalised(each.metadata["Name"] or "") == wanted), None)
    if found is None:
        return
    if subject.kind != "command":
        yield _named(subject, found)
    yield _versioned(found)
    yield _summed_up(found)
    yield _dependent(found)
    yield _documented(subject, found, described)
    yield _tested(subject, found)


def _named(subject: Subject, found: Distribution) -> Finding:
    words = "has an entry point called like the component"
    names = [point.name for point in found.entry_points if point.group == GROUP]
    if subject.name in names:
        return Finding("package", words, "ok")
    told = (
        f"they are called {', '.join(names)}, so every plugin is imported before it is found: write "
        f'{subject.name} = "{subject.module}" below [project.entry-points.{GROUP}] of pyproject.toml'
    )
    return Finding("package", words, "failed", told)


def _versioned(found: Distribution) -> Finding:
    words = "has a version"
    if found.version.strip("0."):
        return Finding("package", words, "ok")
    return Finding("package", words, "failed", f"it is {found.version}: write version in pyproject.toml")


def _summed_up(found: Distribution) -> Finding:
    words = "has a description"
    if (found.metadata["Summary"] or "UNKNOWN") != "UNKNOWN":
        return Finding("package", words, "ok")
    return Finding("package", words, "advice", "write description in pyproject.toml: lists of packages show it")


def _dependent(found: Distribution) -> Finding:
    words = "asks for quantmind"
    names = {normalised(re.split(r"[^\w.-]", line.strip(), maxsplit=1)[0]) for line in found.requires or ()}
    if normalised(found.metadata["Name"]) == OWN or OWN in names:
        return Finding("package", words, "ok")
    told = 'installed alone it cannot work: write dependencies = ["quantmind>=0.1"] in pyproject.toml'
    return Finding("package", words, "failed", told)


def _documented(subject: Subject, found: Distribution, described: str) -> Finding:
    words = "has a README that describes it as it is"
    marker = ("component", subject.kind, subject.name)
    name, text = _readme(subject, found)
    try:
        made: dict[Part, str] = {part: described for part in parts(text, name) if part.words == marker}
    except QuantMindError as error:
        return Finding("package", words, "failed", str(error).partition("\n")[0])
    if not made:
        lines = f"<!-- quantmind: {' '.join(marker)} --> and <!-- quantmind: end -->"
        told = f"write the lines {lines} into {name}, and run `quantmind plugins readme {name}`"
        return Finding("package", words, "advice", told)
    if stale(text, made):
        return Finding("package", words, "failed", f"{name} is stale: run `quantmind plugins readme {name}`")
    return Finding("package", words, "ok")


def _tested(subject: Subject, found: Distribution) -> Finding:
    words = "has tests"
    folder = _source(found)
    if folder is None:
        return Finding(
            "package", words, "left out", "tests are no part of what is installed; with `pip install -e` they are seen"
        )
    if any(folder.glob("test_*.py")) or any(folder.glob("test*/**/test_*.py")):
        return Finding("package", words, "ok")
    told = f"write test_{subject.module}.py; quantmind.testing has check_{subject.kind} for it"
    return Finding("package", words, "advice", told)


def _readme(subject: Subject, found: Distribution) -> tuple[str, str]:
    """Return the README: of the module's folder, else of the package's source, else as the index shows it."""
    places = [Path(str(found.locate_file(subject.module.replace(".", "/"))), "README.md")]
    if (folder := _source(found)) is not None:
        places += [folder / "plugins" / subject.module.partition(".")[0] / "README.md", folder / "README.md"]
    for place in places:
        if place.is_file():
            return _shown(place), place.read_text("utf-8", errors="replace")
    return "README.md", str(found.metadata.get_payload() or found.metadata["Description"] or "")  # type: ignore[attr-defined] # of email.message


def _shown(place: Path) -> str:
    """Write a path as one would from here."""
    here = Path.cwd()
    return str(place.relative_to(here) if place.is_relative_to(here) else place)


def _source(found: Distribution) -> Path | None:
    """Return the folder that an editable install was made from; None for another one."""
    try:
        address = json.loads(found.read_text("direct_url.json") or "{}")
    except ValueError:
        return None
    url = urlsplit(str(address.get("url", "")))
    if url.scheme != "file" or not address.get("dir_info", {}).get("editable"):
        return None
    return Path(unquote(url.path))

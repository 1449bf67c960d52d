"""The project: what the nearest quantmind.yaml says for every recipe below it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, Field

from quantmind.errors import UsageError
from quantmind.kinds import Options
from quantmind.recipe.document import Document, read_document
from quantmind.recipe.faults import shown, validate
from quantmind.recipe.findings import EnoughError, Findings
from quantmind.recipe.interpolate import Interpolation
from quantmind.recipe.problems import RecipeProblems

FILE = "quantmind.yaml"
MOST = 500
"""Values in it at the most."""

Level = Literal["debug", "info", "warning", "error"]


def _plain(value: str) -> str:
    if "${" in value:
        raise ValueError("variables are put into limits only: write the path, or set QUANTMIND_STATE")
    if not value.isprintable():
        raise ValueError("must be a path on one line, without control characters")
    try:
        Path(value).expanduser()
    except RuntimeError:
        raise ValueError("there is no such home folder: write the whole path") from None
    return value


Folder = Annotated[str, Field(min_length=1), AfterValidator(_plain)]


class LoggingOptions(Options):
    """The `logging` section."""

    level: Level = Field(default="info", description="The least severe log lines that are written.")


class PluginOptions(Options):
    """The `plugins` section."""

    allow: tuple[str, ...] | None = Field(
        default=None, description="Distributions or modules that may be loaded; left out, all may."
    )


class ProjectOptions(Options):
    """The keys of quantmind.yaml."""

    logging: LoggingOptions = Field(default=LoggingOptions(), description="What is logged.")
    state: Folder | None = Field(default=None, description="The folder of runs and accounts.")
    plugins: PluginOptions = Field(default=PluginOptions(), description="Which plugins may be loaded.")
    limits: list[Any] = Field(default=[], description="Limits that every recipe inherits.")


class Project(msgspec.Struct, frozen=True):
    """Defaults of all recipes of a folder."""

    state: Path
    """The folder of runs and accounts."""
    file: Path | None = None
    level: Level = "info"
    allow: tuple[str, ...] | None = None
    limits: tuple[Any, ...] = ()
    """Limits as they are written; their places are in `document`."""
    document: Document = Document("", None)

    @classmethod
    def find(cls, folder: Path, environ: Mapping[str, str]) -> Project:
        """Read the nearest quantmind.yaml in a folder or above it; none is fine.

        Raises:
            RecipeProblems: it cannot be used; every reason.
        """
        start = Path.cwd() / folder
        for place in (start, *start.parents):
            # A folder, a pipe or a link that leads nowhere is no reason to do without the limits.
            if os.path.lexists(place / FILE):
                return cls.read(place / FILE, environ)
        return cls(_default_state(environ))

    @classmethod
    def read(cls, file: Path, environ: Mapping[str, str]) -> Project:
        """Read a quantmind.yaml; an empty one changes nothing.

        Raises:
            RecipeProblems: it cannot be used; every reason.
        """
        document = read_document(file, MOST)
        findings = Findings(document, Interpolation(environ))
        data = {} if document.data is None else document.data
        if isinstance(data, dict):
            # A section may have nothing but comments.
            data = {key: value for key, value in data.items() if value is not None}
        elif not document.problems:
            findings.error("", f"must be a mapping, such as state: runs, was {shown(data)}")
            raise RecipeProblems(findings.problems)
        options = None
        with contextlib.suppress(EnoughError):
            options = validate(ProjectOptions, data, "", findings)
        if options is None or findings.problems:
            raise RecipeProblems(findings.problems)
        return cls(
            state=_chosen_state(environ)
            or (file.parent / Path(options.state).expanduser() if options.state else _default_state(environ)),
            file=file,
            level=options.logging.level,
            allow=options.plugins.allow,
            limits=tuple(options.limits),
            document=document,
        )


def _chosen_state(environ: Mapping[str, str]) -> Path | None:
    """Follow QUANTMIND_STATE, which a unit sets: it goes before quantmind.yaml, as its process can write nowhere else.

    Raises:
        UsageError: it is no absolute path.
    """
    chosen = environ.get("QUANTMIND_STATE", "")
    if chosen and not Path(chosen).is_absolute():
        raise UsageError(f"QUANTMIND_STATE must be an absolute path, was {chosen}")
    return Path(chosen) if chosen else None


def _default_state(environ: Mapping[str, str]) -> Path:
    """Follow what was chosen, then systemd, then the XDG rules, then their default."""
    if chosen := _chosen_state(environ):
        return chosen
    if directory := environ.get("STATE_DIRECTORY", "").partition(":")[0]:
        return Path(directory)
    if Path(home := environ.get("XDG_STATE_HOME", "")).is_absolute():
        return Path(home) / "quantmind"
    return Path.home() / ".local" / "state" / "quantmind"

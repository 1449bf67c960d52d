"""`quantmind plugins readme`: the parts of Markdown files that are made from what plugins say of themselves."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quantmind.cli.calling.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from quantmind.cli.plugins.catalogue import Catalogue
    from quantmind.reference.marked import Part


@click.command(
    "readme",
    short_help="Write the generated parts of Markdown files.",
    epilog="\b\nExample: quantmind plugins readme README.md\nExample: quantmind plugins readme --check README.md",
)
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--check", is_flag=True, help="Change nothing; name each part that is stale, and end with 1 if one is.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, an object for each part.")
@click.pass_context
def command(ctx: click.Context, files: tuple[Path, ...], check: bool, as_json: bool) -> None:
    """Write the generated parts of each Markdown FILE, and leave the rest as it is.

    A part is what stands between the lines <!-- quantmind: component KIND NAME --> and <!-- quantmind: end -->: what
    `quantmind plugins show KIND NAME` tells. In place of `component KIND NAME` there may be `components DISTRIBUTION`
    or `commands DISTRIBUTION`, a table of what a distribution brings, or `hooks`, what a plugin may implement.
    Where one part cannot be made, no file is changed.
    """
    from quantmind.cli.plugins.catalogue import Catalogue
    from quantmind.project import Project
    from quantmind.reference.marked import stale

    session: Session = ctx.obj
    catalogue = Catalogue(session, session.plugins(Project.find(Path.cwd(), os.environ)))
    texts = {file: _read(file) for file in dict.fromkeys(files)}
    made = _made(texts, catalogue)
    changed = {file: stale(text, made[file]) for file, text in texts.items()}
    lines = {file: [part.line for part in several] for file, several in made.items()}
    if not check:
        lines = _write(texts, made, changed)
    was = "stale" if check else "written"
    rows = [
        {"file": str(file), "line": line, "part": " ".join(part.words), "state": was if gone else "current"}
        for file, several in made.items()
        for part, line in zip(several, lines[file], strict=True)
        for gone in [part in changed[file]]
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        for row in rows:
            if row["state"] != "current":
                click.echo("{file}:{line}: {part}: {state}".format(**row))
        for file, several in made.items():
            if not changed[file]:
                click.echo(f"{file}: current, {len(several)} generated {'part' if len(several) == 1 else 'parts'}")
    ctx.exit(1 if check and any(changed.values()) else 0)


def _read(file: Path) -> str:
    """Read a file with its ends of lines.

    Raises:
        QuantMindError: it cannot be read, or is no text.
    """
    from quantmind.errors import QuantMindError

    try:
        return file.read_bytes().decode()
    except OSError as error:
        raise QuantMindError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise QuantMindError(f"{file}: is not UTF-8: byte {error.start + 1}: save it as UTF-8") from error


def _made(texts: Mapping[Path, str], catalogue: Catalogue) -> dict[Path, dict[Part, str]]:
    """Make every part of every file.

    Raises:
        MarkedError: one of them cannot be made; every reason.
    """
    from quantmind.cli.plugins.readme_parts import FORMS
    from quantmind.cli.plugins.readme_parts import made as made_of
    from quantmind.errors import QuantMindError
    from quantmind.reference.marked import END, MarkedError, parts

    problems: list[str] = []
    done: dict[Path, dict[Part, str]] = {}
    for file, text in texts.items():
        done[file] = {}
        try:
            found = parts(text, str(file))
        except MarkedError as error:
            problems += error.lines
            continue
        if not found:
            form = f"`<!-- quantmind: {FORMS['component']} -->` and `<!-- quantmind: {END} -->`"
            problems.append(f"{file}: has no generated part: write {form} on lines of their own")
        for part in found:
            try:
                done[file][part] = made_of(part.words, catalogue)
            except QuantMindError as error:
                problems.append(f"{file}:{part.line}: {error}")
    if problems:
        raise MarkedError(problems)
    return done


def _write(
    texts: Mapping[Path, str], made: Mapping[Path, Mapping[Part, str]], changed: Mapping[Path, tuple[Part, ...]]
) -> dict[Path, list[int]]:
    """Write the files that change; returns the lines of all markers as they are then."""
    from quantmind.files import replace
    from quantmind.reference.marked import parts, rewritten

    whole = {file: rewritten(text, made[file]) for file, text in texts.items()}
    replace({file: text.encode() for file, text in whole.items() if changed[file]})
    return {file: [part.line for part in parts(text, str(file))] for file, text in whole.items()}

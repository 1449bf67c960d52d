"""`quantmind export`: the record of a run as JSON lines, Parquet or CSV."""

from __future__ import annotations

import contextlib
import enum
import os
from pathlib import Path

import click

from quantmind.cli.calling.session import Session
from quantmind.cli.completing import completers
from quantmind.errors import UsageError


class Format(enum.StrEnum):
    """What is written."""

    jsonl = enum.auto()
    parquet = enum.auto()
    csv = enum.auto()


class Documented(click.Command):
    """A command whose help lists the tables and their columns."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the tables, then the examples."""
        from quantmind.export.tables import TABLES

        for table in TABLES:
            with formatter.section(f"Table {table.name}, a row for each: {table.row}"):
                formatter.write_dl([(f"{column.name} ({column.kind})", column.meaning) for column in table.columns])
        super().format_epilog(ctx, formatter)


@click.command(
    cls=Documented,
    short_help="Write the record of a run.",
    epilog="Examples: quantmind export 20260101-120000-quickstart · "
    "quantmind export 20260101-120000-quickstart --format parquet --output quickstart",
)
@click.argument("run", shell_complete=completers.runs)
@click.option(
    "--format",
    "format_",
    type=click.Choice(Format),
    default=Format.jsonl,
    show_default=True,
    help="JSON lines to the standard output, or a folder with a file for each table.",
)
@click.option(
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The folder of the tables, a new one; default: the name of the run and the format.",
)
@click.pass_obj
def export(_: Session, run: str, format_: Format, output: Path | None) -> None:
    """Write what RUN decided and what came of it.

    RUN is the name that `quantmind run` printed, or the run's folder. As JSON lines it is sorted by position, and
    two runs that decided the same export the same bytes. As Parquet or CSV it is a file for each table below, in
    which every decimal is exact: it is text, without an exponent, as no number of a fixed scale holds them all.
    Empty text is null in Parquet.
    """
    from quantmind.export.lines import lines
    from quantmind.pipeline.folder import RunFolder
    from quantmind.project import Project

    if output is not None and format_ is Format.jsonl:
        raise UsageError("--output is the folder of tables: add --format parquet or csv, or redirect the lines")
    folder = RunFolder.find(Project.find(Path.cwd(), os.environ).state, run)
    with contextlib.closing(folder.journal()) as journal:
        if format_ is Format.jsonl:
            for line in lines(journal):
                click.echo(line)
            return
        from quantmind.export.files import write
        from quantmind.export.tables import TABLES

        target = output or Path(f"{folder.name}-{format_}")
        for path in write(journal, TABLES, target, parquet=format_ is Format.parquet):
            click.echo(path)

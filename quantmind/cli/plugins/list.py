"""`quantmind plugins list`: what plugins give, and what is wrong with them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
import msgspec

from quantmind.cli import VERBS
from quantmind.cli.calling import contributed
from quantmind.cli.calling.session import Session
from quantmind.project import Project


@click.command("list", epilog="Example: quantmind plugins list --json")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, an object for each row.")
@click.pass_obj
def command(session: Session, as_json: bool) -> None:
    """List every component by kind and name, commands, then the plugins that could not be loaded and why."""
    plugins = session.plugins(Project.find(Path.cwd(), os.environ))
    found = [*plugins.all(), *contributed.listed(plugins, tuple(VERBS))]
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(row) for row in found], indent=2))
        return
    rows = [
        (row.kind, row.name, f"{row.distribution} {row.version}".strip(), row.summary)
        for row in found
        if row.kind and not (row.kind == "command" and row.fault)
    ]
    headed = [("KIND", "NAME", "DISTRIBUTION", "SUMMARY"), *rows]
    widths = [max(len(row[column]) for row in headed) for column in range(3)]
    for row in headed:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[3]]).rstrip())
    for fault in (row for row in found if row.fault):
        who = f"{fault.distribution} {fault.version} ({fault.module})"
        click.echo(f"fault: {' '.join(part for part in (fault.kind, fault.name) if part)} of {who}: {fault.fault}")

"""`quantmind status`: how an account stands."""

from __future__ import annotations

import json

import click

from quantmind.cli.calling.session import Session
from quantmind.cli.operator_command import account_argument, home


@click.command(epilog="Examples: quantmind status · quantmind status paper-demo --json")
@account_argument
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def status(_: Session, account: str | None, as_json: bool) -> None:
    """Show positions, stops, orders, equity and latches of an account, running or stopped.

    ACCOUNT_OR_RUN is an account of the state folder, such as paper-demo, or a run, by its name or folder; a replay
    keeps its account in the run. Left out, it is the only one that is running, else the only account.
    """
    from quantmind.control.answers import plain
    from quantmind.control.client import status as status_of

    found = status_of(home(account))
    click.echo(json.dumps(plain(found)) if as_json else "\n".join(found.lines()))

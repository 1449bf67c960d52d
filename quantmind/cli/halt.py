"""`quantmind halt`: stops an account from trading."""

from __future__ import annotations

import click

from quantmind.cli.calling.session import Session
from quantmind.cli.operator_command import instruct, instruction_options


@click.command(epilog="Example: quantmind halt paper-demo --reason 'the news'")
@instruction_options
@click.pass_obj
def halt(_: Session, account: str | None, reason: str, as_json: bool) -> None:
    """Cancel the entries of an account and refuse new ones, until `quantmind resume`.

    What is held stays, with its stops; exits pass. It outlives restarts. A stopped account is halted on record.
    ACCOUNT_OR_RUN is an account or a run; left out, it is the only one that is running, else the only account.
    """
    instruct(account, "halt", reason, as_json=as_json)

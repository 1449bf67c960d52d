"""`quantmind reset`: clears the latches of limits."""

from __future__ import annotations

import click

from quantmind.cli.calling.session import Session
from quantmind.cli.operator_command import instruct, instruction_options


@click.command(epilog="Example: quantmind reset paper-demo --reason 'looked into it'")
@instruction_options
@click.option("--name", "latch", metavar="LATCH", default="", help="The latch to clear; left out, all of limits.")
@click.pass_obj
def reset(_: Session, account: str | None, reason: str, latch: str, as_json: bool) -> None:
    """Clear the latches by which limits have stopped an account, on the record.

    Those limits begin anew: the peak of a drawdown is the present equity, of a stopped account the equity at the
    first prices of its next start. ACCOUNT_OR_RUN is an account or a run; left out, it is the only one that is
    running, else the only account.
    """
    instruct(account, "reset", reason, as_json=as_json, latch=latch)

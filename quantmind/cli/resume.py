"""`quantmind resume`: lets an account trade on."""

from __future__ import annotations

import click

from quantmind.cli.calling.session import Session
from quantmind.cli.operator_command import instruct, instruction_options


@click.command(epilog="Example: quantmind resume paper-demo --reason 'the news are over'")
@instruction_options
@click.pass_obj
def resume(_: Session, account: str | None, reason: str, as_json: bool) -> None:
    """Let an account trade on that `quantmind halt` or `quantmind flatten` has stopped.

    What its strategies want now is ordered at once; of a stopped account, at the first prices of its next start.
    What a limit has stopped stays so until `quantmind reset`. ACCOUNT_OR_RUN is an account or a run; left out, it
    is the only one that is running, else the only account.
    """
    instruct(account, "resume", reason, as_json=as_json)

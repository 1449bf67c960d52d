"""`quantmind flatten`: closes every position of an account."""

from __future__ import annotations

import click

from quantmind.cli.calling.session import Session
from quantmind.cli.operator_command import instruct, instruction_options


@click.command(epilog="Example: quantmind flatten paper-demo --reason 'going home'")
@instruction_options
@click.pass_obj
def flatten(_: Session, account: str | None, reason: str, as_json: bool) -> None:
    """Cancel the entries of an account, close its positions at market, and refuse new ones until `quantmind resume`.

    It is answered when the orders are out, with what is held then; `quantmind status` shows when the account is flat.
    A stopped account is flattened when it starts next. ACCOUNT_OR_RUN is an account or a run; left out, it is the
    only one that is running, else the only account.
    """
    instruct(account, "flatten", reason, as_json=as_json)

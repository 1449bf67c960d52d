"""What the verbs that instruct an account have in common."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from quantmind.cli.completing import completers
from quantmind.errors import UsageError

if TYPE_CHECKING:
    from quantmind.control.answers import Action
    from quantmind.control.home import Home

F = TypeVar("F", bound=Callable[..., Any])


def account_argument(command: F) -> F:
    """Add the argument that names an account or a run."""
    return click.argument("account", metavar="[ACCOUNT_OR_RUN]", required=False, shell_complete=completers.accounts)(
        command
    )


def instruction_options(command: F) -> F:
    """Add what every instruction takes."""
    command = click.option("--json", "as_json", is_flag=True, help="Print what came of it as one JSON object.")(command)
    command = click.option("--reason", default="", metavar="TEXT", help="Why; it is kept on record.")(command)
    return account_argument(command)


def home(account: str | None) -> Home:
    """Find the account that is meant, in the state folder of the project here."""
    from quantmind.control.home import Home
    from quantmind.project import Project

    return Home.find(Project.find(Path.cwd(), os.environ).state, account)


def instruct(account: str | None, action: Action, reason: str, *, as_json: bool, latch: str = "") -> None:
    """Instruct an account, running or stopped, and print what came of it."""
    from quantmind.control.answers import LONGEST_REASON, plain
    from quantmind.control.client import instruct as instruct_account

    reason = " ".join(reason.split())
    if len(reason) > LONGEST_REASON:
        raise UsageError(f"--reason: must have at most {LONGEST_REASON} characters, had {len(reason)}")
    outcome = instruct_account(home(account), action, reason, latch)
    click.echo(json.dumps(plain(outcome)) if as_json else "\n".join(outcome.lines()))

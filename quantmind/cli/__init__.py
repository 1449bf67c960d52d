"""The command `quantmind`: finds its verbs by their file, and imports none before it is called."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
import traceback
from collections.abc import Sequence

import click

from quantmind.cli import contributed
from quantmind.cli.session import Session
from quantmind.errors import QuantMindError

VERBS = {
    "init": "Start a project in a folder.",
    "lint": "Check recipes without running them.",
    "show": "Print a recipe with every default and where each value comes from.",
    "graph": "Draw a recipe: stages, components and what flows between them.",
    "test": "Run the tests that recipes have.",
    "run": "Run a recipe in the foreground.",
    "risk": "Work out Kelly, stops, sizes, liquidation and ruin.",
    "backtest": "Run a recipe on recorded data.",
    "data": "Record, fetch, list, check and convert market data.",
    "top": "Show a running pipeline: stages, rates, gaps, positions, PnL.",
    "tap": "Print what the stages of a running pipeline say to each other.",
    "status": "Show how an account stands: positions, orders, stops, latches.",
    "halt": "Stop an account from trading; what it holds stays, with its stops.",
    "resume": "Let an account trade on that was halted or flattened.",
    "flatten": "Close every position of an account, and stop it from trading.",
    "reset": "Clear the latches of limits that stopped an account.",
    "export": "Write the record of a run: as JSON lines, Parquet or CSV.",
    "systemd": "Write a recipe as hardened units of systemd.",
    "plugins": "List, show, start and check plugins.",
    "schema": "Write the JSON Schema of recipes, for editors.",
    "doctor": "Check the environment: versions, plugins, servers, clock, disk.",
    "completion": "Print the completion of bash, zsh or fish.",
}
"""Every verb, and what it does in one line; `quantmind/cli/<verb>.py` holds the command."""


class Verbs(click.Group):
    """A group whose verbs, and the commands of plugins beside them, are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the verbs and the commands of plugins."""
        return [*VERBS, *contributed.summaries(tuple(VERBS))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's file, or the command of a plugin that may be loaded."""
        if cmd_name not in VERBS:
            if cmd_name not in contributed.commands():
                return None
            return contributed.load(cmd_name, Session(ctx.params["debug"], ctx.params["no_plugins"]))
        module = importlib.import_module(f"quantmind.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; a misspelt one is answered with the nearest."""
        if args[0] not in VERBS and not args[0].startswith("-") and args[0] not in contributed.commands():
            close = difflib.get_close_matches(args[0], self.list_commands(ctx), 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            ctx.fail(f"no verb is called {args[0]}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the table of verbs; imports none of them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))
        if others := contributed.summaries(tuple(VERBS)):
            with formatter.section("Commands of plugins"):
                formatter.write_dl(list(others.items()))

    def invoke(self, ctx: click.Context) -> object:
        """Call the verb; a user's mistake is one line and its exit code, not a traceback."""
        try:
            return super().invoke(ctx)
        except QuantMindError as error:
            if ctx.params["debug"]:
                traceback.print_exc()
            for line in str(error).splitlines():
                click.echo(f"error: {line}", err=True)
            ctx.exit(error.exit_code)


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    subcommand_metavar="VERB [ARGUMENTS]...",
    epilog="\b\nExample: quantmind init trading && quantmind run trading/recipes/quickstart.yaml",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option("--no-plugins", is_flag=True, help="Load nothing but what comes with QuantMind.")
@click.version_option(package_name="quantmind", prog_name="quantmind")
@click.pass_context
def quantmind(ctx: click.Context, debug: bool, no_plugins: bool) -> None:
    """Trade crypto futures by recipe: event-driven, with plugins."""
    ctx.obj = Session(debug, no_plugins)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code."""
    try:
        result = quantmind.main(arguments, prog_name="quantmind", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; nothing may be written to it when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return result if isinstance(result, int) else 0

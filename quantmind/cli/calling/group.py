"""The group of all verbs, and of the commands of plugins beside them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import click

from quantmind import __version__
from quantmind.cli import VERBS
from quantmind.cli.calling.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from click.shell_completion import CompletionItem


class Verbs(click.Group):
    """A group whose verbs, and the commands of plugins beside them, are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the verbs and the commands of plugins."""
        return [*VERBS, *_others()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's file, or the command of a plugin that may be loaded."""
        if cmd_name not in VERBS:
            if cmd_name not in _others():
                return None
            from quantmind.cli.calling import contributed

            return contributed.load(cmd_name, Session(ctx.params["debug"], ctx.params["no_plugins"]))
        module = importlib.import_module(f"quantmind.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; a misspelt one is answered with the nearest."""
        if args[0] not in VERBS and not args[0].startswith("-") and args[0] not in _others():
            import difflib

            close = difflib.get_close_matches(args[0], self.list_commands(ctx), 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            ctx.fail(f"no verb is called {args[0]}{hint}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Offer verbs, the commands of plugins, and options; imports none of them."""
        from quantmind.cli.completing import completers

        return completers.commands(self, {**VERBS, **_others()}, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the table of verbs; imports none of them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))
        if others := _others():
            with formatter.section("Commands of plugins"):
                formatter.write_dl(list(others.items()))


def _others() -> Mapping[str, str]:
    """Return the commands of plugins, each with whose it is."""
    # To import how metadata are read takes a quarter of the time of a start, and most calls are of a verb.
    from quantmind.cli.calling import contributed

    return contributed.summaries(tuple(VERBS))


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    subcommand_metavar="VERB [ARGUMENTS]...",
    epilog="\b\nExample: quantmind init trading && quantmind run trading/recipes/quickstart.yaml",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option("--no-plugins", is_flag=True, help="Load nothing but what comes with QuantMind.")
@click.version_option(__version__, prog_name="quantmind")
@click.pass_context
def quantmind(ctx: click.Context, debug: bool, no_plugins: bool) -> None:
    """Trade crypto futures by recipe: event-driven, with plugins."""
    ctx.obj = Session(debug, no_plugins)

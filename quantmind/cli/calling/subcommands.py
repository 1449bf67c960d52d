"""Subcommands: a verb of several commands, each a file that is imported when it is called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Subcommands(click.Group):
    """A group whose commands stand in `quantmind/cli/<verb>/<command>.py`, each as `command`.

    `listed` has every command and what it does in one line.
    """

    def __init__(self, *args: Any, listed: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.subcommand_metavar = "COMMAND [ARGUMENTS]..."
        self._listed = listed

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name them."""
        return list(self._listed)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import the file of one."""
        if cmd_name not in self._listed:
            return None
        module = importlib.import_module(f"quantmind.cli.{self.name}.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find it; a misspelt one is answered with the nearest."""
        if args[0] not in self._listed and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], self._listed, 1)
            hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(self._listed)}"
            ctx.fail(f"{self.name}: nothing is called {args[0]}{hint}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Offer commands and options; imports none of them."""
        from quantmind.cli.completing import completers

        return completers.commands(self, self._listed, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the table; imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._listed.items()))

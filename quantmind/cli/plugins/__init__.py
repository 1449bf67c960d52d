"""`quantmind plugins`: what is installed, and what an author of a plugin needs."""

from __future__ import annotations

import click

from quantmind.cli.calling.subcommands import Subcommands

SUBCOMMANDS = {
    "list": "List components and commands, and what is wrong with plugins.",
    "show": "Show a component: options, example, what it needs and gives.",
    "new": "Start a plugin package of one's own.",
    "check": "Check that a component keeps the promises of its kind.",
    "readme": "Write the generated parts of Markdown files.",
}
"""Every subcommand, and what it does in one line."""


@click.group(cls=Subcommands, listed=SUBCOMMANDS, epilog="Example: quantmind plugins new breakout --kind strategy")
def plugins() -> None:
    """List, show, start and check plugins."""

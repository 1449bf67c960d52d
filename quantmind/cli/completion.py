"""`quantmind completion`: how a shell completes the lines of `quantmind`."""

from __future__ import annotations

import click


@click.command(
    short_help="Print the completion of a shell.",
    epilog='\b\nExample: eval "$(quantmind completion bash)"\n'
    "Example: quantmind completion fish > ~/.config/fish/completions/quantmind.fish",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what SHELL sources to complete verbs, options, recipes, components, runs, accounts and symbols.

    \b
    bash  in ~/.bashrc:  eval "$(quantmind completion bash)"
    zsh   in ~/.zshrc, after compinit:  eval "$(quantmind completion zsh)"
    fish  once:  quantmind completion fish > ~/.config/fish/completions/quantmind.fish

    No plugin is loaded to complete a line, but for a command of its own.
    """  # noqa: D301 - \b keeps click from wrapping
    from quantmind.cli.calling.group import quantmind
    from quantmind.cli.completing.shells import script

    click.echo(script(quantmind, shell), nl=False)

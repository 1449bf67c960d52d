"""The check of commands finds each broken promise."""

from __future__ import annotations

import click
import pytest

from quantmind.testing import check_command


def made(**changes):
    """Return a command, sound but for what is changed."""

    def work(**_):
        pass

    settings = {"help": "Work out fees.", "epilog": "Example: quantmind fees --rate 0.001", "name": "fees", **changes}
    params = settings.pop("params", [click.Option(["--rate"], help="The rate.")])
    return click.Command(callback=work, params=params, **settings)


def group(*commands):
    return click.Group("fees", commands=commands, help="Work out fees.")


class Crashing(click.Command):
    def get_help(self, ctx):
        raise RuntimeError("no help")


class Tolerant(click.Command):
    ignore_unknown_options = True
    allow_extra_args = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, context_settings={"ignore_unknown_options": True, "allow_extra_args": True}, **kwargs)


class Polite(click.Group):
    def resolve_command(self, ctx, args):
        ctx.exit(0)


def test_sound_commands_pass():
    check_command(made())
    check_command(group(made(name="maker"), made(name="taker")))


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (print, ["is no click command: write @click.command()"]),
        (made(help=None), ["fees does not say what it does: write a docstring"]),
        (made(help="Work out fees"), ["ends with a full stop, was 'Work out fees'"]),
        (group(made(name="maker", help="")), ["fees maker does not say what it does"]),
        (made(epilog=None), ['fees has no example: write epilog="Example: quantmind fees ..."']),
        (made(params=[click.Option(["-r", "--rate"])]), ["fees --rate has no help="]),
        (
            Crashing("fees", help="Work.", epilog="Example: quantmind fees", callback=print),
            ["fees --help ended with 1: RuntimeError: no help"],
        ),
        (
            Tolerant("fees", help="Work.", epilog="Example: quantmind fees", callback=lambda: None),
            ["fees --no-such-option ended with 0, not with 2 (wrong usage)"],
        ),
        (Polite("fees", help="Work."), ["fees no-such-command ended with 0, not with 2"]),
    ],
    ids=range(9),
)
def test_each_broken_promise_is_found(command, words, broken):
    broken(lambda: check_command(command), *words)


HEAVY = """
import click
import polars

@click.command(epilog="Example: quantmind heavy")
def heavy():
    '''Take long.'''
"""


def test_a_heavy_import_is_found(module, broken):
    command = module("heavy_command", HEAVY).heavy
    broken(lambda: check_command(command), "heavy is imported without heavy libraries", "polars", "import it inside")

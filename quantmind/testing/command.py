"""The promises of commands that plugins add."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import click

from quantmind.testing.proving.promise import Check, LeftOut, expect, keep

_HEAVY = (
    "aiohttp",
    "dask",
    "matplotlib",
    "numpy",
    "onnxruntime",
    "optuna",
    "pandas",
    "plotly",
    "polars",
    "requests",
    "torch",
)
"""Libraries that a command imports when it works, not when it is asked for help."""


def check_command(command: click.Command) -> None:
    """Check a command that a plugin adds to `quantmind`, and all commands below it.

    It is a click command with a name; it says what it does in a sentence, and shows an example where it has no
    subcommands (`epilog="Example: ..."`); every option has a help text; `--help` ends with 0 and an unknown option with
    2; and its module is imported without a heavy library.

        from fees_plugin import fees
        check_command(fees)

    Raises:
        AssertionError: a promise is broken; says which, and what was seen.
    """
    keep(getattr(command, "name", None) or "the command", PROMISES, command)


def _is_one(command: Any) -> None:
    expect(isinstance(command, click.Command), f"{command!r} is no click command: write @click.command()")
    expect(bool(command.name), "it has no name")


def _says(command: click.Command) -> None:
    for path, each in _all(command):
        help_ = (each.help or "").strip().partition("\n")[0]
        expect(bool(help_), f"{path} does not say what it does: write a docstring")
        expect(help_.endswith("."), f"the first line of what {path} does ends with a full stop, was {help_!r}")


def _example(command: click.Command) -> None:
    for path, each in _all(command):
        if not isinstance(each, click.Group):
            shown = "Example" in (each.epilog or "")
            expect(shown, f'{path} has no example: write epilog="Example: quantmind {path} ..."')


def _options(command: click.Command) -> None:
    for path, each in _all(command):
        for parameter in each.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                name = parameter.opts[-1]
                expect(bool((parameter.help or "").strip()), f"{path} {name} has no help=")


def _helps(command: click.Command) -> None:
    from click.testing import CliRunner

    for path, _ in _all(command):
        result = CliRunner().invoke(command, [*path.split()[1:], "--help"])
        expect(result.exit_code == 0, f"{path} --help ended with {result.exit_code}: {_last(result)}")
        expect("Usage" in result.output, f"{path} --help shows no usage: {result.output[:80]!r}")


def _refuses(command: click.Command) -> None:
    from click.testing import CliRunner

    for path, each in _all(command):
        result = CliRunner().invoke(command, [*path.split()[1:], "--no-such-option"])
        expect(
            result.exit_code == 2, f"{path} --no-such-option ended with {result.exit_code}, not with 2 (wrong usage)"
        )
        if isinstance(each, click.Group):
            result = CliRunner().invoke(command, [*path.split()[1:], "no-such-command"])
            expect(result.exit_code == 2, f"{path} no-such-command ended with {result.exit_code}, not with 2")


def _light(command: click.Command) -> None:
    module = getattr(command.callback, "__module__", "")
    if not module or module == "__main__":
        raise LeftOut("it stands in no module")
    code = f"import sys, {module}; print(*[name for name in {_HEAVY!r} if name in sys.modules])"
    result = subprocess.run(  # noqa: S603 - this Python, importing the module that is imported here
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**_environ(), "PYTHONPATH": ":".join(filter(None, sys.path))},
    )
    if result.returncode:
        raise LeftOut(f"{module} cannot be imported in another process: {result.stderr.strip().splitlines()[-1]}")
    heavy = result.stdout.split()
    expect(
        not heavy, f"its module imports {', '.join(heavy)}, which `quantmind --help` would wait for: import it inside"
    )


PROMISES: tuple[Check[Any], ...] = (
    Check("is a click command with a name", _is_one),
    Check("says what it does, and each of its subcommands too, in a sentence with a full stop", _says),
    Check("shows an example of each command", _example),
    Check("describes every option", _options),
    Check("answers --help with exit code 0", _helps),
    Check("refuses unknown options and subcommands with exit code 2", _refuses),
    Check("is imported without heavy libraries", _light),
)
"""What every command promises."""


def _all(command: click.Command, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield a command and all below it, each with its path."""
    here = f"{path} {command.name}".strip()
    yield here, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from _all(below, here)


def _last(result: Any) -> str:
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return f"{type(result.exception).__name__}: {result.exception}"
    lines = result.output.strip().splitlines()
    return lines[-1] if lines else "no output"


def _environ() -> dict[str, str]:
    import os

    return dict(os.environ)

"""What is told of errors: one line each, with what to do, and a traceback only for --debug."""

from __future__ import annotations

import errno
import sys

import click
import pytest

from quantmind.cli.calling import group
from quantmind.errors import QuantMindError, UsageError

FAULT = (
    "this is a fault of QuantMind, not yours: {}: please report what `quantmind --debug` and the same arguments print"
)


@pytest.fixture
def failing(call, monkeypatch):
    """Call a verb that raises."""

    def fail(error, *flags, verb="failing"):
        @click.command()
        def failing():
            raise error

        get_command = group.Verbs.get_command
        monkeypatch.setitem(group.VERBS, verb, "Fail.")
        monkeypatch.setattr(
            group.Verbs,
            "get_command",
            lambda self, ctx, name: failing if name == verb else get_command(self, ctx, name),
        )
        return call(*flags, verb)

    return fail


def chained(error, cause):
    error.__context__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (QuantMindError("a: is b: do c"), 1, "a: is b: do c"),
        (UsageError("two\nlines\x1b[31m"), 2, "two\\nlines\\x1b[31m"),
        (OSError(errno.ENOSPC, "No space left on device", "journal"), 1, "journal: No space left on device"),
        (PermissionError(errno.EACCES, "Permission denied", b"a\xff"), 1, "a\\udcff: Permission denied"),
        (
            OSError(errno.EMFILE, "Too many open files"),
            1,
            "Too many open files: raise the limit that `ulimit -n` shows",
        ),
        (
            chained(RuntimeError("the loop runs"), OSError(errno.ENOSPC, "No space left on device", "x")),
            1,
            "x: No space left on device",
        ),
        (MemoryError(), 1, "there is not enough memory: give it more, or less to do at once"),
        (TypeError("'NoneType' object\nis not"), 1, FAULT.format("TypeError: 'NoneType' object is not")),
        (RecursionError("too deep"), 1, FAULT.format("RecursionError: too deep")),
        (click.ClickException("Broken."), 1, "Broken."),
    ],
)
def test_an_error_is_one_line(failing, error, code, line):
    assert failing(error) == (code, "", f"error: {line}\n")


def test_a_long_line_is_cut_in_its_middle(failing):
    _, _, errors = failing(QuantMindError("begin " + "x" * 10_000 + " end"))
    assert errors.startswith("error: begin ")
    assert errors.endswith(" end\n")
    assert len(errors) < 1_100


@pytest.mark.parametrize("error", [QuantMindError("no"), TypeError("no"), OSError(errno.EIO, "no", "disk")])
def test_debug_shows_the_traceback_before_the_line(failing, error):
    code, output, errors = failing(error, "--debug")
    assert (code, output) == (1, "")
    assert errors.startswith("Traceback (most recent call last):\n")
    assert errors.splitlines()[-1].startswith("error: ")


def test_an_interrupt_says_nothing(failing):
    assert failing(KeyboardInterrupt()) == (130, "", "")


def test_a_closed_standard_error_is_no_error_more(failing, monkeypatch):
    class Closed:
        encoding = "utf-8"
        errors = "strict"

        def write(self, _):
            raise OSError(errno.EBADF, "Bad file descriptor")

        def flush(self):
            raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(sys, "stderr", Closed())
    code, _, _ = failing(QuantMindError("no"))
    assert code == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--nothing"], "there is no option --nothing; see `quantmind --help`"),
        (["lint"], "the argument FILE is missing; see `quantmind lint --help`"),
        (
            ["data", "list", "--nojson"],
            "there is no option --nojson; did you mean --json? See `quantmind data list --help`",
        ),
        (["lnit"], "no verb is called lnit; did you mean lint? See `quantmind --help`"),
        (["data", "lst"], "data: nothing is called lst; did you mean list? See `quantmind data --help`"),
        (["init", "a", "b"], "got unexpected extra argument (b); see `quantmind init --help`"),
        (["init", "--"], "the argument DIR is missing; see `quantmind init --help`"),
        (["show", "no.yaml"], "RECIPE: file 'no.yaml' does not exist; see `quantmind show --help`"),
        (
            ["data", "check", "store", "--most", "0"],
            "--most: must be a whole number of at least 1, was 0; see `quantmind data check --help`",
        ),
        (
            ["venue", "--port", "65536"],
            "--port: must be a whole number of at least 0 and at most 65535, was 65536; see `quantmind venue --help`",
        ),
        (["venue", "--seed", "1.5"], "--seed: must be a whole number, was 1.5; see `quantmind venue --help`"),
        (
            ["export", "first", "--format", "xls"],
            "--format: 'xls' is not one of 'jsonl', 'parquet', 'csv'; see `quantmind export --help`",
        ),
        (["run", "--stage"], "option '--stage' requires an argument; see `quantmind run --help`"),
        (["lint", "--json=yes", "x"], "option '--json' does not take a value; see `quantmind lint --help`"),
        (
            ["risk", "atr-stop", "--price", "1"],
            "the option --side is missing: choose from: long, buy, short, sell; see `quantmind risk atr-stop --help`",
        ),
        (["show", "caf\udce9.yaml"], "argument 2 is not UTF-8: caf\\udce9.yaml: write it, or name the file, so"),
    ],
)
def test_wrong_usage_is_one_line(call, arguments, line):
    assert call(*arguments) == (2, "", f"error: {line}\n")


@pytest.mark.parametrize("group", [[], ["data"], ["risk"], ["plugins"], ["zeromq"]])
def test_a_group_without_a_command_shows_its_help_as_wrong_usage(call, group):
    code, output, errors = call(*group)
    assert (code, output) == (2, "")
    assert errors.startswith(f"Usage: {' '.join(['quantmind', *group])} [OPTIONS] ")
    assert call(*group, "--help") == (0, errors, "")

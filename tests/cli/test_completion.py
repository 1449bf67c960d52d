"""Completion in the shells themselves."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def place(tmp_path):
    """A project folder, and a folder with the command on the PATH."""
    command = tmp_path / "bin" / "quantmind"
    command.parent.mkdir()
    paths = [str(ROOT), str(ROOT / "plugins")]
    command.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path[:0] = {paths}\nfrom quantmind.cli import main\nsys.exit(main())\n"
    )
    command.chmod(0o755)
    project = tmp_path / "project"
    for name in ("recipes/a b.yaml", "recipes/one.yml", "recipes/notes.txt", "recipes/deep/two.yaml", "run.txt"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("instruments: [BTC/USDT:USDT]\n")
    (project / "state" / "accounts" / "paper-demo").mkdir(parents=True)
    (project / "quantmind.yaml").write_text("state: state\n")
    return project


@pytest.fixture
def environ(place):
    return {**os.environ, "PATH": f"{place.parent / 'bin'}:{os.environ['PATH']}", "TERM": "dumb", "LC_ALL": "C.UTF-8"}


class Terminal:
    """A shell in a terminal, that is typed to."""

    def __init__(self, command, folder, environ):
        self.parent, child = pty.openpty()
        self.process = subprocess.Popen(
            command, cwd=folder, env=environ, stdin=child, stdout=child, stderr=child, start_new_session=True
        )
        os.close(child)
        self.shown = ""

    def type(self, text, until):
        """Type, and wait until something is shown."""
        self.shown = ""
        os.write(self.parent, text.encode())
        end = time.monotonic() + PATIENCE
        while not re.search(until, self.shown):
            assert time.monotonic() < end, self.shown
            if select.select([self.parent], [], [], 1.0)[0]:
                self.shown += os.read(self.parent, 4096).decode(errors="replace")

    def close(self):
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):
            os.close(self.parent)


@pytest.fixture
def terminal(place, environ):
    opened = []

    def start(*command):
        opened.append(Terminal(command, place, environ))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def test_each_script_is_printed_and_sourced_without_a_word(quantmind, server_binary, place, environ):
    for shell in ("bash", "zsh", "fish"):
        code, script, errors = quantmind("completion", shell)
        assert (code, errors) == (0, "")
        binary = server_binary(shell, shell)
        before = "autoload -Uz compinit; compinit -u -D; " if shell == "zsh" else ""
        sourced = f"{before}source {shlex.quote(str(place / shell))}"
        (place / shell).write_text(script)
        result = subprocess.run([binary, "-c", sourced], capture_output=True, text=True, env=environ, check=False)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", ""), shell


@pytest.mark.parametrize("arguments", [[], ["tcsh"], ["bash", "zsh"]])
def test_wrong_usage_ends_with_2(quantmind, arguments):
    code, output, _ = quantmind("completion", *arguments)
    assert (code, output) == (2, "")


@pytest.mark.slow
class TestBash:
    @pytest.fixture
    def complete(self, server_binary, place, environ):
        """Call the function of the script as bash does; returns what it offers."""
        binary = server_binary("bash", "bash")

        def ask(line, *words):
            script = f"""
                eval "$(quantmind completion bash)"
                COMP_LINE={shlex.quote(line)}
                COMP_POINT=${{#COMP_LINE}}
                COMP_WORDS=({" ".join(map(shlex.quote, words or line.split(" ")))})
                COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
                _quantmind_completion quantmind
                printf '%s\\n' "${{COMPREPLY[@]}}"
            """
            result = subprocess.run(
                [binary, "-c", script], capture_output=True, text=True, cwd=place, env=environ, check=True
            )
            assert result.stderr == ""
            return result.stdout.split("\n")[:-1]

        return ask

    def test_verbs_options_and_names(self, complete):
        assert complete("quantmind ru") == ["run"]
        assert complete("quantmind run --stage ") == ["feed", "strategy", "execution", "sink"]
        assert complete("quantmind plugins show strategy mo") == ["momentum"]
        assert complete("quantmind status ") == ["paper-demo"]
        assert complete("quantmind nosuch ") == [""]

    def test_recipes_are_yaml_files_and_folders(self, complete):
        assert sorted(complete("quantmind lint ")) == ["quantmind.yaml", "recipes", "state"]
        assert sorted(complete("quantmind lint recipes/")) == ["recipes/a b.yaml", "recipes/deep", "recipes/one.yml"]

    def test_words_that_bash_tears(self, complete):
        torn = ["quantmind", "data", "download", "ccxt", "BTC/USDT", ":", "U"]
        assert complete("quantmind data download ccxt BTC/USDT:U", *torn) == ["USDT"]
        assert complete("quantmind run --stage=f", "quantmind", "run", "--stage", "=", "f") == ["feed"]

    def test_in_a_terminal(self, terminal, server_binary):
        shell = terminal(server_binary("bash", "bash"), "--norc", "--noprofile", "-i")
        shell.type("PS1=; eval \"$(quantmind completion bash)\"; echo RE''ADY\r", "READY")
        shell.type("echo quantmind", "echo quantmind")
        shell.type("\x15quantmind ru\t", r"quantmind run ")
        shell.type("rec\t", r"recipes/")
        shell.type("a\t", r"a\\ b\.yaml ")
        shell.type("\x15quantmind data download ccxt BTC/USDT:\t", r"BTC/USDT:USDT ")


@pytest.mark.slow
class TestFish:
    @pytest.fixture
    def complete(self, server_binary, place, environ):
        binary = server_binary("fish", "fish")
        environ["HOME"] = str(place.parent)

        def ask(line):
            script = f"quantmind completion fish | source; complete -C {shlex.quote(line)}"
            result = subprocess.run(
                [binary, "-c", script], capture_output=True, text=True, cwd=place, env=environ, check=True
            )
            assert result.stderr == ""
            return result.stdout.splitlines()

        return ask

    def test_verbs_options_and_names(self, complete):
        assert complete("quantmind ru") == ["run\tRun a recipe in the foreground."]
        assert complete("quantmind run --stage ") == ["feed", "strategy", "execution", "sink"]
        assert complete("quantmind run --stage=f") == ["--stage=feed"]
        assert complete("quantmind plugins show strategy mo") == ["momentum\tstrategy"]
        assert complete("quantmind data download ccxt BTC/USDT:") == ["BTC/USDT:USDT"]
        assert complete("quantmind status pa") == ["paper-demo\taccount"]
        assert complete("quantmind nosuch ") == []

    def test_recipes_are_yaml_files_and_folders(self, complete):
        found = [line.partition("\t")[0] for line in complete("quantmind lint recipes/")]
        assert sorted(found) == ["recipes/a b.yaml", "recipes/deep/", "recipes/one.yml"]


@pytest.mark.slow
class TestZsh:
    @pytest.fixture(params=["sourced", "of fpath"])
    def shell(self, request, terminal, server_binary, place):
        shell = terminal(server_binary("zsh", "zsh"), "-f", "-i")
        loaded = 'autoload -Uz compinit; compinit -u -D; eval "$(quantmind completion zsh)"'
        if request.param == "of fpath":
            folder = shlex.quote(str(place.parent))
            loaded = f"quantmind completion zsh > {folder}/_quantmind; fpath=({folder} $fpath); "
            loaded += "autoload -Uz compinit; compinit -u -D"
        shell.type(f"PS1=; stty -echo; {loaded}; bindkey '^I' complete-word; echo RE''ADY\r", "READY")
        return shell

    def test_in_a_terminal(self, shell):
        line = "\x15quantmind "
        shell.type(f"{line}ru\t", r"n ")
        shell.type("recipes/a\t", r"\\ b\.yaml")
        shell.type(" --st\t", r"age ")
        shell.type(f"{line}run --stage=fe\t", r"ed ")
        shell.type(f"{line}data download ccxt BTC/USDT:\t", r"USDT:USDT ")
        shell.type(f"{line}plugins show strategy mom\t", r"entum ")
        shell.type(f"{line}status pa\t", r"per-demo ")

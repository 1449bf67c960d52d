"""What completers offer: what there is, without loading it, and nothing where something is wrong."""

import importlib
import os
import resource
import sys

import pytest

from quantmind.cli import VERBS
from quantmind.cli.completing import completers
from quantmind.kinds import KINDS
from quantmind.plugins import Plugins
from quantmind.project import Project

RECIPE = "instruments: [DOGE/USDT:USDT, {ETH/USDT:USDT: {tick: 0.01}}]\n"


@pytest.fixture
def complete(quantmind, monkeypatch):
    """Ask how a line goes on; returns the values that are offered."""

    def ask(line, shell="zsh"):
        *words, writing = line.split(" ")
        monkeypatch.setenv("_QUANTMIND_COMPLETE", f"{shell}_complete")
        monkeypatch.setenv("COMP_WORDS", line if shell == "bash" else "\n".join(words))
        monkeypatch.setenv("COMP_INCOMPLETE", writing)
        code, output, errors = quantmind()
        assert errors == ""
        assert code in {0, 1}
        return [row.split("\t")[1] for row in output.splitlines()]

    return ask


def test_verbs_and_commands_of_plugins(complete):
    assert set(complete("quantmind ")) == {*VERBS, "venue", "zeromq"}
    assert complete("quantmind ru") == ["run"]
    assert complete("quantmind --d") == ["--debug"]
    assert complete("quantmind --no-plugins ru") == ["run"]
    assert complete("quantmind plugins s") == ["show"]
    assert complete("quantmind data do") == ["download"]
    assert complete("quantmind risk kel") == ["kelly"]


def test_options_and_choices(complete):
    assert "--stage" in complete("quantmind run --")
    assert complete("quantmind run --stage ") == ["feed", "strategy", "execution", "sink"]
    assert complete("quantmind run --stage=f") == ["feed"]
    assert complete("quantmind export --format ") == ["jsonl", "parquet", "csv"]
    assert complete("quantmind completion ") == ["bash", "zsh", "fish"]


def test_a_new_project_goes_into_a_folder(quantmind, monkeypatch):
    monkeypatch.setenv("_QUANTMIND_COMPLETE", "zsh_complete")
    monkeypatch.setenv("COMP_WORDS", "quantmind\ninit")
    monkeypatch.setenv("COMP_INCOMPLETE", "tr")
    assert quantmind()[1].split("\t")[0] == "dir"


@pytest.mark.parametrize(
    "line", ["lint", "lint a.yaml", "show", "graph", "test", "run", "backtest", "tap", "top", "systemd", "doctor"]
)
def test_recipes_are_found_by_the_shell(complete, line):
    assert complete(f"quantmind {line} re") == ["re"]


def test_kinds_and_names_of_components(complete):
    offered = complete("quantmind plugins show ")
    assert offered[: len(KINDS)] == list(KINDS)
    assert {"momentum", "zeromq", "kelly"} <= set(offered)
    assert complete("quantmind plugins show strategy mo") == ["momentum"]
    assert "momentum" not in complete("quantmind plugins show sink ")
    assert complete("quantmind plugins show momentum ") == []
    assert complete("quantmind plugins check --kind strategy mom") == ["momentum"]
    assert {"binance_archive", "ccxt"} <= set(complete("quantmind data download "))
    assert complete("quantmind backtest --executor pa") == ["paper"]


def test_the_kinds_are_those_there_are():
    assert tuple(KINDS) == completers.KINDS


def test_what_the_source_says_of_kinds_is_true():
    known = {}
    for row in Plugins(only_own=True, environ={}).all():
        known.setdefault(row.name, set()).add(row.kind)
    found = completers._components()
    assert {name for name, kinds in found.items() if kinds} >= {"momentum", "kelly", "paper", "ccxt", "atr_stop"}
    for name, kinds in found.items():
        assert kinds <= known[name], name


class TestOthersPlugins:
    def test_they_are_named_and_not_loaded(self, complete, stranger, folder):
        (stranger / "stranger_sink.py").write_text("raise SystemExit('loaded')\n")
        sys.modules.pop("stranger_sink", None)
        assert "stranger" in complete("quantmind plugins show ")
        assert "stranger" in complete("quantmind plugins show sink ")
        assert "stranger_sink" not in sys.modules

    def test_a_command_that_cannot_be_loaded_says_nothing(self, complete, stranger):
        info = stranger / "stranger-2.0.dist-info" / "entry_points.txt"
        info.write_text("[quantmind.commands]\nodd = stranger_sink:nothing\n")
        from quantmind.cli.calling import contributed

        contributed.commands.cache_clear()
        importlib.invalidate_caches()
        try:
            assert complete("quantmind od") == ["odd"]
            assert complete("quantmind odd --") == []
        finally:
            contributed.commands.cache_clear()


class TestRunsAndAccounts:
    @pytest.fixture
    def state(self, folder):
        for name in ("runs/20260101-100000-a", "runs/20260102-100000-b", "accounts/paper-demo"):
            (folder / "state" / name).mkdir(parents=True)
        (folder / "quantmind.yaml").write_text("state: state\n")
        return folder

    @pytest.mark.usefixtures("state")
    def test_they_are_of_the_project(self, complete):
        runs = ["20260102-100000-b", "20260101-100000-a"]
        for verb in ("status", "halt", "resume", "flatten", "reset"):
            assert complete(f"quantmind {verb} ") == ["paper-demo", *runs]
        for line in ("export", "run --exact", "run --resume"):
            assert complete(f"quantmind {line} 2026") == runs

    @pytest.mark.parametrize("text", ["state: [", "a: &a [*a]", "- 1", "state: {x: 1}", "\0", "state: 5"])
    def test_a_broken_project_offers_nothing_and_is_quiet(self, complete, state, text, monkeypatch):
        monkeypatch.setenv("XDG_STATE_HOME", str(state / "none"))
        (state / "quantmind.yaml").write_text(text)
        assert complete("quantmind status ") == []

    @pytest.mark.parametrize(
        "environ",
        [
            {},
            {"XDG_STATE_HOME": "/xdg"},
            {"XDG_STATE_HOME": "relative"},
            {"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "XDG_STATE_HOME": "/xdg"},
            {"QUANTMIND_STATE": "/chosen", "STATE_DIRECTORY": "/var/lib/a"},
        ],
    )
    @pytest.mark.parametrize("project", [None, "", "logging: {level: info}\n", "state: there\n", "state: ~/there\n"])
    def test_the_state_folder_is_the_one_that_a_run_takes(self, folder, monkeypatch, environ, project):
        for name in ("QUANTMIND_STATE", "STATE_DIRECTORY", "XDG_STATE_HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        if project is not None:
            (folder / "quantmind.yaml").write_text(project)
        (folder / "below").mkdir()
        monkeypatch.chdir(folder / "below")
        assert completers._state() == Project.find(folder / "below", os.environ).state


def test_symbols_of_a_recipe_and_of_instruments_that_are_known(complete, folder):
    (folder / "r.yaml").write_text(RECIPE)
    assert complete("quantmind tap r.yaml --symbol ") == ["DOGE/USDT:USDT", "ETH/USDT:USDT"]
    (folder / "torn.yaml").write_text("instruments: [")
    assert complete("quantmind tap torn.yaml --symbol ") == []
    assert complete("quantmind data download ccxt BTC/USDT:U") == ["BTC/USDT:USDT"]
    assert "BTC/USDT:USDT" not in complete("quantmind data download ccxt BTC/USDT:USDT ")


@pytest.mark.parametrize(
    "line", ["quantmind nosuch ", "quantmind lint --nosuch ", "quantmind run --stage", "quantmind", ""]
)
def test_what_cannot_go_on_offers_little_and_is_quiet(complete, line):
    assert len(complete(line)) <= len(VERBS) + 10


@pytest.mark.parametrize("asked", ["bash", "tcsh_complete", "bash_nonsense", "_", "zsh_complete_more"])
def test_what_no_shell_asks_is_refused_quietly(quantmind, monkeypatch, asked):
    monkeypatch.setenv("_QUANTMIND_COMPLETE", asked)
    assert quantmind() == (1, "", "")


def test_bash_is_told_what_follows_its_own_words(complete, monkeypatch):
    monkeypatch.setenv("COMP_WORDBREAKS", " \t\n:=")
    assert complete("quantmind data download ccxt BTC/USDT:", "bash") == ["USDT"]
    assert complete("quantmind run --stage=fe", "bash") == ["feed"]
    monkeypatch.setenv("COMP_WORDBREAKS", " \t\n")
    assert complete("quantmind data download ccxt BTC/USDT:", "bash") == ["BTC/USDT:USDT"]


def test_fish_is_told_the_option_too(complete):
    assert complete("quantmind run --stage=fe", "fish") == ["--stage=feed"]


def test_a_verb_is_completed_without_what_it_runs_with(process):
    result = process(
        """
        import sys
        from quantmind.cli import main
        assert main([]) == 0
        heavy = {"pydantic", "asyncio", "polars", "ccxt", "quantmind.kinds", "quantmind.plugins"}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
        """,
        _QUANTMIND_COMPLETE="zsh_complete",
        COMP_WORDS="quantmind",
        COMP_INCOMPLETE="ru",
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "plain\trun\tRun a recipe in the foreground.\n", "")


@pytest.mark.parametrize(
    "words",
    [
        "lint",
        "show",
        "backtest",
        "backtest\na.yaml\n--interval\n1m\n--start\n2025",
        "data\ndownload\n--channels\nbars,marks",
        "data\nrecord",
        "data\nlist",
    ],
)
def test_what_a_verb_takes_is_completed_without_what_it_runs_with(process, words):
    result = process(
        """
        import sys
        from quantmind.cli import main
        assert main([]) == 0
        heavy = {"pydantic", "msgspec", "asyncio", "polars", "quantmind.kinds", "quantmind.project"}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
        """,
        _QUANTMIND_COMPLETE="zsh_complete",
        COMP_WORDS=f"quantmind\n{words}",
        COMP_INCOMPLETE="--",
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "--json" in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", ["quantmind", "quantmind\nplugins\nshow", "quantmind\nstatus", "quantmind\ndata\ndownload"]
)
def test_completing_is_quick(process, words):
    # In time of the processor: what else the machine does is no fault of ours.
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        asked = {"_QUANTMIND_COMPLETE": "zsh_complete", "COMP_WORDS": words, "COMP_INCOMPLETE": ""}
        assert process("import sys; from quantmind.cli import main; sys.exit(main())", **asked).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    # Twice what is promised: the machines of CI are shared.
    assert min(times) < 0.6

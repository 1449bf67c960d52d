import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from quantmind.cli import VERBS

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "recipes" / "quickstart.yaml"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_in_its_own_file_and_has_an_example(verb, quantmind):
    command = getattr(importlib.import_module(f"quantmind.cli.{verb}"), verb)
    assert isinstance(command, click.Command)
    assert command.name == verb
    assert command.help
    code, output, _ = quantmind(verb, "--help")
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            code, output, _ = quantmind(verb, name, "--help")
            assert "Example" in output
            assert "\\b" not in output
    assert code == 0
    assert "Example" in output
    # click's mark of a paragraph that is not wrapped is one sign, and none that is shown.
    assert "\\b" not in output


def test_help_lists_the_verbs_and_imports_none_of_them(process):
    result = process("""
        import sys
        from quantmind.cli import VERBS, main
        assert main(["--help"]) == 0
        heavy = ["pydantic", "msgspec", "yaml", "pluggy", "quantmind.plugins", "quantmind.kinds"]
        loaded = [name for name in heavy + [f"quantmind.cli.{verb}" for verb in VERBS] if name in sys.modules]
        assert not loaded, loaded
    """)
    assert result.returncode == 0, result.stderr
    for verb, line in VERBS.items():
        assert f"  {verb} " in result.stdout
        assert line in " ".join(result.stdout.split())


@pytest.mark.parametrize("arguments", [["--version"], ["risk", "--help"]])
def test_a_verb_is_called_without_looking_for_the_commands_of_plugins(process, arguments):
    result = process(f"""
        import sys
        from quantmind.cli import main
        assert main({arguments}) == 0
        slow = {{"importlib.metadata", "difflib", "select"}}
        assert not slow & set(sys.modules), slow & set(sys.modules)
    """)
    assert result.returncode == 0, result.stderr


def test_lint_imports_no_library_that_only_a_run_needs(process):
    # How long both take is told by tests/benchmarks/bench_startup.py.
    result = process(f"""
        import sys
        from quantmind.cli import main
        assert main(["lint", {str(QUICKSTART)!r}]) == 0
        heavy = ["polars", "numpy", "ccxt", "aiohttp", "httpx", "zmq", "nats", "redis", "rich", "uvloop", "hypothesis"]
        loaded = [name for name in heavy if name in sys.modules]
        assert not loaded, loaded
    """)
    assert result.returncode == 0, result.stderr


def test_a_misspelt_verb_is_answered_with_the_nearest(quantmind):
    code, _, errors = quantmind("lnit", "x.yaml")
    assert code == 2
    assert "no verb is called lnit; did you mean lint?" in errors


@pytest.mark.parametrize("arguments", [["--nothing"], ["lint"], ["lint", "no.yaml"], ["plugins", "lst"]])
def test_wrong_usage_ends_with_2(quantmind, arguments):
    code, output, errors = quantmind(*arguments)
    assert (code, output) == (2, "")
    assert errors


def test_the_version_is_told(quantmind):
    code, output, _ = quantmind("--version")
    assert code == 0
    assert output.startswith("quantmind, version 0.")


def test_an_error_is_one_line_and_its_exit_code(quantmind, folder):
    (folder / "r.yaml").write_text("name: x\n")
    code, output, errors = quantmind("show", "r.yaml")
    assert (code, output) == (78, "")
    lines = errors.splitlines()
    assert lines
    assert all(line.startswith("error: r.yaml:1:1: ") for line in lines)


def test_debug_shows_the_traceback(quantmind, folder):
    (folder / "r.yaml").write_text("name: x\n")
    code, _, errors = quantmind("--debug", "show", "r.yaml")
    assert code == 78
    assert "Traceback" in errors


LEFT = """
    import os, sys
    from quantmind.cli import main
    read, write = os.pipe()
    os.close(read)
    os.dup2(write, {descriptor})
"""


def test_a_reader_who_leaves_ends_the_command_with_141_and_no_word(process):
    # Not by the signal: systemd takes SIGPIPE for a good end.
    result = process(LEFT.format(descriptor=1) + "    sys.exit(main())", "show", QUICKSTART)
    assert (result.returncode, result.stderr) == (141, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_shell_says_141_of_a_reader_who_leaves_in_the_middle(unbuffered):
    # The schema is more than a pipe holds.
    line = f"{sys.executable} -m quantmind schema | head -c 1 > /dev/null; echo ${{PIPESTATUS[0]}}"
    environ = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    told = subprocess.run(["bash", "-c", line], env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert (told.stdout, told.stderr) == ("141\n", "")


def test_a_caller_in_this_process_is_given_141_and_lives(process):
    code = """
    code = main(["show", sys.argv[1]])
    print(code, file=sys.stderr)
    """
    result = process(LEFT.format(descriptor=1) + code, QUICKSTART)
    assert (result.returncode, result.stderr) == (0, "141\n")


def test_a_reader_of_errors_who_leaves_changes_no_exit_code(process):
    result = process(LEFT.format(descriptor=2) + "    sys.exit(main())", "lint", "missing.yaml")
    assert (result.returncode, result.stdout) == (2, "")


def test_a_line_to_elsewhere_that_breaks_is_told(process):
    result = process(
        """
        import sys
        import quantmind.recipe.show as show
        from quantmind.cli import main
        def broken(recipe):
            raise BrokenPipeError(32, "Broken pipe")
        show.as_yaml = broken
        sys.exit(main())
        """,
        "show",
        QUICKSTART,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1


def test_an_interrupt_ends_with_130(process):
    result = process(
        """
        import sys
        import quantmind.recipe.show as show
        from quantmind.cli import main
        def interrupt(recipe):
            raise KeyboardInterrupt
        show.as_yaml = interrupt
        sys.exit(main())
        """,
        "show",
        QUICKSTART,
    )
    assert result.returncode == 130
    assert "Traceback" not in result.stderr


def test_the_quickstart_is_sound_and_can_be_shown(quantmind, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert quantmind("lint", "recipes/quickstart.yaml") == (0, "recipes/quickstart.yaml: ok\n", "")
    code, output, _ = quantmind("show", "recipes/quickstart.yaml")
    assert code == 0
    assert "name: quickstart  # recipes/quickstart.yaml:" in output
    code, output, _ = quantmind("show", "--json", "recipes/quickstart.yaml")
    assert json.loads(output)["recipe"]["name"] == "quickstart"


def test_lint_tells_every_file_and_ends_with_1(quantmind, folder):
    (folder / "bad.yaml").write_text(QUICKSTART.read_text().replace("quantity: 0.1", "quantity: -1"))
    (folder / "good.yaml").write_text(QUICKSTART.read_text())
    code, output, errors = quantmind("lint", "bad.yaml", "good.yaml")
    assert (code, errors) == (1, "")
    first, second = output.splitlines()
    assert first.startswith("bad.yaml:26:34: risk.sizing[0].fixed_quantity.quantity: must be above 0, was -1")
    assert second == "good.yaml: ok"


def test_lint_as_json(quantmind, folder):
    (folder / "bad.yaml").write_text(QUICKSTART.read_text().replace("account: demo", "account: ${ACC}\n    x: 1"))
    code, output, _ = quantmind("lint", "--json", "bad.yaml")
    (told,) = json.loads(output)
    assert (code, told["ok"]) == (1, False)
    assert [problem["severity"] for problem in told["problems"]] == ["warning", "error"]
    assert told["problems"][1]["line"] == 33
    assert told["problems"][1]["path"] == "executor.paper.x"


def test_lint_warns_of_unset_variables_and_ends_with_0(quantmind, folder):
    (folder / "r.yaml").write_text(QUICKSTART.read_text().replace("account: demo", "account: ${ACC}"))
    code, output, _ = quantmind("lint", "r.yaml")
    assert code == 0
    assert "r.yaml:32:14: warning: executor.paper.account: the environment variable ACC is not set" in output
    assert output.endswith("r.yaml: ok\n")


def test_what_comes_from_files_and_credentials_is_masked(quantmind, folder, monkeypatch):
    text = QUICKSTART.read_text().replace("account: demo", "account: ${credential:name}")
    (folder / "r.yaml").write_text(text.replace("name: quickstart", "name: ${file:title}"))
    code, output, _ = quantmind("lint", "r.yaml")
    assert (code, output) == (0, "r.yaml: ok\n")
    code, output, errors = quantmind("show", "r.yaml")
    assert (code, output) == (78, "")
    assert len(errors.splitlines()) == 2
    assert "r.yaml:32:14: executor.paper.account: the credential name cannot be read: CREDENTIALS_DIRECTORY" in errors
    (folder / "title").write_text("hidden-title\n")
    (folder / "name").write_text("hidden-account\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    for arguments in (["show", "r.yaml"], ["show", "--json", "r.yaml"]):
        code, output, errors = quantmind(*arguments)
        assert code == 0
        assert "hidden-" not in output + errors
        assert "credential name" in output
        assert "file title" in output


def test_lint_tells_a_fault_of_the_project(quantmind, folder):
    (folder / "r.yaml").write_text(QUICKSTART.read_text())
    (folder / "quantmind.yaml").write_text("nonsense: 1\n")
    code, output, _ = quantmind("lint", "r.yaml")
    assert code == 1
    assert output.startswith("quantmind.yaml:1:1: nonsense: is not known; known: ")


@pytest.mark.usefixtures("stranger")
def test_the_allow_list_of_the_project_holds(quantmind, folder):
    (folder / "r.yaml").write_text(QUICKSTART.read_text().replace("- console", "- stranger"))
    assert quantmind("lint", "r.yaml")[0] == 0
    code, output, _ = quantmind("--no-plugins", "lint", "r.yaml")
    assert code == 1
    assert "sinks[0]: no sink is called stranger; the plugin stranger 2.0" in output
    assert "is left out by --no-plugins" in output
    (folder / "quantmind.yaml").write_text("plugins: {allow: [quantmind]}\n")
    code, output, _ = quantmind("lint", "r.yaml")
    assert code == 1
    assert "is not on the allow-list" in output


@pytest.mark.usefixtures("folder")
def test_plugins_are_listed_with_their_faults(quantmind, stranger):
    code, output, _ = quantmind("plugins", "list")
    assert code == 0
    (line,) = (line for line in output.splitlines() if "stranger" in line)
    assert line.split() == ["sink", "stranger", "stranger", "2.0", "Comes", "from", "elsewhere."]
    (stranger / "stranger_sink.py").write_text("import nothing_there")
    sys.modules.pop("stranger_sink", None)
    importlib.invalidate_caches()
    code, output, _ = quantmind("plugins", "list")
    assert code == 0
    assert output.splitlines()[-1].startswith(
        "fault: stranger of stranger 2.0 (stranger_sink): ModuleNotFoundError: No module named 'nothing_there'"
    )
    rows = json.loads(quantmind("plugins", "list", "--json")[1])
    assert {"kind": "", "name": "stranger", "distribution": "stranger"}.items() <= next(
        row.items() for row in rows if row["fault"]
    )

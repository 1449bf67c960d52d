"""`quantmind plugins check`: every promise is told in words, whatever a stranger's component does to its process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from quantmind.scaffold.name import Name
from quantmind.scaffold.package import package

PROGRAM = "import sys; from quantmind.cli import main; sys.exit(main())"

RULE = '''
import ctypes, os, sys, threading, time
from decimal import Decimal
from pathlib import Path

from pydantic import Field

from quantmind.hookspecs import hookimpl
from quantmind.kinds import NoOptions, Options, Sizing, SizingRule


class OwlOptions(Options):
    """Options of owl."""

    size: Decimal = Field(default=Decimal(1), gt=0, description="What is held.")


class Owl(SizingRule[OwlOptions]):
    """Holds the same at all times."""

    name = "owl"

    def budget(self, sizing: Sizing) -> Decimal:
        BODY
        return self.options.size


@hookimpl
def register_components():
    return [Owl]
'''

FEED = '''
from pathlib import Path

from pydantic import Field

from quantmind.events import Trade
from quantmind.hookspecs import hookimpl
from quantmind.kinds import TRADES, Feed, Options


class OwlOptions(Options):
    """Options of owl."""

    path: Path = Field(description="A file of trades.", examples=["ticks.csv"])


class Owl(Feed[OwlOptions]):
    """Plays trades of a file."""

    name = "owl"

    @classmethod
    def offers(cls, options, symbols):
        return {symbol: frozenset({TRADES}) for symbol in symbols}

    async def events(self):
        for line in self.options.path.read_text().splitlines():
            ts, price = line.split(",")
            symbol = self.instruments[0].symbol
            if TRADES in self.wanted.get(symbol, ()):
                yield [Trade(symbol, int(ts), float(price), 1.0, 1)]


@hookimpl
def register_components():
    return [Owl]
'''

METADATA = """Metadata-Version: 2.1
Name: quantmind-owl
Version: 1.5
Summary: Holds the same at all times.
Requires-Dist: quantmind>=0.1
"""


class Site:
    """A folder of installed distributions, beside those of this environment."""

    def __init__(self, folder):
        self.folder = folder
        self.environ = {"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "HOME": str(folder)}

    def install(self, module, text, metadata=METADATA, entry_points=""):
        (self.folder / f"{module}.py").write_text(text)
        info = self.folder / f"{module}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(metadata)
        (info / "entry_points.txt").write_text(entry_points or f"[quantmind]\nowl = {module}\n")

    def owl(self, body="pass", **more):
        self.install("quantmind_owl", RULE.replace("BODY", body), **more)

    def start(self, *arguments):
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "plugins", "check", *arguments],
            env=self.environ,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments):
        process = self.start(*arguments)
        try:
            output, errors = process.communicate(timeout=100)
        finally:
            process.kill()
        return process.returncode, output, errors


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def findings(output):
    """Return the lines below what was found, by what it was."""
    lines = output.splitlines()
    told = {}
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        for state in ("ok", "FAILED", "left out", "advice"):
            if line.startswith(f"  {state} "):
                told[line[12:]] = (state, below.strip() if below.startswith(" " * 12) else "")
    return told


def test_a_package_as_it_is_started_keeps_every_promise(site):
    made = {str(path): content.decode() for path, content in package(Name.read("night-owl"), "sizing").items()}
    readme = f"{METADATA.replace('quantmind-owl', 'quantmind-night-owl')}\n{made['README.md']}"
    entry = "[quantmind]\nnight_owl = quantmind_night_owl\n"
    site.install("quantmind_night_owl", made["quantmind_night_owl.py"], readme, entry)
    code, output, errors = site.run("night_owl")
    assert (code, errors) == (0, ""), output
    lines = output.splitlines()
    assert lines[0] == "sizing night_owl of quantmind-night-owl 1.5 (quantmind_night_owl)"
    assert "FAILED" not in output
    told = findings(output)
    assert told["has a README that describes it as it is"] == ("ok", "")
    assert told["prints nothing by itself"] == ("ok", "")
    where = "tests are no part of what is installed; with `pip install -e` they are seen"
    assert told["has tests"] == ("left out", where)
    assert lines[-1] == f"{len(told) - 1} kept, 1 left out"


def test_what_is_broken_is_told_with_its_place(site):
    site.owl("raise ValueError('no owls by day')")
    code, output, errors = site.run("owl")
    assert (code, errors) == (1, "")
    line = RULE.replace("BODY", "raise ValueError").splitlines().index("        raise ValueError") + 1
    broken = [told for state, told in findings(output).values() if state == "FAILED"]
    assert broken[0] == f"raised ValueError: no owls by day (quantmind_owl.py:{line})"
    assert set(broken[1:]) <= {"the same"}
    assert f"{len(broken)} broken" in output.splitlines()[-1]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("os._exit(7)", "it ended the process with the exit code 7"),
        ("os.kill(os.getpid(), 9)", "it ended the process by SIGKILL"),
        ("ctypes.string_at(0)", "it ended the process by SIGSEGV, in quantmind_owl.py:24 (budget)"),
    ],
)
def test_what_ends_the_process_is_told(site, body, said):
    site.owl(body)
    code, output, errors = site.run("owl")
    assert (code, errors) == (1, "")
    state, told = findings(output)["comes to an end"]
    assert state == "FAILED"
    assert told.startswith("after '")
    assert told.endswith(said)


@pytest.mark.slow
@pytest.mark.parametrize("body", ["while True: pass", "time.sleep(1000)"])
def test_what_never_ends_is_ended_and_its_place_is_told(site, body):
    site.owl(body)
    # So long that a slow machine gets as far as that.
    code, output, errors = site.run("owl", "--patience", "20")
    assert (code, errors) == (1, "")
    state, told = findings(output)["comes to an end"]
    assert state == "FAILED"
    assert told.endswith(" nothing came for 20 s: it is in quantmind_owl.py:24 (budget)")


def test_sys_exit_and_threads_that_are_left_change_nothing(site):
    site.owl("threading.Thread(target=time.sleep, args=(1000,)).start(); sys.exit(3)")
    code, output, errors = site.run("owl")
    assert (code, errors) == (1, "")
    assert "raised SystemExit: 3 (quantmind_owl.py:24)" in output
    assert findings(output)["asks for quantmind"] == ("ok", "")


def test_what_prints_breaks_no_report(site):
    site.owl("print('{\"told\": 1}', flush=True); os.write(1, b'more')")
    code, output, errors = site.run("owl", "--json")
    assert (code, errors) == (1, "")
    answer = json.loads(output)
    (told,) = [finding for finding in answer["findings"] if finding["state"] == "failed"]
    assert told["words"] == "prints nothing by itself"
    assert told["told"].startswith("it printed '{\"told\": 1}'")


def test_json_is_one_object(site):
    site.owl()
    code, output, errors = site.run("owl", "--json", "--kind", "sizing")
    assert (code, errors) == (0, "")
    answer = json.loads(output)
    who = {key: answer[key] for key in ("kind", "name", "distribution", "version", "module", "kept")}
    assert who == {
        "kind": "sizing",
        "name": "owl",
        "distribution": "quantmind-owl",
        "version": "1.5",
        "module": "quantmind_owl",
        "kept": True,
    }
    assert {finding["part"] for finding in answer["findings"]} == {"component", "package"}
    assert {finding["state"] for finding in answer["findings"]} == {"ok", "left out", "advice"}


def test_what_a_package_lacks_is_told_with_what_to_write(site):
    metadata = "Metadata-Version: 2.1\nName: quantmind-owl\nVersion: 0.0.0\n"
    site.owl(metadata=metadata, entry_points="[quantmind]\nbird = quantmind_owl\n")
    code, output, _ = site.run("owl")
    assert code == 1
    told = findings(output)
    where = "below [project.entry-points.quantmind] of pyproject.toml"
    write = f'they are called bird, so every plugin is imported before it is found: write owl = "quantmind_owl" {where}'
    assert told["has an entry point called like the component"] == ("FAILED", write)
    assert told["has a version"] == ("FAILED", "it is 0.0.0: write version in pyproject.toml")
    assert told["asks for quantmind"] == (
        "FAILED",
        'installed alone it cannot work: write dependencies = ["quantmind>=0.1"] in pyproject.toml',
    )
    assert told["has a description"][0] == "advice"
    lines = "<!-- quantmind: component sizing owl --> and <!-- quantmind: end -->"
    write = f"write the lines {lines} into README.md, and run `quantmind plugins readme README.md`"
    assert told["has a README that describes it as it is"] == ("advice", write)


@pytest.mark.parametrize(
    ("readme", "said"),
    [
        (
            "<!-- quantmind: component sizing owl -->\nonce\n<!-- quantmind: end -->\n",
            "README.md is stale: run `quantmind plugins readme README.md`",
        ),
        ("<!-- quantmind: component sizing owl -->\n", "README.md:1: component sizing owl is not ended"),
    ],
)
def test_a_readme_that_lies_is_a_fault(site, readme, said):
    site.owl(metadata=f"{METADATA}\n{readme}")
    code, output, _ = site.run("owl")
    assert code == 1
    state, told = findings(output)["has a README that describes it as it is"]
    assert state == "FAILED"
    assert told.startswith(said)


def test_tests_and_readme_are_looked_for_where_an_editable_install_came_from(site):
    source = site.folder / "my source"
    source.mkdir()
    site.owl()
    address = {"url": source.as_uri(), "dir_info": {"editable": True}}
    (site.folder / "quantmind_owl-1.dist-info" / "direct_url.json").write_text(json.dumps(address))
    assert findings(site.run("owl")[1])["has tests"] == (
        "advice",
        "write test_quantmind_owl.py; quantmind.testing has check_sizing for it",
    )
    (source / "test_owl.py").touch()
    (source / "README.md").write_text("<!-- quantmind: component sizing owl -->\n<!-- quantmind: end -->\n")
    told = findings(site.run("owl")[1])
    assert told["has tests"] == ("ok", "")
    assert told["has a README that describes it as it is"][0] == "FAILED"


def test_a_command_is_checked_as_well(site):
    made = {str(path): content.decode() for path, content in package(Name.read("night-owl"), "command").items()}
    entry = "[quantmind.commands]\nnight_owl = quantmind_night_owl:command\n"
    site.install("quantmind_night_owl", made["quantmind_night_owl.py"], f"{METADATA}\n{made['README.md']}", entry)
    code, output, errors = site.run("night_owl")
    assert (code, errors) == (0, ""), output
    assert output.startswith("command night_owl of quantmind-owl 1.5 (quantmind_night_owl)\n")
    code, output, errors = site.run("night_owl", "--set", "a=1")
    assert (code, output) == (2, "")
    assert errors == "error: night_owl is a command: it takes no --options and no --set\n"


@pytest.mark.parametrize("given", [["--options", "{size: 3}"], ["--options", '{"size": 3}'], ["--set", "size=3"]])
def test_it_is_checked_with_the_options_that_are_given(site, given):
    site.owl("assert self.options.size == 3, 'it holds ' + str(self.options.size)")
    assert site.run("owl", *given)[0] == 0
    code, output, _ = site.run("owl", *given[:-1], given[-1].replace("3", "4"))
    assert code == 1
    assert "it holds 4" in output


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--set", "size=0"], "its options: size: must be above 0, was 0"),
        (["--set", "sise=1"], "its options: sise: is not known; did you mean size? known: size"),
        (["--set", "size"], "--set size: must be KEY=VALUE, such as --set window=20"),
        (["--options", "3"], "--options 3: must be a mapping, such as '{window: 20}'"),
        (["--options", "{a"], "--options {a: "),
        (["--patience", "0"], "--patience: 0.0 is not in the range"),
        (["--kind", "sizes"], "--kind: 'sizes' is not one of"),
    ],
)
def test_what_is_called_wrongly_is_one_clear_line(site, given, said):
    site.owl()
    code, output, errors = site.run("owl", *given)
    assert (code, output) == (2, "")
    assert errors.startswith(f"error: {said}")
    assert errors.count("\n") == 1


def test_a_name_of_several_kinds_wants_one_of_them(site):
    twice = RULE.replace("BODY", "pass").replace("return [Owl]", "return [Owl, Other]").replace(
        "@hookimpl",
        textwrap.dedent('''
            from quantmind.kinds import Limit

            class Other(Limit[NoOptions]):
                """Allows all."""

                name = "owl"


            @hookimpl'''),
    )  # fmt: skip
    site.install("quantmind_owl", twice)
    code, output, errors = site.run("owl")
    assert (code, output) == (2, "")
    assert errors == "error: owl is the name of several: write --kind limit or --kind sizing\n"
    assert site.run("owl", "--kind", "limit")[1].startswith("limit owl of quantmind-owl 1.5")


def test_what_is_not_there_is_answered_with_the_nearest(site):
    site.owl()
    for arguments in (["owk"], ["owk", "--kind", "sizing"]):
        code, output, errors = site.run(*arguments)
        assert (code, output) == (2, "")
        assert "is called owk; did you mean owl?" in errors
        assert errors.count("\n") == 1


def test_hypothesis_is_asked_for_only_by_what_is_there(site):
    site.owl()
    (site.folder / "sitecustomize.py").write_text("import sys\nsys.modules['hypothesis'] = None\n")
    code, output, errors = site.run("owk")
    assert (code, output) == (2, "")
    assert "no component or command is called owk; did you mean owl?" in errors
    code, output, errors = site.run("owl")
    assert (code, output) == (1, "")
    assert errors.endswith("hypothesis, which is missing: pip install hypothesis\n")


@pytest.mark.parametrize(
    ("text", "why"),
    [("import nothing_of_that_name", "ModuleNotFoundError"), ("raise SystemExit(1)", "SystemExit: 1")],
)
def test_what_cannot_be_loaded_is_named(site, text, why):
    site.install("quantmind_owl", text, entry_points="[quantmind]\nbird = quantmind_owl\n")
    # It may be the one that has owl, but only bird is known to be of it.
    for arguments, wanted in ((["owl"], 2), (["owl", "--kind", "sizing"], 2), (["bird"], 78)):
        code, output, errors = site.run(*arguments)
        assert (code, output) == (wanted, ""), arguments
        assert "quantmind-owl 1.5 (quantmind_owl)" in errors
        assert why in errors


def test_a_name_that_was_copied_from_another_component_is_told(site):
    site.install("quantmind_owl", RULE.replace("BODY", "pass").replace('name = "owl"', 'name = "kelly"'))
    code, output, errors = site.run("owl")
    assert (code, output) == (2, "")
    assert "quantmind-owl 1.5 (quantmind_owl) has sizing kelly, also registered by quantmind " in errors


def test_a_file_that_an_example_names_and_that_is_not_there_is_no_fault(site):
    site.install("quantmind_owl", FEED)
    code, output, errors = site.run("owl")
    assert (code, errors) == (0, ""), output
    state, told = findings(output)["gives figures that can be true"]
    assert (state, told) in {
        ("left out", "its option path names ticks.csv, which is not there"),
        ("left out", "the same"),
    }
    assert "its option path names ticks.csv, which is not there" in output
    (site.folder / "ticks.csv").write_text("1,2\n")
    assert findings(site.run("owl")[1])["gives figures that can be true"] == ("ok", "")


@pytest.mark.slow
def test_a_module_that_is_never_imported_to_the_end_is_told(site):
    site.install("quantmind_owl", "import time\n\ntime.sleep(1000)")
    code, output, errors = site.run("owl", "--patience", "10")
    assert (code, errors) == (1, "")
    where = "while it was looked for nothing came for 10 s: it is in quantmind_owl.py:3 (<module>)"
    assert findings(output)["comes to an end"] == ("FAILED", where)


def test_what_may_not_be_loaded_is_not(site):
    site.owl()
    (site.folder / "quantmind.yaml").write_text("plugins: {allow: [quantmind]}\n")
    code, output, errors = site.run("owl")
    assert (code, output) == (78, "")
    assert "is not on the allow-list" in errors


def test_what_lies_in_the_current_directory_is_not_taken_for_the_installed_one(site, tmp_path_factory):
    site.owl()
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "quantmind_owl.py").write_text("raise SystemExit('not me')")
    site.folder, installed = elsewhere, site.folder
    assert site.environ["PYTHONPATH"] == str(installed)
    assert site.run("owl")[0] == 0


def test_an_interrupt_ends_both_processes(site):
    site.owl("Path('pid').write_text(str(os.getpid())); time.sleep(1000)")
    process = site.start("owl")
    try:
        end = time.monotonic() + 60
        while not ((site.folder / "pid").exists() and (site.folder / "pid").read_text()):
            assert time.monotonic() < end
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130, (output, errors)
    assert "Traceback" not in errors
    child = int((site.folder / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)

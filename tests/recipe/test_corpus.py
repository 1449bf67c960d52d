"""The corpus: broken recipes, and what `quantmind lint` prints of each.

`corpus/NAME.yaml` is a recipe and `corpus/NAME.txt` what is printed of it; `corpus/project/NAME.yaml` is a
quantmind.yaml, and its .txt what is printed of a sound recipe beside it. Where bytes matter, or what stands in a
file's place, a test makes it. For a new one write the recipe, and have the .txt written:
`QUANTMIND_CORPUS=write pytest tests/recipe/test_corpus.py`; then read it as a stranger would.
"""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest

from quantmind.cli import main
from quantmind.recipe.problems import LONGEST, SHOWN

CORPUS = Path(__file__).parent / "corpus"
RECIPES = sorted(path.stem for path in CORPUS.glob("*.yaml"))
PROJECTS = sorted(path.stem for path in (CORPUS / "project").glob("*.yaml"))

BESIDE = {
    "wiring-component-twice": "twice",
    "wiring-plugin-fails": "broken",
    "wiring-plugin-fails-perhaps": "broken",
}
"""The plugins that are installed for one recipe only."""

SECRETS = {
    "SECRET": "hunter2-hunter2",
    "SECRET_WORDS": "Hunter Two\n of 'seven'",
    "SECRET_LONG": "hunter2" * 40,
    "SECRET_DIGITS": "48151623420",
}
SYMBOL = "HUNTERUSDT"

SOUND = """\
name: sound
instruments: [BTC/USDT:USDT]
feeds: [synthetic]
strategies: [momentum]
allocator: equal_weight
risk: {sizing: [{fixed_quantity: {quantity: 0.1}}]}
executor: paper
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Variables and plugins as the corpus has them."""
    for name in ("UNSET", "ACCOUNT", "A", "B", "FEEDS", "EXECUTOR", "QUANTMIND_PLUGINS", "QUANTMIND_STATE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**SECRETS, "SYMBOL": SYMBOL}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(CORPUS / "plugins" / "sound"))


def lint(capsys, *arguments: str) -> str:
    """Lint a file that has errors, or warnings; return what is printed."""
    code = main(["lint", *arguments])
    printed = capsys.readouterr()
    assert printed.err == ""
    assert code == (0 if printed.out.endswith(": ok\n") else 1)
    return printed.out


def compare(expected: Path, printed: str) -> None:
    if os.environ.get("QUANTMIND_CORPUS") == "write" and not expected.exists():
        expected.write_text(printed)
    assert printed == expected.read_text()


def assert_told_well(file: Path, printed: str) -> None:
    """Every line is short, names a place that is there, and no secret."""
    lines = file.read_bytes().decode("utf-8-sig").splitlines()
    *told, last = printed.splitlines()
    for line in told if last.endswith(": ok") else [*told, last]:
        assert len(line) <= 2 * LONGEST
        assert line.isprintable()
        name, *place = line.split(":")[:3]
        assert Path(name).name in {file.name, "quantmind.yaml", "r.yaml"}
        if Path(name).name == file.name and place[0].isdecimal():
            row, column = map(int, place)
            assert 1 <= row <= len(lines) + 1
            assert 1 <= column <= (len(lines[row - 1]) if row <= len(lines) else 0) + 1
    assert len(told) <= SHOWN + 1
    lowered = printed.lower()
    for value in (*SECRETS.values(), SYMBOL, "hunter"):
        assert value.lower() not in lowered


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_told_what_is_wrong_with_it(name, capsys, monkeypatch):
    monkeypatch.chdir(CORPUS)
    if name in BESIDE:
        monkeypatch.syspath_prepend(str(CORPUS / "plugins" / BESIDE[name]))
    printed = lint(capsys, f"{name}.yaml")
    assert printed != f"{name}.yaml: ok\n"
    assert_told_well(CORPUS / f"{name}.yaml", printed)
    compare(CORPUS / f"{name}.txt", printed)


@pytest.mark.parametrize("name", PROJECTS)
def test_a_quantmind_yaml_is_told_what_is_wrong_with_it(name, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("r.yaml").write_text(SOUND)
    shutil.copy(CORPUS / "project" / f"{name}.yaml", "quantmind.yaml")
    printed = lint(capsys, "r.yaml")
    assert printed != "r.yaml: ok\n"
    assert_told_well(Path("quantmind.yaml"), printed.removesuffix("r.yaml: ok\n") or "r.yaml: ok")
    compare(CORPUS / "project" / f"{name}.txt", printed)


def test_every_expectation_has_its_recipe():
    for folder in (CORPUS, CORPUS / "project"):
        assert {path.stem for path in folder.glob("*.txt")} == {path.stem for path in folder.glob("*.yaml")}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"name: caf\xe9\n", "r.yaml:1:10: is not UTF-8: byte 0xe9; save the file as UTF-8"),
        (SOUND.encode("utf-16"), "r.yaml:1:1: is not UTF-8: byte 0xff; save the file as UTF-8"),
        (b"\x1f\x8b\x08\x00", "r.yaml:1:2: is not UTF-8: byte 0x8b; save the file as UTF-8"),
        (b"name: a\xed\xa0\x80\n", "r.yaml:1:8: is not UTF-8: byte 0xed; save the file as UTF-8"),
        (b"a: 1\0\n", "r.yaml:1:5: holds a character that YAML forbids, U+0000: take it out"),
        (
            "\u00fc\u20ac: 1\nb: \x1b[2J".encode(),
            "r.yaml:2:4: holds a character that YAML forbids, U+001B: take it out",
        ),
        (b"#" * (1 << 18) + b"\n", "r.yaml: is larger than 256 KiB: a recipe is text that somebody has written"),
        (b"x" * 10_000_000, "r.yaml: is larger than 256 KiB: a recipe is text that somebody has written"),
        (
            b"name: a\rrisk: 1: 2\r",
            "r.yaml:2:8: is no YAML: mapping values are not allowed in this context: text with a ",
        ),
        (b"name: a\r\nrisk:\r\n\tsizing: 1\r\n", "r.yaml:3:1: is indented with a tab: use spaces"),
        (b"name: a\r\n\r\nb: \xff", "r.yaml:3:4: is not UTF-8: byte 0xff; save the file as UTF-8"),
        (b"x" * 2_000 + b": 1", "r.yaml:1:2001: is no YAML: mapping values are not allowed in this context: "),
        (b"? " + b"x" * 2_000 + b"\n: 1\n", "r.yaml:1:3: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
        (b"a: &" + b"x" * 200_000 + b" *y", "r.yaml:1:200006: is no YAML: "),
        (b"a: !<" + b"x" * 2_000 + b"> 1", "r.yaml:1:4: a: has the tag xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else "",
)
def test_bytes_are_told_where_they_are_wrong(content, told, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("r.yaml").write_bytes(content)
    printed = lint(capsys, "r.yaml")
    assert told in printed
    assert len(printed) < 2_000


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_do_not_matter(end, mark, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("r.yaml").write_bytes((mark + SOUND.replace("\n", end)).encode())
    assert lint(capsys, "r.yaml") == "r.yaml: ok\n"
    Path("r.yaml").write_bytes((mark + SOUND.replace("\n", end).replace("momentum", "momentun")).encode())
    assert lint(capsys, "r.yaml").startswith("r.yaml:4:14: strategies[0]: no strategy is called momentun;")


def place(kind: str, path: Path) -> None:
    """Put something into a file's place."""
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path.name)
    elif kind == "link to nowhere":
        path.symlink_to("nowhere")
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    else:
        path.write_text(SOUND)
        path.chmod(0)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("folder", "is a folder: name a file in it"),
        ("pipe", "is a named pipe: name a plain file"),
        ("device", "is a device or a socket: name a plain file"),
        ("socket", "is a device or a socket: name a plain file"),
        ("no permission", "cannot be read: Permission denied"),
    ],
)
def test_what_is_no_plain_file_is_not_waited_for(kind, told, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    place(kind, Path("r.yaml"))
    if kind == "no permission" and os.access("r.yaml", os.R_OK):
        pytest.skip("whoever runs this may read everything")
    assert lint(capsys, "r.yaml") == f"r.yaml: {told}\n"


@pytest.mark.parametrize("kind", ["loop", "link to nowhere"])
def test_a_link_that_leads_nowhere_is_no_file(kind, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    place(kind, Path("r.yaml"))
    assert main(["lint", "r.yaml"]) == 2
    assert "does not exist" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("folder", "is a folder: name a file in it"),
        ("pipe", "is a named pipe: name a plain file"),
        ("device", "is a device or a socket: name a plain file"),
        ("loop", "cannot be read: Too many levels of symbolic links"),
        ("link to nowhere", "cannot be read: No such file or directory"),
    ],
)
def test_limits_are_not_lost_where_quantmind_yaml_cannot_be_read(kind, told, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("r.yaml").write_text(SOUND)
    place(kind, Path("quantmind.yaml"))
    assert lint(capsys, "r.yaml") == f"quantmind.yaml: {told}\n"


def test_a_recipe_may_come_through_a_pipe_of_the_shell(capsys, tmp_path):
    reader, writer = os.pipe()
    os.write(writer, SOUND.encode())
    os.close(writer)
    try:
        assert lint(capsys, f"/dev/fd/{reader}") == f"/dev/fd/{reader}: ok\n"
    finally:
        os.close(reader)


def test_of_very_many_problems_the_first_are_told(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("r.yaml").write_text("".join(f"key{number}: 1\n" for number in range(300)))
    *lines, last = lint(capsys, "r.yaml").splitlines()
    assert len(lines) == SHOWN
    # Seven sections are missing, too.
    assert last == f"r.yaml: and {300 + 7 - SHOWN} other problems: mend these first"
    Path("r.yaml").write_text("".join(f"key{number}: 1\n" for number in range(3_900)))
    assert lint(capsys, "r.yaml").splitlines()[-1] == "r.yaml: and more than 400 other problems: mend these first"


def test_many_warnings_do_not_hide_an_error(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    unset = "".join("  - vault: {path: '${UNSET}'}\n" for _ in range(900))
    Path("r.yaml").write_text(f"{SOUND}sinks:\n{unset}  - vualt\n")
    assert lint(capsys, "r.yaml").startswith("r.yaml:909:5: sinks[900]: no sink is called vualt; did you mean vault?")
    Path("r.yaml").write_text(f"{SOUND}sinks:\n{unset}")
    *lines, more, ok = lint(capsys, "r.yaml").splitlines()
    assert len(lines) == SHOWN
    assert more == "r.yaml: warning: and more than 400 other warnings"
    assert ok == "r.yaml: ok"


@pytest.mark.parametrize("verb", ["run", "graph", "backtest", "test"])
@pytest.mark.parametrize("name", [name for name in RECIPES if name.startswith("secret-")])
def test_no_verb_tells_a_secret(verb, name, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    shutil.copy(CORPUS / f"{name}.yaml", "r.yaml")
    assert main([verb, "r.yaml"]) in {0, 1, 2, 78}
    printed = "".join(capsys.readouterr())
    assert "Traceback" not in printed
    for value in SECRETS.values():
        assert value.lower() not in printed.lower()

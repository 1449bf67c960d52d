import shutil
import sys

import pytest

from quantmind.errors import UsageError
from quantmind.systemd.escape import argument, bound, program, value, word

CASES = ["plain", "with space", "100%h", "$HOME", "${HOME}", 'a"quote', "it's", "back\\slash", "a;b", "#a", "é", "a:b"]


@pytest.mark.parametrize(
    ("text", "as_value", "as_word", "as_argument", "as_bound"),
    [
        ("/a/b.yaml", "/a/b.yaml", "/a/b.yaml", "/a/b.yaml", "/a/b.yaml"),
        ("/a b", "/a b", '"/a b"', '"/a b"', '"/a b"'),
        ("/a%h", "/a%%h", "/a%%h", "/a%%h", "/a%%h"),
        ("/$A", "/$A", '"/$A"', '"/$$A"', '"/$A"'),
        ('/a"b', '/a"b', '"/a\\"b"', '"/a\\"b"', '"/a\\"b"'),
        ("/a'b", "/a'b", '"/a\'b"', '"/a\'b"', '"/a\'b"'),
        ("/a\\b", "/a\\b", '"/a\\\\b"', '"/a\\\\b"', '"/a\\\\b"'),
        ("/a:b", "/a:b", "/a:b", "/a:b", '"/a:b"'),
    ],
)
def test_each_setting_has_its_own_way(text, as_value, as_word, as_argument, as_bound):
    assert (value(text), word(text), argument(text), bound(text)) == (as_value, as_word, as_argument, as_bound)


@pytest.mark.parametrize("text", ["/a\nExecStart=/bin/sh", "/a\tb", "/a\0b", "/a\x1bb"])
def test_a_character_that_begins_another_line_is_refused(text):
    for way in (value, word, argument, bound):
        with pytest.raises(UsageError, match="holds a character that a unit cannot"):
            way(text)


@pytest.mark.parametrize("text", ["/a ", " /a", "/a\\"])
def test_what_a_whole_line_cannot_hold_is_refused(text):
    with pytest.raises(UsageError, match="begins or ends with a space or backslash"):
        value(text)


@pytest.mark.parametrize("path", ["/a'b", '/a"b', "/a\\b"])
def test_a_program_that_systemd_does_not_start_is_refused(path):
    with pytest.raises(UsageError, match="systemd starts no such program"):
        program(path)


@pytest.mark.parametrize("name", CASES)
def test_systemd_finds_no_fault_in_a_path(name, tmp_path, analyze):
    folder = tmp_path / name
    folder.mkdir()
    started = (tmp_path if set(name) & set("'\"\\") else folder) / "program"
    shutil.copy(sys.executable, started)
    unit = tmp_path / "quantmind-escaped.service"
    unit.write_text(
        "[Service]\n"
        f"ExecStart={program(started)} run {argument(folder / 'r.yaml')}\n"
        f"WorkingDirectory={value(folder)}\n"
        f"EnvironmentFile=-{value(folder)}/x.env\n"
        f"LoadCredential=key:{value(folder)}/key\n"
        f"BindReadOnlyPaths={bound(folder)}\n"
    )
    # It complains of a program that is not there, so the path was read as it is.
    verified = analyze("verify", unit)
    assert (verified.returncode, verified.stderr) == (0, "")
    started.unlink()
    assert str(started) in analyze("verify", unit).stderr

"""`quantmind zeromq keys` where it is called wrongly."""

from __future__ import annotations

import pytest

from quantmind.testing import run_command


@pytest.fixture
def keys(monkeypatch, tmp_path):
    """Call the command in an empty working directory; returns the exit code and the lines of its errors."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        ended = run_command("zeromq", "keys", *arguments)
        return ended.code, ended.errors.splitlines()

    return call


def test_a_folder_without_a_name_is_not_the_working_directory(keys, tmp_path):
    assert keys("") == (2, ["error: FOLDER is empty: name a folder for the keys, such as keys"])
    assert not [*tmp_path.iterdir()]


def test_the_working_directory_may_be_named(keys, tmp_path):
    assert keys(".", "--stage", "feed") == (0, [])
    assert {path.name for path in tmp_path.iterdir()} == {"feed.key", "feed.pub"}


@pytest.mark.parametrize("link", [False, True])
def test_a_file_and_a_link_that_leads_nowhere_are_no_folders(keys, tmp_path, link):
    if link:
        (tmp_path / "taken").symlink_to("nowhere")
    else:
        (tmp_path / "taken").write_text("")
    assert keys("taken") == (2, ["error: taken is no folder: name another FOLDER"])


def test_a_folder_in_the_place_of_a_key_is_not_replaced_and_nothing_else_is(keys, tmp_path):
    keys("keys")
    (tmp_path / "keys" / "sink.key").unlink()
    (tmp_path / "keys" / "sink.key").mkdir()
    before = {path: path.read_bytes() for path in (tmp_path / "keys").glob("*.pub")}
    line = "error: keys/sink.key is a folder: move it away, or name another FOLDER"
    assert keys("keys", "--force") == (2, [line])
    assert {path: path.read_bytes() for path in before} == before


def test_a_stage_that_is_none(keys):
    code, lines = keys("keys", "--stage", "feeds")
    assert (code, len(lines)) == (2, 1)
    assert lines[0].startswith("error: --stage: 'feeds' is not one of 'feed', 'strategy', 'execution', 'sink'")

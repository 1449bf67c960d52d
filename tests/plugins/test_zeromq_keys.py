"""`quantmind zeromq keys`: the files it writes, and what the transport takes for keys."""

from __future__ import annotations

import os
import stat

import pytest
import zmq
from click.testing import CliRunner

from quantmind.errors import QuantMindError
from quantmind_zeromq.commands import NAMES, zeromq
from quantmind_zeromq.keys import load
from quantmind_zeromq.options import CurveOptions


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "keys"


def keys(*arguments):
    return CliRunner().invoke(zeromq, ["keys", *map(str, arguments)])


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_it_writes_a_pair_for_each_stage_and_the_observer(folder):
    found = keys(folder)
    assert found.exit_code == 0, found.output
    assert {path.name for path in folder.iterdir()} == {f"{name}{end}" for name in NAMES for end in (".key", ".pub")}
    assert mode(folder) == 0o700
    for name in NAMES:
        secret, public = folder / f"{name}.key", folder / f"{name}.pub"
        assert mode(secret) == 0o600
        assert mode(public) == 0o644
        assert zmq.curve_public(secret.read_bytes().strip()) == public.read_bytes().strip()
        assert f"{secret}  secret" in found.output
        assert secret.read_text().strip() not in found.output
    assert "only to the host of stage feed" in found.output


def test_the_modes_do_not_hang_on_the_umask(folder):
    before = os.umask(0)
    try:
        assert keys(folder).exit_code == 0
    finally:
        os.umask(before)
    assert mode(folder) == 0o700
    assert mode(folder / "feed.key") == 0o600


def test_keys_that_are_there_are_not_replaced(folder):
    keys(folder, "--stage", "feed")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for arguments in ((folder,), (folder, "--stage", "feed")):
        found = keys(*arguments)
        assert found.exception.exit_code == 2
        assert "feed.key is there" in str(found.exception)
        assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert keys(folder, "--stage", "sink").exit_code == 0
    assert {path.name for path in folder.iterdir()} == {"feed.key", "feed.pub", "sink.key", "sink.pub"}


def test_force_replaces_only_those_it_is_asked_for(folder):
    keys(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert keys(folder, "--stage", "feed", "--force").exit_code == 0
    changed = {path.name for path in folder.iterdir() if path.read_bytes() != before[path.name]}
    assert changed == {"feed.key", "feed.pub"}
    assert mode(folder / "feed.key") == 0o600


def test_a_link_in_the_way_is_not_followed(folder, tmp_path):
    folder.mkdir()
    elsewhere = tmp_path / "elsewhere"
    (folder / "feed.key").symlink_to(elsewhere)
    assert keys(folder, "--stage", "feed").exception.exit_code == 2
    assert keys(folder, "--stage", "feed", "--force").exit_code == 0
    assert not elsewhere.exists()
    assert not (folder / "feed.key").is_symlink()


def test_an_unknown_stage_and_a_folder_that_cannot_be_are_refused(folder, tmp_path):
    assert keys(folder, "--stage", "risk").exit_code == 2
    (tmp_path / "file").write_text("")
    found = keys(tmp_path / "file" / "keys")
    assert isinstance(found.exception, QuantMindError)
    assert "\n" not in str(found.exception)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "feed.key").chmod(0o640), "feed.key is open to others .mode 0640.: chmod 600"),
        (lambda folder: (folder / "feed.key").chmod(0o604), "is open to others"),
        (lambda folder: (folder / "feed.key").unlink(), "feed.key: No such file .*quantmind zeromq keys"),
        (lambda folder: (folder / "sink.pub").unlink(), "sink.pub: No such file"),
        (lambda folder: (folder / "feed.key").write_text("short"), "feed.key holds no secret key"),
        (lambda folder: (folder / "feed.key").write_bytes(b"\xff" * 40), "holds no secret key"),
        (lambda folder: (folder / "sink.pub").write_text("no key"), "sink.pub holds no public key"),
        (lambda folder: (folder / "observer.pub").write_text(""), "observer.pub holds no public key"),
        (
            lambda folder: (folder / "sink.key").replace(folder / "feed.key"),
            "does not belong to the public key of feed",
        ),
    ],
)
def test_a_key_that_is_open_missing_or_wrong_is_named_in_one_line(folder, spoil, words):
    keys(folder)
    spoil(folder)
    with pytest.raises(QuantMindError, match=words) as caught:
        load(CurveOptions(keys=str(folder)), "feed")
    assert caught.value.exit_code == 78
    assert "\n" not in str(caught.value)


def test_a_folder_or_a_pipe_in_place_of_a_key_is_refused(folder):
    keys(folder)
    (folder / "feed.key").unlink()
    os.mkfifo(folder / "feed.key", 0o600)
    with pytest.raises(QuantMindError, match="is no file"):
        load(CurveOptions(keys=str(folder)), "feed")


def test_a_key_of_somebody_else_is_refused(folder, monkeypatch):
    keys(folder)
    (folder / "feed.key").chmod(0o400)
    assert load(CurveOptions(keys=str(folder)), "feed").secret
    owner = (folder / "feed.key").stat().st_uid
    if owner == 0:
        if os.geteuid() != 0:
            pytest.skip("needs a file of another user")
        os.chown(folder / "feed.key", 12_345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(QuantMindError, match="belongs to user"):
        load(CurveOptions(keys=str(folder)), "feed")


def test_those_who_may_listen_are_the_stages_the_observer_and_whoever_is_allowed(folder):
    keys(folder)
    (folder / "observer.pub").rename(folder / "kept")
    stages = {(folder / f"{name}.pub").read_bytes().strip() for name in NAMES if name != "observer"}
    assert load(CurveOptions(keys=str(folder)), "feed").allowed == stages
    (folder / "allow").mkdir()
    (folder / "kept").rename(folder / "allow" / "laptop.pub")
    other = zmq.curve_keypair()[0]
    found = load(CurveOptions(keys=str(folder), allow=[other.decode()]), "feed")
    assert found.allowed == stages | {(folder / "allow" / "laptop.pub").read_bytes().strip(), other}
    assert found.secret.decode() not in repr(found)

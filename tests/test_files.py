"""Files that take another's place are whole, or are not there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from quantmind.files import beside, replacing


@pytest.fixture
def target(tmp_path):
    file = tmp_path / "figures.json"
    file.write_text("old")
    return file


@pytest.fixture
def syncs(monkeypatch, target):
    """What is put on the disk, a file or the names in a folder, and what the target holds by then."""
    seen = []
    sync = os.fsync

    def noted(descriptor):
        seen.append((Path(f"/proc/self/fd/{descriptor}").readlink().name, target.read_text()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    return seen


def names(target):
    return sorted(path.name for path in target.parent.iterdir())


def test_it_is_on_the_disk_before_it_has_the_name_and_then_the_name_is(target, syncs):
    with replacing(target, "fresh") as fresh:
        assert fresh == target.with_name("fresh")
        fresh.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert names(target) == ["figures.json"]
    assert syncs == [("fresh", "old"), (target.parent.name, "new")]


def test_what_can_be_made_again_is_not_waited_for(target, syncs):
    with replacing(target, "fresh", synced=False) as fresh:
        fresh.write_text("new")
    assert (target.read_text(), names(target), syncs) == ("new", ["figures.json"], [])


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError("no")])
def test_of_a_failure_the_old_one_stays_and_nothing_else(target, error):
    def half(fresh):
        fresh.write_text("half of it")
        raise error

    with pytest.raises(type(error)), replacing(target, "fresh") as fresh:
        half(fresh)
    assert (target.read_text(), names(target)) == ("old", ["figures.json"])


def test_what_cannot_be_put_on_the_disk_does_not_take_the_place(target, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"), replacing(target, "fresh") as fresh:
        fresh.write_text("new")
    assert (target.read_text(), names(target)) == ("old", ["figures.json"])


def test_what_was_never_written_takes_no_place(target):
    with pytest.raises(FileNotFoundError), replacing(target, "fresh"):
        pass
    assert (target.read_text(), names(target)) == ("old", ["figures.json"])


def test_after_a_kill_the_next_one_writes_over_what_was_left(target):
    script = """
    import os, signal, sys
    from pathlib import Path
    from quantmind.files import replacing

    with replacing(Path(sys.argv[1]), "fresh") as fresh:
        fresh.write_text("half of it, and longer than the next")
        os.kill(os.getpid(), signal.SIGKILL)
    """
    code = "\n".join(line[4:] for line in script.splitlines())
    ended = subprocess.run([sys.executable, "-c", code, target], check=False, timeout=60)
    assert ended.returncode == -9
    assert (target.read_text(), names(target)) == ("old", ["figures.json", "fresh"])
    with replacing(target, "fresh") as fresh:
        fresh.write_text("new")
    assert (target.read_text(), names(target)) == ("new", ["figures.json"])


def test_nobody_else_can_read_a_file_while_it_is_written_beside_a_private_one(target, monkeypatch):
    target.chmod(0o600)
    modes = []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (modes.append(os.fstat(fd).st_mode & 0o777), sync(fd))[1])
    with beside(target, b"new", 0o600) as fresh:
        assert fresh.read_bytes() == b"new"
    assert modes == [0o600]
    assert (target.read_text(), names(target)) == ("old", ["figures.json"])

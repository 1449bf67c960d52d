import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from quantmind.doctor import state as module
from quantmind.doctor.state import state
from quantmind.project import Project

GIB = 1 << 30
MOUNTS = """\
22 1 0:20 / / rw,relatime shared:1 - ext4 /dev/sda rw
23 22 0:21 / /srv rw shared:2 - nfs4 server:/export rw,vers=4.2
24 22 0:22 / /srv/disk\\040one rw master:3 - xfs /dev/sdb rw
25 22 0:23 / /tmp rw - tmpfs tmpfs rw
26 22 0:24 / /work rw - overlay overlay rw
27 22 0:25 / /shared rw - 9p shared rw
"""


def found(folder, subject, file=None):
    return [finding for finding in state(Project(Path(folder), file)) if finding.subject == subject]


def test_a_folder_that_can_be_written_to_is_left_as_it_was(tmp_path):
    (finding,) = found(tmp_path, "state folder")
    assert finding.words.startswith(f"{tmp_path}, a durable write takes ")
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_not_there_is_not_made(tmp_path):
    (finding,) = found(tmp_path / "a" / "b", "state folder")
    assert (finding.state, finding.words) == ("ok", f"{tmp_path / 'a' / 'b'}, made with the first run")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_its_place_is_told(tmp_path):
    (tmp_path / "state").write_text("")
    (finding,) = found(tmp_path / "state" / "more", "state folder")
    assert finding.state == "failed"
    assert finding.told.endswith("state is no folder: move it, or set state: in quantmind.yaml")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_one_that_others_own_is_told(tmp_path):
    tmp_path.chmod(0o500)
    assert found(tmp_path, "state folder")[0].state == "failed"
    assert found(tmp_path / "more", "state folder")[0].state == "failed"


def test_a_place_where_it_cannot_be_made_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(module.os, "access", lambda *_: False)
    (finding,) = found(tmp_path / "more", "state folder")
    assert (finding.state, finding.words) == (
        "failed",
        f"{tmp_path / 'more'} is not there and cannot be made in {tmp_path}",
    )


def test_a_disk_that_refuses_is_told(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    (finding,) = found(tmp_path, "state folder")
    assert (finding.state, finding.words) == ("failed", f"{tmp_path} cannot be written to: No space left on device")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("free", "inodes", "states"),
    [
        (50 * GIB, (1_000_000, 900_000), ["ok"]),
        (GIB // 2, (1_000_000, 900_000), ["warning"]),
        (GIB // 20, (1_000_000, 900_000), ["failed"]),
        (50 * GIB, (1_000_000, 5_000), ["ok", "warning"]),
        (50 * GIB, (1_000_000, 5), ["ok", "failed"]),
        (50 * GIB, (0, 0), ["ok"]),
    ],
)
def test_room_is_judged(tmp_path, monkeypatch, free, inodes, states):
    room = SimpleNamespace(f_bavail=free // 4096, f_frsize=4096, f_files=inodes[0], f_favail=inodes[1])
    monkeypatch.setattr(module.os, "statvfs", lambda _: room)
    assert [finding.state for finding in found(tmp_path, "disk")] == states


@pytest.mark.parametrize(
    ("place", "state", "told"),
    [
        ("/home/me", "ok", "ext4 at /"),
        ("/srv/state", "failed", "nfs4 at /srv: SQLite's log does not work over a network"),
        ("/srv/disk one/state", "ok", "xfs at /srv/disk one"),
        ("/srvs", "ok", "ext4 at /"),
        ("/tmp/x", "warning", "tmpfs at /tmp: it is memory"),
        ("/work", "warning", "overlay at /work: it goes with the container"),
        ("/shared/x", "warning", "9p at /shared: it is shared with another machine"),
    ],
)
def test_file_systems_are_judged(monkeypatch, place, state, told):
    monkeypatch.setattr(module, "_MOUNTS", SimpleNamespace(read_text=lambda: MOUNTS))
    monkeypatch.setattr(module.os.path, "realpath", str)
    (finding,) = module._file_system(Path(place))
    assert (finding.state, finding.told.startswith(told)) == (state, True), finding


def test_the_project_is_named(tmp_path):
    assert found(tmp_path, "project", tmp_path / "quantmind.yaml")[0].words == str(tmp_path / "quantmind.yaml")
    assert "the defaults hold" in found(tmp_path, "project")[0].words

"""How far a sink stage came is kept whole, whatever ended the stage."""

import pytest

from quantmind.errors import QuantMindError
from quantmind.pipeline.live.progress import Progress


def test_what_is_noted_is_there_at_the_next_start(tmp_path):
    folder = tmp_path / "a" / "sinks"
    first = Progress(folder)
    assert (first.account, first.number) == ("", None)
    first.note("paper-demo", 7)
    first.note("paper-demo", 9)
    again = Progress(folder)
    assert (again.account, again.number) == ("paper-demo", 9)
    assert [path.name for path in folder.iterdir()] == ["progress.json"]


def test_what_a_kill_left_half_written_is_not_read_and_goes(tmp_path):
    Progress(tmp_path).note("paper-demo", 7)
    (tmp_path / "progress.new").write_text('{"acc')
    again = Progress(tmp_path)
    assert again.number == 7
    again.note("paper-demo", 8)
    assert [path.name for path in tmp_path.iterdir()] == ["progress.json"]


def test_what_cannot_be_written_keeps_what_was_noted_before(tmp_path):
    progress = Progress(tmp_path)
    progress.note("paper-demo", 7)
    (tmp_path / "progress.new").mkdir()
    with pytest.raises(QuantMindError, match=r"progress\.json: cannot be written: Is a directory: make room$"):
        progress.note("paper-demo", 8)
    assert Progress(tmp_path).number == 7


@pytest.mark.parametrize("content", ["", "[]", '{"account": "a"}', '{"account": "a", "number": "x"}'])
def test_a_file_that_holds_something_else_is_refused(tmp_path, content):
    (tmp_path / "progress.json").write_text(content)
    with pytest.raises(QuantMindError, match=r"holds no progress: remove it"):
        Progress(tmp_path)

import socket
import sqlite3
from contextlib import closing
from decimal import Decimal

import pytest

from quantmind.control.home import SOCKET
from quantmind.doctor.accounts import accounts
from quantmind.project import Project
from quantmind.trader.journal import Journal
from quantmind.trader.journal_reader import FILE, Progress
from quantmind.trader.orders import Order


@pytest.fixture
def state(tmp_path):
    (tmp_path / "accounts").mkdir()
    return tmp_path


@pytest.fixture
def journal(state):
    """Make the journal of an account, open as long as it trades."""

    def make(name):
        folder = state / "accounts" / name
        folder.mkdir()
        made = Journal(folder, name, "1000", durable=False)
        made.commit(Progress(1, 7, 0, 7, 3), {})
        return made

    return make


def found(state):
    return [(finding.subject, finding.state, finding.told) for finding in accounts(Project(state))]


def test_without_any_there_is_nothing_to_see(tmp_path):
    assert found(tmp_path) == [("accounts", "ok", "none yet")]


def test_a_stopped_account_is_told(state, journal):
    journal("paper-demo").close()
    (state / "accounts" / "new").mkdir()
    assert found(state) == [
        ("account new", "ok", "has not begun to trade"),
        ("account paper-demo", "ok", "stopped, 3 facts on record, 0 open orders"),
    ]


def test_one_whose_process_does_not_answer_is_told(state, journal):
    with closing(journal("paper-demo")):
        ((_, standing, told),) = found(state)
    # Where the kernel does not show locks nobody can tell.
    assert (standing, "has its lock and does not answer" in told) in {("warning", True), ("ok", False)}


def test_one_that_is_traded_is_told(state, journal, monkeypatch):
    with closing(journal("demo")), socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(state / "accounts" / "demo")
        listener.bind(SOCKET)
        listener.listen()
        ((_, standing, told),) = found(state)
    assert standing == "ok"
    assert told.endswith("3 facts on record, 0 open orders")


def test_open_orders_that_nobody_minds_are_told(state, journal):
    made = journal("demo")
    made.order(Order(1, 1, 1, "qm1-1-1", "BTC/USDT:USDT", "buy", Decimal(1), False, 0, "t1"))
    made.commit(Progress(1, 8, 0, 8, 4), {})
    made.close()
    ((_, standing, told),) = found(state)
    assert (standing, "1 open orders: nobody minds them: run its recipe" in told) == ("warning", True)


def test_a_row_that_cannot_be_read_is_told(state, journal):
    journal("demo").close()
    with closing(sqlite3.connect(state / "accounts" / "demo" / FILE)) as database, database:
        database.execute("INSERT INTO orders VALUES (1, 1, 1, 1, ?, 1)", ("torn",))
    ((_, standing, told),) = found(state)
    assert (standing, "is damaged" in told, "keep the file" in told) == ("failed", True, True)


@pytest.mark.parametrize("content", [b"", b"no database at all, whatever its name", b"SQLite format 3\0" + bytes(200)])
def test_a_journal_that_is_none_has_failed(state, content):
    (state / "accounts" / "demo").mkdir()
    (state / "accounts" / "demo" / FILE).write_bytes(content)
    ((_, standing, told),) = found(state)
    assert (standing, FILE in told, "keep the file" in told) == ("failed", True, True)


def test_torn_pages_are_found(state, journal):
    made = journal("demo")
    made.commit(Progress(1, 8, 0, 8, 4), {f"state-{number}": "x" * 900 for number in range(200)})
    made.close()
    file = state / "accounts" / "demo" / FILE
    content = bytearray(file.read_bytes())
    content[-40_960:-36_864] = bytes(4_096)
    file.write_bytes(content)
    ((_, standing, told),) = found(state)
    assert (standing, "is damaged" in told) == ("failed", True)


def test_a_journal_of_another_version_is_told(state, journal):
    journal("demo").close()
    with closing(sqlite3.connect(state / "accounts" / "demo" / FILE)) as database:
        database.execute("PRAGMA user_version = 99")
    ((_, standing, told),) = found(state)
    assert (standing, "journal of version 99" in told) == ("failed", True)


def test_a_file_in_place_of_the_accounts_is_told(tmp_path):
    (tmp_path / "accounts").write_text("")
    ((_, standing, told),) = found(tmp_path)
    assert (standing, "cannot be read: Not a directory" in told) == ("failed", True)

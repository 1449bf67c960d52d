"""Every command that reads the state of runs and accounts, where that is damaged, of a newer version, or in use."""

import fcntl
import os
import sqlite3

import pytest

CALLS = (
    ["status", "first"],
    ["status", "first", "--json"],
    ["halt", "first", "--reason", "the news", "--json"],
    ["resume", "first"],
    ["flatten", "first"],
    ["reset", "first"],
    ["export", "first"],
    ["export", "first", "--format", "parquet", "--output", "tables"],
    ["run", "recipe.yaml", "--resume", "first"],
    ["run", "--exact", "first"],
    ["top", "recipe.yaml", "--json"],
    ["doctor"],
)


def newer(run):
    with sqlite3.connect(run / "journal.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()


def changed(statement):
    def change(run):
        with sqlite3.connect(run / "journal.sqlite") as database:
            database.execute(statement)
        database.close()

    return change


def into_folder(name):
    def change(run):
        (run / name).unlink(missing_ok=True)
        (run / name).mkdir()

    return change


DAMAGES = {
    "no journal": lambda run: (run / "journal.sqlite").unlink(),
    "journal of no bytes": lambda run: (run / "journal.sqlite").write_bytes(b""),
    "journal cut": lambda run: os.truncate(run / "journal.sqlite", 5_000),
    "journal cut within a page": lambda run: os.truncate(run / "journal.sqlite", 100),
    "journal of noise": lambda run: (run / "journal.sqlite").write_bytes(bytes(range(256)) * 300),
    "journal with noise in it": lambda run: overwrite(run / "journal.sqlite", 4_096),
    "journal with noise at its end": lambda run: overwrite(run / "journal.sqlite", -4_096),
    "journal is a folder": into_folder("journal.sqlite"),
    "journal of a newer version": newer,
    "journal of an older version": changed("PRAGMA user_version = 1"),
    "journal without a table": changed("DROP TABLE fills"),
    "journal without progress": changed("DELETE FROM progress"),
    "journal without an account": changed("DELETE FROM account"),
    "journal of another account": changed("UPDATE account SET key = 'paper-other'"),
    "journal without a balance": changed("UPDATE account SET balance = 'much'"),
    "orders that are no JSON": changed("UPDATE orders SET body = '{'"),
    "orders of another form": changed("UPDATE orders SET body = '[1,2]'"),
    "fills that are no JSON": changed("UPDATE fills SET body = x'fffe'"),
    "latches of another form": changed("INSERT INTO latches VALUES (1, 1, 1, 999, 'null')"),
    "states of another form": changed("INSERT OR REPLACE INTO states VALUES ('executor', '[]')"),
    "states that are no JSON": changed("UPDATE states SET body = '{'"),
    "log of noise": lambda run: (run / "journal.sqlite-wal").write_bytes(bytes(range(256)) * 300),
    "run.json of no bytes": lambda run: (run / "run.json").write_bytes(b""),
    "run.json of noise": lambda run: (run / "run.json").write_bytes(bytes(range(256))),
    "run.json of another form": lambda run: (run / "run.json").write_text("[]"),
    "run.json without a recipe": lambda run: (run / "run.json").write_text('{"digest": "x"}'),
    "run.json is a folder": into_folder("run.json"),
    "account of noise": lambda run: (run / "account").write_bytes(bytes(range(1, 256))),
    "account elsewhere": lambda run: (run / "account").write_text("/nowhere/at/all\n"),
    "account is a folder": into_folder("account"),
    "lock is a folder": into_folder("lock"),
    "control is a file": lambda run: (run / "control").write_text("x"),
    "record of no bytes": lambda run: (run / "trader.record").write_bytes(b""),
    "record of noise": lambda run: (run / "decider.record").write_bytes(bytes(range(256)) * 300),
    "record cut": lambda run: os.truncate(run / "trader.record", 1_001),
}


def overwrite(path, place):
    with path.open("r+b") as file:
        file.seek(place, os.SEEK_SET if place >= 0 else os.SEEK_END)
        file.write(bytes(range(255, -1, -1)) * 4)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_state(damage, project, call, behaves):
    DAMAGES[damage](project / "state" / "runs" / "first")
    faults = []
    for arguments in CALLS:
        try:
            behaves(*call(*arguments), arguments)
        except AssertionError as fault:
            faults.append(str(fault))
    assert not faults, "\n".join(fault[:1_500] for fault in faults)


def test_an_account_that_is_in_use(project, call, behaves):
    with (project / "state" / "runs" / "first" / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for arguments in (["status", "first"], ["run", "recipe.yaml", "--resume", "first"]):
            code, output, errors = call(*arguments)
            behaves(code, output, errors, arguments)
        assert code == 1
        assert "account paper-demo is in use by another process" in errors

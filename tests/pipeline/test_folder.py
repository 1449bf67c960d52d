"""Folders of runs and accounts."""

from __future__ import annotations

import re

import pytest

from quantmind.errors import QuantMindError, UsageError
from quantmind.pipeline.folder import RunFolder, account_folder, digest
from quantmind.trader.journal import Journal

RESOLVED = {"name": "demo", "instruments": ["BTC/USDT:USDT"]}


def test_runs_of_one_second_have_names_of_their_own(tmp_path):
    folders = [RunFolder.create(tmp_path, "demo", RESOLVED, "demo.yaml") for _ in range(5)]
    assert len({folder.name for folder in folders}) == 5
    assert re.fullmatch(r"\d{8}-\d{6}-demo", folders[0].name)
    for folder in folders:
        assert folder.path.parent == tmp_path / "runs"
        assert folder.description()["recipe"] == "demo.yaml"


def test_a_run_is_found_by_its_name_and_by_its_folder(tmp_path, monkeypatch):
    folder = RunFolder.create(tmp_path / "state", "demo", RESOLVED, "demo.yaml")
    assert RunFolder.find(tmp_path / "state", folder.name) == folder
    assert RunFolder.find(tmp_path / "elsewhere", str(folder.path)) == folder
    monkeypatch.chdir(folder.path.parent)
    assert RunFolder.find(tmp_path / "elsewhere", folder.name) == folder


def test_a_run_that_is_not_there_is_wrong_usage_and_the_last_one_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"there is no run demo; .* has none"):
        RunFolder.find(tmp_path, "demo")
    folder = RunFolder.create(tmp_path, "demo", RESOLVED, "demo.yaml")
    (tmp_path / "runs" / "zzz").mkdir()
    with pytest.raises(UsageError, match=f"there is no run zzz; the last one is {folder.name}"):
        RunFolder.find(tmp_path, "zzz")


def test_another_recipe_is_refused(tmp_path):
    folder = RunFolder.create(tmp_path, "demo", RESOLVED, "demo.yaml")
    folder.check(dict(reversed(RESOLVED.items())))
    with pytest.raises(UsageError, match=f"run {folder.name} was made with another recipe"):
        folder.check({**RESOLVED, "name": "other"})


def test_stages_share_a_folder(tmp_path):
    first = RunFolder.shared(tmp_path, "20240101-000000-demo", RESOLVED, "demo.yaml")
    second = RunFolder.shared(tmp_path, "20240101-000000-demo", RESOLVED, "demo.yaml")
    assert first == second
    assert RunFolder.find(tmp_path, first.name).description()["digest"] == digest(RESOLVED)


def test_the_journal_is_the_runs_own_or_the_accounts(tmp_path):
    folder = RunFolder.create(tmp_path, "demo", RESOLVED, "demo.yaml")
    with pytest.raises(QuantMindError, match="there is no journal; the run ended before it began to trade"):
        folder.journal()
    Journal(folder.path, "paper-demo", "10", durable=False).close()
    reader = folder.journal()
    assert reader.balance == "10"
    reader.close()
    account = account_folder(tmp_path, "paper-demo")
    assert account == tmp_path / "accounts" / "paper-demo"
    Journal(account, "paper-demo", "20", durable=False).close()
    folder.keep_journal_in(account)
    reader = folder.journal()
    assert reader.balance == "20"
    reader.close()


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "state").write_text("a file")
    with pytest.raises(QuantMindError, match=r"state/runs.*: cannot be made: Not a directory"):
        RunFolder.create(tmp_path / "state", "demo", RESOLVED, "demo.yaml")

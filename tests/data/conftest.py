from __future__ import annotations

import pytest


@pytest.fixture
def saved(tmp_path):
    """Save rows as a file of the format that its name says."""

    def save(rows, name="rows.parquet"):
        path = tmp_path / name
        if path.suffix == ".parquet":
            rows.write_parquet(path)
        elif path.suffix == ".csv":
            rows.write_csv(path)
        else:
            rows.write_ipc(path, compression="lz4")
        return path

    return save

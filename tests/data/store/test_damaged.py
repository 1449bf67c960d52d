"""A file whose rows are damaged behind a whole head is refused on one line."""

import polars as pl
import pytest

from quantmind.data.store.check import check_file
from quantmind.data.store.findings import Limits
from quantmind.errors import QuantMindError

BARS = ("open", "high", "low", "close", "volume")
TRADES = ("price", "qty", "id")


@pytest.mark.parametrize("figures", [BARS, TRADES])
def test_damaged_rows_are_told_on_one_line(tmp_path, figures):
    path = tmp_path / "damaged.parquet"
    rows = range(5_000)
    pl.DataFrame({"time": rows, **{name: [n + 1 for n in rows] for name in figures}}).write_parquet(path)
    content = bytearray(path.read_bytes())
    content[100:4_000] = b"\xff" * 3_900
    path.write_bytes(content)
    with pytest.raises(QuantMindError, match=r"damaged\.parquet: cannot be read: ") as refused:
        list(check_file(path, None, Limits()))
    assert "\n" not in str(refused.value)

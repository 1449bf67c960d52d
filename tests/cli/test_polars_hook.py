"""An interrupt is the command's: polars neither ends its queries at one, nor raises a second one."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEGINNING = """
import os, signal, sys, threading, time
from quantmind.cli.calling.polars_hook import PolarsHook

came = []
signal.signal(signal.SIGINT, lambda *_: came.append(1))
if {hooked}:
    sys.meta_path.insert(0, PolarsHook())
"""
QUERY = """
numbers = pl.LazyFrame({"number": range(3_000)})
query = numbers.join(numbers, how="cross").join(numbers.head(60), how="cross", suffix="_third").select(pl.len())
results = []
thread = threading.Thread(target=lambda: results.append(query.collect().item()))
thread.start()
time.sleep(0.05)
os.kill(os.getpid(), signal.SIGINT)
thread.join()
assert came == [1], came
assert results == [540_000_000], results
"""
IN_THE_MAIN_THREAD = "import polars as pl"
IN_ANOTHER_THREAD = "other = threading.Thread(target=__import__, args=['polars']); other.start(); other.join()"


def interrupted(importing, *, hooked):
    program = BEGINNING.replace("{hooked}", str(hooked)) + importing + "\nimport polars as pl\n" + QUERY
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("importing", [IN_THE_MAIN_THREAD, IN_ANOTHER_THREAD], ids=["main", "other"])
def test_a_query_in_a_thread_goes_on(importing):
    done = interrupted(importing, hooked=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_it_the_query_ends():
    # As long as this holds, the hook is needed.
    assert interrupted(IN_THE_MAIN_THREAD, hooked=False).returncode != 0


def test_polars_is_found_as_always():
    program = BEGINNING.replace("{hooked}", "True") + (
        "import importlib.util, polars\n"
        "assert not [finder for finder in sys.meta_path if isinstance(finder, PolarsHook)]\n"
        "spec = importlib.util.find_spec('polars')\n"
        "assert type(polars.__loader__) is type(polars.__spec__.loader) is type(spec.loader)\n"
        "assert polars.__file__ == spec.origin\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")

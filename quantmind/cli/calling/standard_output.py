"""The standard output: where a verb answers a machine, nobody else writes to it."""

from __future__ import annotations

import contextlib
import sys
from contextlib import AbstractContextManager
from typing import Any


def reserved(*, as_json: bool) -> AbstractContextManager[Any]:
    """Send to the standard error what is printed meanwhile, if the answer is to be JSON: components may print."""
    return contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext()

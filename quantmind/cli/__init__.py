"""The command `quantmind`: finds its verbs by their file, and imports none before it is called."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

VERBS = {
    "init": "Start a project in a folder.",
    "lint": "Check recipes without running them.",
    "show": "Print a recipe with every default and where values come from.",
    "graph": "Draw a recipe: stages, components and what flows between them.",
    "test": "Run the tests that recipes have.",
    "run": "Run a recipe in the foreground.",
    "risk": "Work out Kelly, stops, sizes, liquidation and ruin.",
    "backtest": "Run a recipe on recorded data.",
    "data": "Record, fetch, list, check and convert market data.",
    "top": "Show a running pipeline: stages, rates, gaps, positions, PnL.",
    "tap": "Print what the stages of a running pipeline say to each other.",
    "status": "Show how an account stands: positions, orders, stops, latches.",
    "halt": "Stop an account from trading; what it holds stays, stops too.",
    "resume": "Let an account trade on that was halted or flattened.",
    "flatten": "Close every position of an account, and stop it from trading.",
    "reset": "Clear the latches of limits that stopped an account.",
    "export": "Write the record of a run: as JSON lines, Parquet or CSV.",
    "systemd": "Write a recipe as hardened units of systemd.",
    "plugins": "List, show, start and check plugins.",
    "schema": "Write the JSON Schema of recipes, for editors.",
    "doctor": "Check the environment: versions, plugins, servers, clock, disk.",
    "completion": "Print the completion of bash, zsh or fish.",
}
"""Every verb, and what it does in one line; `quantmind/cli/<verb>.py` holds the command."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code.

    Without arguments those of the process are taken, and its signals and standard streams are seen to: then the
    command is the process.
    """
    if arguments is not None:
        from quantmind.cli.calling.call import call

        return call(arguments)
    # Nothing has begun that would have to be ended in order, and imports do not bear being interrupted.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from quantmind.cli.calling.process import run

    return run(sys.argv[1:])

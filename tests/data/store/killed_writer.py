"""A writer that is killed at its n-th step on the disk: `killed_writer.py FOLDER STEP write|compact|cover`."""

import os
import signal
import sys
from pathlib import Path

import polars as pl  # noqa: F401 - its own files are no steps

from quantmind.data.store import Writer
from quantmind.data.store.layout import Stream
from quantmind.events import Trade
from quantmind.kinds import TRADES

DAY = 86_400_000_000_000
BEGIN = 20_000 * DAY
BTC = "BTC/USDT:USDT"


class Steps:
    """Counts what is done to the folder, and kills the process before the n-th step."""

    def __init__(self, folder: str, last: int) -> None:
        self.folder, self.left, self.armed = folder, last, False
        sync = os.fsync
        sys.addaudithook(self.audit)
        os.fsync = lambda descriptor: (self.step(), sync(descriptor))[1]

    def audit(self, event: str, arguments: tuple) -> None:
        if event not in ("os.rename", "os.remove", "os.mkdir", "open") or not self.armed:
            return
        writes = event != "open" or (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR))
        if writes and self.folder in os.fsdecode(arguments[0] if not isinstance(arguments[0], int) else ""):
            self.step()

    def step(self) -> None:
        if not self.armed:
            return
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)


def trade(n: int) -> Trade:
    return Trade(BTC, BEGIN + n * 1_000_000, 100.0 + n / 8, 0.5, 1 if n % 2 else -1, n, BEGIN + n)


def main(folder: Path, last: int, what: str) -> None:
    steps = Steps(str(folder), last)
    steps.armed = what == "write"
    print(0, flush=True)
    writer = Writer(folder, rows=6)
    for first in range(0, 12, 6):
        writer.write("v", [trade(n) for n in range(first, first + 6)])
        print(writer.written, flush=True)
    steps.armed = True
    if what == "cover":
        writer.write("v", [trade(n) for n in (2, 5)])
        writer.cover(Stream("v", TRADES, BTC), BEGIN // DAY, [(BEGIN, BEGIN + DAY)])
    writer.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])

"""The printer: lines to a descriptor, so that a slow reader of them holds up nobody."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections import deque

MOST = 100_000
"""Lines that wait at the most; then the oldest are dropped."""
_AT_ONCE = 1_000


class Printer:
    """Writes lines from a thread of its own, and drops and counts the oldest where their reader is too slow.

    `gone` is set when the reader has hung up. To be made, and told lines, on the event loop.
    """

    def __init__(self, descriptor: int, most: int = MOST) -> None:
        self.dropped = 0
        self.gone = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._descriptor = descriptor
        self._most = most
        self._lines: deque[str] = deque()
        self._changed = threading.Condition()
        self._writing = False
        self._closed = False
        # A daemon: who is stuck in a write must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)
        self._thread.start()

    def print(self, line: str) -> None:
        """Have a line written."""
        with self._changed:
            if len(self._lines) >= self._most:
                self._lines.popleft()
                self.dropped += 1
            self._lines.append(line)
            self._changed.notify()

    async def close(self, patience: float | None = None) -> None:
        """Write what waits, for at most `patience` seconds, and end."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        await asyncio.to_thread(self._thread.join, patience)

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    while not self._lines and not self._closed:
                        self._changed.wait()
                    if not self._lines:
                        return
                    taken = [self._lines.popleft() for _ in range(min(_AT_ONCE, len(self._lines)))]
                data = memoryview("".join(f"{line}\n" for line in taken).encode(errors="backslashreplace"))
                while data:
                    data = data[os.write(self._descriptor, data) :]
        except OSError:
            # The loop may have ended meanwhile, and nobody waits any more.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self.gone.set)

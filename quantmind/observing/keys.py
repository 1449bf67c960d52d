"""Keys that are pressed on a terminal while something is shown."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def pressed(keys: str, act: Callable[[], object]) -> Iterator[None]:
    """Act when one of some keys is pressed; the terminal is afterwards as it was."""
    if not sys.stdin.isatty():
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    loop = asyncio.get_running_loop()

    def read() -> None:
        data = os.read(descriptor, 1_024)
        if not data:
            loop.remove_reader(descriptor)
        elif any(key in data.decode(errors="replace") for key in keys):
            act()

    tty.setcbreak(descriptor)
    loop.add_reader(descriptor, read)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

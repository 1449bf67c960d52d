"""What polars does with an interrupt, undone: it is the command's."""

from __future__ import annotations

import importlib.util
import signal
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec


class PolarsHook:
    """Finds polars, and takes interrupts back when it is imported, whenever and in whichever thread.

    With its first import polars has every query of the process end at an interrupt, those that write included, also
    where somebody else has seen to the interrupt: what is half written stays, it may close a file that is not its own,
    and then the interrupt comes a second time, into what clears up after the first.
    """

    def find_spec(self, fullname: str, *_: Sequence[str] | ModuleType | None) -> ModuleSpec | None:
        """Return where polars is; None for everything else."""
        if fullname != "polars" or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = cast("Loader", _Restoring(spec.loader))
        return spec


class _Restoring:
    """Imports as another loader does, and leaves the interrupt as it was."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Make the module."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run its code."""
        import ctypes

        # Not by `signal.signal`, which only the main thread may call.
        handler = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_int)(("PyOS_getsig", ctypes.pythonapi))
        restore = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(("PyOS_setsig", ctypes.pythonapi))
        before = handler(signal.SIGINT)
        if module.__spec__ is not None:
            module.__spec__.loader = module.__loader__ = self._loader
        try:
            self._loader.exec_module(module)
        finally:
            restore(signal.SIGINT, before)

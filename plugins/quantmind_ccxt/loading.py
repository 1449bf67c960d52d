"""Loads one exchange of ccxt without the hundred others that its packages import."""

from __future__ import annotations

import difflib
import importlib
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from quantmind.errors import ComponentError

_PACKAGES = {"ccxt": "", "ccxt.async_support": "async_support", "ccxt.pro": "pro"}
_INSTALL = "ccxt is not installed: pip install ccxt"


class _Package(ModuleType):
    """A package of ccxt whose own code, which imports every exchange, has not run.

    What that code would define is looked up when it is asked for: errors, `Exchange`, an exchange by its id.
    """

    __path__: list[str]

    def __setattr__(self, name: str, value: object) -> None:
        # The import system sets a submodule here; ccxt has the class of an exchange in the place of its module.
        if isinstance(value, ModuleType) and value.__name__ == f"{self.__name__}.{name}":
            value = vars(value).get(name, value)
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        if name == "exchanges":
            return sorted(path.stem for path in Path(self.__path__[0]).glob("[a-z]*.py"))
        if name in {"Exchange", "BaseExchange", "__version__"}:
            base = "ccxt.base" if self.__name__ == "ccxt" else "ccxt.async_support.base"
            return getattr(importlib.import_module(f"{base}.exchange"), name)
        if name == "Precise":
            return importlib.import_module("ccxt.base.precise").Precise
        for module in ("ccxt.base.errors", "ccxt.base.decimal_to_precision"):
            found = importlib.import_module(module)
            if hasattr(found, name):
                return getattr(found, name)
        if (Path(self.__path__[0]) / f"{name}.py").is_file():
            importlib.import_module(f"{self.__name__}.{name}")
            return vars(self)[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


def exchanges() -> list[str]:
    """Return the ids of ccxt's exchanges that stream; none where ccxt is not installed. Nothing is imported."""
    root = _root()
    return sorted(path.stem for path in (root / "pro").glob("[a-z]*.py")) if root else []


def guess(exchange: str) -> str:
    """Return what follows a complaint about an id that ccxt does not have."""
    close = difflib.get_close_matches(exchange.lower(), exchanges(), 1)
    return f"did you mean {close[0]}?" if close else "ccxt.pro's ids are such as binanceusdm, bybit, okx"


def exchange_class(exchange: str) -> Any:
    """Return the class of an exchange of ccxt.pro; where ccxt has been imported as a whole, that one's.

    Raises:
        ComponentError: ccxt is not installed, or has no such exchange.
    """
    if _root() is None:
        raise ComponentError(_INSTALL)
    _prepare()
    if exchange not in exchanges():
        raise ComponentError(f"ccxt has no exchange {exchange!r} that streams; {guess(exchange)}")
    found = importlib.import_module(f"ccxt.pro.{exchange}")
    return getattr(found, exchange)


def errors() -> Any:
    """Return ccxt's module of errors."""
    if _root() is None:
        raise ComponentError(_INSTALL)
    _prepare()
    return importlib.import_module("ccxt.base.errors")


def _root() -> Path | None:
    loaded = sys.modules.get("ccxt")
    if loaded is not None:
        return Path(loaded.__path__[0])
    # Asking for a top-level name does not run it.
    spec = importlib.util.find_spec("ccxt")
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _prepare() -> None:
    """Put packages that import nothing in the place of ccxt's, unless those are there already."""
    root = _root()
    if "ccxt" in sys.modules or root is None:
        return
    for name, folder in _PACKAGES.items():
        package = _Package(name)
        spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(root / folder)]
        package.__spec__, package.__package__ = spec, name
        package.__path__ = [str(root / folder)]
        package.__file__ = str(root / folder / "__init__.py")
        sys.modules[name] = package
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, package)

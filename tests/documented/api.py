"""The public API: which modules and names a plugin or a script may rely on."""

import ast

from tests.documented.syntax import ROOT, public, read

API = {
    "quantmind.errors": "What can go wrong, by who must mend it, each with its exit code.",
    "quantmind.hookspecs": "The hooks a plugin module may implement, and the marker that registers them.",
    "quantmind.kinds": "The kinds of component, one contract each, their options, and what they are given to judge by.",
    "quantmind.events": "Everything that is said between the parts: market events, decisions, orders and facts; bytes.",
    "quantmind.checking": "What a user wrote for a plugin's own command, checked in the words of recipes.",
    "quantmind.metrics": "The one registry of metrics: name, labels, unit and meaning.",
    "quantmind.plugins": "Finds, loads and names the plugins of an installation.",
    "quantmind.market": "Contracts (`.instruments`), `.bars`, order books (`.book`); SMA, EMA, RSI, ATR, "
    "Bollinger (`.indicators`).",
    "quantmind.risk": "Pure sums of risk: Kelly, size, stop, liquidation, ruin.",
    "quantmind.ledger.accounts": "The wallet of an account with its positions, double entry.",
    "quantmind.ledger.positions": "One position: what is held, what it cost, what closing it earned.",
    "quantmind.ledger.margin": "What positions need of what backs them.",
    "quantmind.simulation.terms": "What a simulated venue asks, and how it fills.",
    "quantmind.simulation.fees": "What a venue takes of a fill.",
    "quantmind.simulation.latency": "How long a command takes to reach the venue.",
    "quantmind.simulation.slippage": "What a taker pays beyond the price shown.",
    "quantmind.simulation.funding": "What longs and shorts pay each other.",
    "quantmind.simulation.liquidation": "The price at which a simulated position is liquidated.",
    "quantmind.simulation.matching": "The matching engine of backtests, paper trading and simulated venues.",
    "quantmind.simulation.hosting": "The matching engine as a venue with clients asks for it.",
    "quantmind.data.rows": "One data file of any known format, as rows of time and figures.",
    "quantmind.data.recorded": "Files of bars, mark prices and funding rates as one stream of events.",
    "quantmind.data.store": "The local store of recorded market events, as it is read.",
    "quantmind.trader.orders": "The state machine of one order, as an executor gets it back after a restart.",
    "quantmind.testing": "What the tests of a plugin need.",
}
"""What may be imported by a plugin or a script: a module, or all modules of a package. Nothing else may be relied on.

What is running is asked by the commands and their `--json`, and a run is read by `quantmind export`.
"""

NARROW = {"quantmind.data.store": {"Store", "Stream", "Manifest"}}
"""Packages that give out more than plugins and scripts may rely on, and which names these are."""

FORMULAS = {
    "quantmind.risk.kelly",
    "quantmind.risk.beta",
    "quantmind.risk.moments",
    "quantmind.risk.liquidation",
    "quantmind.risk.ruin",
    "quantmind.risk.size",
    "quantmind.risk.stop",
    "quantmind.market.indicators",
    "quantmind.simulation.liquidation",
    "quantmind.simulation.funding",
    "quantmind.simulation.slippage",
    "quantmind.ledger.margin",
    "quantmind.market.instruments.tiers",
    "quantmind.market.instruments.Tier",
}
"""Modules, and single names, whose functions and classes write their formula and say where it is from."""


def parsed(module):
    """Return the file and the syntax tree of a module."""
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return path, read(path)


def modules():
    """Yield every module of the API with the names that are public in it; None for all of them."""
    for name in API:
        path, tree = parsed(name)
        if path.name != "__init__.py":
            yield name, None
            continue
        yield name, None
        if name in NARROW or name == "quantmind.testing":
            yield from _given_out(tree, name)
        else:
            yield from ((f"{name}.{each.stem}", None) for each in sorted(path.parent.glob("*.py")) if public(each.stem))


def _given_out(tree, package):
    """Yield the modules of a package whose names it gives out, with these names: the rest is its own business."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package}."):
            names = {alias.name for alias in node.names}
            names &= NARROW.get(package, names)
            if names:
                yield node.module, names
        elif isinstance(node, ast.ImportFrom) and node.module == package:
            yield from ((f"{package}.{alias.name}", None) for alias in node.names)


def imported(text):
    """Yield each module of QuantMind that a text imports, with the name that is taken from it."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "quantmind":
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.split(".")[0] == "quantmind")


MODULES = dict(modules())
"""Every module of the API with the names that are public in it; None for all of them."""


def outside(text):
    """Yield what a text imports from QuantMind that is not public."""
    for module, name in imported(text):
        whole = f"{module}.{name}"
        only = NARROW.get(module, MODULES.get(module, ()))
        if whole not in MODULES and only is not None and name not in only:
            yield whole

"""The executor of a backtest: one that is simulated, on the terms of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic.fields import FieldInfo

from quantmind.errors import UsageError
from quantmind.kinds import Executor, Options
from quantmind.plugins import Plugins
from quantmind.recipe.document import Document
from quantmind.recipe.faults import validate
from quantmind.recipe.findings import Findings
from quantmind.recipe.interpolate import Interpolation
from quantmind.recipe.model import Recipe, Spec

TERMS: dict[str, tuple[str, ...]] = {
    "balance": ("balance",),
    "fee": ("taker_fee", "maker_fee"),
    "latency": ("latency",),
    "slippage": ("slippage",),
    "leverage": ("leverage",),
}
"""What may be said of the executor on the command line, and the options of executors that it sets."""

_INSTEAD = {"fee": "fee_tiers"}
"""The option that goes before those of a term, and is left out when the term is given."""


def choose_executor(recipe: Recipe, plugins: Plugins, name: str | None, terms: Mapping[str, Any]) -> Spec:
    """Return the executor: the one that is named, else the recipe's if it is simulated, else the only one that is.

    `terms` are values by the keys of `TERMS`; the options of the recipe's own executor stay.

    Raises:
        UsageError: there is none, or it does not take the terms.
    """
    own = recipe.executor
    component = plugins.find("executor", name) if name is not None else own.component
    if name is None and not _simulated(component):
        component = plugins.find("executor", _only(plugins, own.component.name))
    if not _simulated(component):
        raise UsageError(f"executor {component.name} is not simulated: a backtest sends nothing to a venue")
    values = own.options.model_dump(exclude_unset=True) if component is own.component else {}
    fields = component.options_model.model_fields
    for term, value in terms.items():
        names = [option for option in TERMS[term] if option in fields]
        if not names:
            raise UsageError(f"--{term}: executor {component.name} has no such option; it has {', '.join(fields)}")
        values.pop(_INSTEAD.get(term, ""), None)
        for option in names:
            values[option] = _set(fields[option], values.get(option), value)
    findings = Findings(Document("", None), Interpolation({}))
    options = validate(component.options_model, values, "executor", findings, written=False)
    if options is None:
        faults = (f"{_said(problem.path, terms)}: {problem.message}" for problem in findings.problems)
        raise UsageError("; ".join(dict.fromkeys(faults)))
    return Spec(component, options, component.name, f"executor.{component.name}")


def _only(plugins: Plugins, instead_of: str) -> str:
    """Return the name of the only simulated executor that is installed."""
    installed = [row.name for row in plugins.all() if row.kind == "executor"]
    simulated = [name for name in installed if _simulated(plugins.find("executor", name))]
    if len(simulated) != 1:
        choice = f"name one with --executor: {', '.join(simulated)}" if simulated else "none is installed"
        raise UsageError(f"executor {instead_of} is not simulated, and a backtest needs one that is; {choice}")
    return simulated[0]


def _simulated(component: type[Any]) -> bool:
    return cast("type[Executor[Any]]", component).simulated


def _said(path: str, terms: Mapping[str, Any]) -> str:
    """Return what the user wrote for an option of the executor: one term may set several."""
    option = path.split(".")[1] if "." in path else ""
    return next((f"--{term}" for term in terms if option in TERMS[term]), path)


def _set(field: FieldInfo, before: Any, value: Any) -> Any:
    """Return the value of an option; of one that has options itself, such as slippage, it is the fraction."""
    kind = field.annotation
    if isinstance(kind, type) and issubclass(kind, Options) and "fraction" in kind.model_fields:
        return {**(before or {}), "fraction": value}
    return value

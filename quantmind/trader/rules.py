"""The rules of a recipe: asked for budgets, stops and verdicts, and shown what they want to see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, get_args

from quantmind.blame import misanswered, told
from quantmind.errors import ComponentError
from quantmind.events import Bar, Fact, LatchLevel, Market
from quantmind.events.market import CHANNELS
from quantmind.kinds.limit import Limit, Stop
from quantmind.kinds.protection import Held, Levels, Protection
from quantmind.kinds.rule import Rule
from quantmind.kinds.sizing import Sizing, SizingRule
from quantmind.kinds.standing import Standing

_ZERO = Decimal(0)
_LEVELS = get_args(LatchLevel)

Handler = Callable[[Any], None]


class Rules:
    """Sizing and protection rules by symbol, and the limits of the account.

    Raises:
        ComponentError: from every method, when a rule fails or gives what no rule may give.
    """

    def __init__(
        self,
        sizing: Mapping[str, Sequence[SizingRule[Any]]],
        protection: Mapping[str, Sequence[Protection[Any]]],
        limits: Sequence[Limit[Any]],
    ) -> None:
        self._sizing = sizing
        self._protection = protection
        self.limits = tuple(limits)
        self.protects = any("protects" in rule.capabilities for rules in protection.values() for rule in rules)
        """Whether every position is promised a stop."""
        self.guards = any(protection.values())
        """Whether there is any protection."""
        self.watchers = tuple(limit for limit in limits if type(limit).watch is not Limit.watch)
        self._by_symbol: dict[str, tuple[Rule[Any], ...]] = {
            symbol: (*sizing.get(symbol, ()), *protection.get(symbol, ())) for symbol in {**sizing, **protection}
        }
        self._listeners = {
            symbol: tuple(rule for rule in (*rules, *self.limits) if type(rule).on_fact is not Rule.on_fact)
            for symbol, rules in self._by_symbol.items()
        }
        self._limit_listeners = tuple(limit for limit in self.limits if type(limit).on_fact is not Rule.on_fact)
        self._saved: dict[str, Rule[Any]] = {
            name: rule for name, rule in self._named() if type(rule).save is not Rule.save
        }

    def _named(self) -> Iterable[tuple[str, Rule[Any]]]:
        """Yield every rule with a name for its state."""
        for symbol, rules in self._by_symbol.items():
            for index, rule in enumerate(rules):
                yield f"{rule.kind}.{rule.name}.{index}.{symbol}", rule
        for index, limit in enumerate(self.limits):
            yield f"{limit.kind}.{limit.name}.{index}", limit

    @property
    def listens(self) -> bool:
        """Whether a rule wants facts."""
        return any(self._listeners.values()) or bool(self._limit_listeners)

    def routes(self, symbol: str) -> dict[Any, tuple[Handler, ...]]:
        """Return who wants which events of a symbol: by type, those of bars by interval."""
        routes: dict[Any, tuple[Handler, ...]] = {}
        kinds = {channel: kind for kind, channel in CHANNELS.items()}
        for rule in (*self._by_symbol.get(symbol, ()), *self.limits):
            if type(rule).on_market is Rule.on_market:
                continue
            for channel in rule.needs(rule.options).channels:
                key: Any = channel.interval if channel.kind == "bar" else kinds[channel.kind]
                routes[key] = (*routes.get(key, ()), rule.on_market)
        return routes

    def show(self, routes: Mapping[Any, tuple[Handler, ...]], event: Market) -> bool:
        """Show a market event to the rules that want it; says whether there are any."""
        handlers = routes.get(event.interval if event.__class__ is Bar else event.__class__)
        if handlers is None:
            return False
        for handle in handlers:
            try:
                handle(event)
            except Exception as error:
                raise _failure(handle.__self__, event, error) from error  # type: ignore[attr-defined]
        return True

    def hear(self, fact: Fact) -> None:
        """Tell the rules of a fact."""
        symbol = getattr(fact, "symbol", None)
        listeners = self._limit_listeners if symbol is None else self._listeners.get(symbol, self._limit_listeners)
        for rule in listeners:
            try:
                rule.on_fact(fact)
            except Exception as error:
                raise _failure(rule, fact, error) from error

    def budget(self, sizing: Sizing) -> Decimal:
        """Return the smallest budget of all rules, not yet rounded; a negative one is none."""
        smallest: Decimal | None = None
        for rule in self._sizing[sizing.instrument.symbol]:
            try:
                budget = rule.budget(sizing)
            except Exception as error:
                raise _failure(rule, sizing, error) from error
            if not isinstance(budget, Decimal):
                raise misanswered(rule, "budget", "a Decimal", budget)
            if not budget.is_finite():
                raise ComponentError(f"sizing {rule.name} gave {sizing.instrument.symbol} a budget of {budget}")
            if smallest is None or budget < smallest:
                smallest = budget
        return max(_ZERO, smallest) if smallest is not None else _ZERO

    def distance(self, symbol: str, price: Decimal) -> Decimal | None:
        """Return the smallest stop distance of all rules; None while one that promises a stop has none."""
        smallest: Decimal | None = None
        for rule in self._protection.get(symbol, ()):
            try:
                distance = rule.distance(price)
            except Exception as error:
                raise _failure(rule, price, error) from error
            if not (distance is None or isinstance(distance, Decimal)):
                raise misanswered(rule, "distance", "a Decimal or None", distance)
            if distance is not None and not (distance.is_finite() and distance > 0):
                raise ComponentError(f"protection {rule.name} gave {symbol} a stop distance of {distance}")
            if distance is None:
                if "protects" in rule.capabilities:
                    return None
            elif smallest is None or distance < smallest:
                smallest = distance
        return smallest

    def news(self, symbol: str, side: int, best: float, stop: float) -> bool:
        """Say whether a protection rule may leave a sub-position elsewhere than it said before."""
        for rule in self._protection.get(symbol, ()):
            try:
                if rule.has_news(side, best, stop):
                    return True
            except Exception as error:
                raise _failure(rule, best, error) from error
        return False

    def levels(self, symbol: str, held: Held) -> list[Levels]:
        """Return where each protection rule would leave a sub-position."""
        said = []
        for rule in self._protection.get(symbol, ()):
            try:
                levels = rule.levels(held)
            except Exception as error:
                raise _failure(rule, held, error) from error
            if not isinstance(levels, Levels):
                raise misanswered(rule, "levels", "Levels", levels)
            prices = [price for price in (levels.stop, levels.take_profit) if price is not None]
            if not all(isinstance(price, Decimal) for price in prices):
                raise misanswered(rule, "levels", "a stop and a take_profit that are Decimal or None", levels)
            if not (levels.until is None or isinstance(levels.until, int)):
                raise misanswered(rule, "levels", "an until that is whole (ns UTC) or None", levels)
            if not all(price.is_finite() for price in prices):
                raise ComponentError(f"protection {rule.name} gave {symbol} a stop or take-profit that is no number")
            said.append(levels)
        return said

    def watch(self, limit: Limit[Any], standing: Standing) -> Stop | None:
        """Ask a limit whether trading must stop."""
        try:
            stop = limit.watch(standing)
        except Exception as error:
            raise _failure(limit, "the account", error) from error
        if stop is not None:
            if not isinstance(stop, Stop):
                raise misanswered(limit, "watch", "a Stop or None", stop)
            if stop.level not in _LEVELS or not isinstance(stop.figures, str):
                raise misanswered(limit, "watch", f"a Stop of level {', '.join(_LEVELS)}, with figures in words", stop)
        return stop

    def reset(self, name: str, standing: Standing) -> None:
        """Let a limit begin anew."""
        for limit in self.limits:
            if limit.name == name:
                try:
                    limit.reset(standing)
                except Exception as error:
                    raise _failure(limit, "the reset of its latch", error) from error

    def states(self) -> dict[str, str]:
        """Return what a restart could not find out again, by rule."""
        return {name: _saved(rule) for name, rule in self._saved.items()}

    def load(self, states: Mapping[str, str]) -> None:
        """Give the rules back what they saved."""
        for name, rule in self._saved.items():
            if name in states:
                try:
                    rule.load(states[name])
                except Exception as error:
                    raise _failure(rule, "its saved state", error) from error

    @property
    def figures(self) -> dict[str, float]:
        """What the rules publish, by rule."""
        return {f"{name}.{key}": value for name, rule in self._named() for key, value in figures_of(rule).items()}


def figures_of(component: Any) -> dict[str, float]:
    """Return what a component publishes of itself, by name.

    Raises:
        ComponentError: it raises, or gives something else.
    """
    try:
        figures: object = component.figures
    except Exception as error:
        raise ComponentError(f"{component.kind} {component.name}: its figures cannot be told: {told(error)}") from error
    if not (isinstance(figures, Mapping) and all(isinstance(value, int | float) for value in figures.values())):
        raise misanswered(component, "figures", "numbers by name", figures)
    return dict(figures)


def _saved(rule: Rule[Any]) -> str:
    try:
        state: object = rule.save()
    except Exception as error:
        raise _failure(rule, "what it is to save", error) from error
    if not isinstance(state, str):
        raise misanswered(rule, "save", "text", state)
    return state


def _failure(rule: Any, given: object, error: Exception) -> ComponentError:
    return ComponentError(f"{rule.kind} {rule.name} failed on {given}: {told(error)}")

"""Plugins: found by their entry points, loaded when a component of theirs is wanted."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import pluggy

from quantmind.blame import place, told
from quantmind.entries import COMMANDS, GROUP, OWN
from quantmind.errors import RecipeError
from quantmind.fitness import fault_of, misfit_of
from quantmind.hookspecs import Hooks
from quantmind.kinds import Component

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint
    from types import ModuleType


_NOT_ALLOWED = "is not on the allow-list"


class PluginError(RecipeError):
    """A component cannot be had; says why, and what to do."""


class ShutOutError(PluginError):
    """A component cannot be had, as nothing of QuantMind's own is on the allow-list."""


class Found(msgspec.Struct, frozen=True, order=True):
    """A component by its `kind`, `name` and `summary`, or (with a `fault` and no kind) a plugin that gives none.

    `distribution`, `version` and `module` say who brought it, as in `Origin`.
    """

    kind: str
    name: str
    summary: str
    distribution: str
    version: str
    module: str
    fault: str = ""


class Origin(msgspec.Struct, frozen=True, order=True):
    """Who brought a component: a `distribution` with its `version`, both empty for classes given directly.

    `module` is what its entry point names, or where the class is defined.
    """

    distribution: str
    version: str
    module: str

    def __str__(self) -> str:
        """Name it as an error would."""
        return f"{self.distribution} {self.version} ({self.module})" if self.distribution else self.module


class _Entry(msgspec.Struct, frozen=True):
    """An entry point: a name, and the module behind it."""

    name: str
    value: str
    origin: Origin
    point: Any


class Plugins:
    """The plugins of this installation, less those that are not allowed.

    `allow` names distributions or import modules; None allows all. The environment variable QUANTMIND_PLUGINS
    (names with commas) restricts likewise, and `only_own` leaves nothing but what comes with QuantMind.
    `extra` are component classes, in any order, that come from no entry point; without `installed` they are all that
    is known. `environ` is asked instead of the process's environment, by name.

    Raises:
        PluginError: one of `extra` is no component.
    """

    def __init__(
        self,
        allow: Collection[str] | None = None,
        extra: Sequence[type[Component[Any]]] = (),
        *,
        only_own: bool = False,
        installed: bool = True,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        isolated = (os.environ if environ is None else environ).get("QUANTMIND_PLUGINS", "")
        self._restrictions: list[tuple[str, frozenset[str]]] = []
        if only_own:
            self._restrictions.append(("is left out by --no-plugins", _normalised([OWN])))
        if isolated.strip():
            names = [name for name in isolated.split(",") if name.strip()]
            self._restrictions.append(("is not named by QUANTMIND_PLUGINS", _normalised(names)))
        if allow is not None:
            self._restrictions.append((_NOT_ALLOWED, _normalised(allow)))
        self._manager = pluggy.PluginManager("quantmind")
        self._manager.add_hookspecs(Hooks)
        self._entries: tuple[_Entry, ...] | None = None if installed else ()
        self._refusals: dict[_Entry, str] = {}
        self._components: dict[str, tuple[type[Component[Any]], ...]] = {}
        self._faults: dict[str, str] = {}
        for component in extra:
            if fault := fault_of(component) or misfit_of(component):
                raise PluginError(fault)
        self._extra = tuple(dict.fromkeys(extra))

    def register(self, plugin: ModuleType) -> None:
        """Add the components of a plugin's module that no entry point names.

        Raises:
            PluginError: it registers none, or what is no component.
        """
        try:
            components = self._register(plugin, plugin.__name__)
        except pluggy.PluginValidationError as error:
            raise PluginError(" ".join(str(error).split())) from error
        self._extra = tuple(dict.fromkeys((*self._extra, *components)))

    def find(self, kind: str, name: str) -> type[Component[Any]]:
        """Return the component class of that kind and name, loading as few plugins as possible.

        An entry point called like the component goes before one that merely registers it.

        Raises:
            ShutOutError: it comes with QuantMind, of which the allow-list allows nothing.
            PluginError: there is none, or more than one.
        """
        found = self._matching(kind, name, lambda entry: entry.name == name)
        if not found:
            found = self._matching(kind, name, lambda _: True)
        if not found and self._is_shut_out(name):
            raise ShutOutError("quantmind itself is not on the allow-list: add it")
        if not found:
            raise PluginError(self._why_missing(kind, name))
        if len(found) > 1:
            owners = " and by ".join(str(origin) for origin in sorted(found.values()))
            raise PluginError(f"{kind} {name} is registered by {owners}: uninstall one, or allow only one")
        return next(iter(found))

    def all(self) -> list[Found]:
        """Load every plugin that is allowed, and list components and faults, sorted by kind and name."""
        owners: dict[type[Component[Any]], Origin] = dict(self._registered(lambda _: True))
        rows = []
        for component, origin in owners.items():
            others = [
                other
                for twin, other in owners.items()
                if twin is not component and (twin.kind, twin.name) == (component.kind, component.name)
            ]
            fault = "also registered by " + " and by ".join(map(str, sorted(others))) if others else ""
            rows.append(Found(component.kind, component.name, component.summary(), *_fields(origin), fault=fault))
        for entry in self._discover():
            fault = self._refusal(entry) or self._faults.get(entry.value, "")
            if fault:
                rows.append(Found("", entry.name, "", *_fields(entry.origin), fault=fault))
        return sorted(rows)

    def failures(self) -> list[Found]:
        """List the plugins that were to be loaded so far and could not be."""
        return [
            Found("", entry.name, "", *_fields(entry.origin), fault=self._faults[entry.value])
            for entry in self._discover()
            if entry.value in self._faults
        ]

    def installed(self) -> list[str]:
        """Return the distributions and packages that bring components or commands, allowed or not."""
        origins = self._origins()
        packages = {origin.module.partition(".")[0] for origin in origins}
        return sorted(packages | {origin.distribution for origin in origins if origin.distribution})

    def unknown(self, names: Collection[str]) -> set[str]:
        """Return which of some names allow nothing, as no plugin is called so."""
        known = frozenset().union(*map(_names, self._origins()))
        return {name for name in names if not _normalised([name]) & known}

    def _origins(self) -> set[Origin]:
        from importlib.metadata import entry_points

        names: dict[int, tuple[str, str]] = {}
        commands = {_entry(point, names).origin for point in entry_points(group=COMMANDS)}
        return {entry.origin for entry in self._discover()} | commands

    def refusal(self, point: EntryPoint) -> str:
        """Say why nothing of an entry point may be loaded, whatever its group; empty if it may."""
        return self._refusal(_entry(point, {}))

    def _discover(self) -> tuple[_Entry, ...]:
        """Read the entry points, once; imports nothing of theirs."""
        if self._entries is None:
            from importlib.metadata import entry_points

            names: dict[int, tuple[str, str]] = {}
            entries = [_entry(point, names) for point in entry_points(group=GROUP)]
            self._entries = tuple(sorted(entries, key=lambda entry: (entry.origin, entry.name, entry.value)))
        return self._entries

    def _refusal(self, entry: _Entry) -> str:
        """Say why a plugin may not be loaded; empty if it may. It is asked for every component of a recipe."""
        if entry not in self._refusals:
            self._refusals[entry] = self._refuse(entry)
        return self._refusals[entry]

    def _refuse(self, entry: _Entry) -> str:
        own_names = _names(entry.origin)
        for reason, allowed in self._restrictions:
            if not own_names & allowed:
                return reason
        return ""

    def _load(self, entry: _Entry) -> Sequence[type[Component[Any]]]:
        """Return the components of an entry point; the first time its module is imported and registered."""
        if entry.value not in self._components:
            self._components[entry.value] = ()
            try:
                plugin = entry.point.load()
                self._components[entry.value] = self._register(plugin, entry.value)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - one broken plugin must not lock the user out
                self._faults[entry.value] = _why_not_loaded(error, entry.origin.module)
        return self._components[entry.value]

    def _register(self, plugin: object, name: str) -> tuple[type[Component[Any]], ...]:
        """Register a plugin and ask it for its components; a faulty one is taken out again."""
        if self._manager.is_registered(plugin):
            return ()
        self._manager.register(plugin, name=name)
        try:
            self._manager.check_pending()
            return self._components_of(plugin)
        except BaseException:
            self._manager.unregister(plugin)
            raise

    def _components_of(self, plugin: object) -> tuple[type[Component[Any]], ...]:
        others = [other for other in self._manager.get_plugins() if other is not plugin]
        results = self._manager.subset_hook_caller("register_components", others)()
        if not results:
            raise PluginError("it has no register_components with @hookimpl, or that returns nothing")
        if any(isinstance(result, type) or not isinstance(result, Iterable) for result in results):
            raise PluginError("its register_components must return a list of component classes, such as [MyStrategy]")
        components = tuple(component for result in results for component in result)
        for component in components:
            if fault := fault_of(component) or misfit_of(component):
                raise PluginError(fault)
        return components

    def _registered(self, chosen: Callable[[_Entry], bool]) -> Iterator[tuple[type[Component[Any]], Origin]]:
        """Load the chosen entry points that are allowed, and yield what they register, each class once."""
        seen: set[type[Component[Any]]] = set()
        for component in self._extra:
            seen.add(component)
            yield component, Origin("", "", component.__module__)
        for entry in self._discover():
            if chosen(entry) and not self._refusal(entry):
                for component in self._load(entry):
                    if component not in seen:
                        seen.add(component)
                        yield component, entry.origin

    def _matching(self, kind: str, name: str, chosen: Callable[[_Entry], bool]) -> dict[type[Component[Any]], Origin]:
        return {
            component: origin
            for component, origin in self._registered(chosen)
            if (component.kind, component.name) == (kind, name)
        }

    def _is_shut_out(self, name: str) -> bool:
        """Say whether what has a name comes with QuantMind, of which nothing is on the allow-list."""
        named = [entry for entry in self._discover() if entry.name == name and self._refusal(entry)]
        own = [entry for entry in self._discover() if normalised(entry.origin.distribution) == OWN]
        return (
            bool(named)
            and all(entry in own for entry in named)
            and {self._refusal(entry) for entry in own} == {_NOT_ALLOWED}
        )

    def _why_missing(self, kind: str, name: str) -> str:
        registered = [component for component, _ in self._registered(lambda _: True)]
        installed = sorted({component.name for component in registered if component.kind == kind})
        other = sorted({component.kind for component in registered if component.name == name})
        parts = [f"no {kind} is called {name}"]
        refused = [(entry, reason) for entry in self._discover() if (reason := self._refusal(entry))]
        failed = [entry for entry in self._discover() if entry.value in self._faults]
        named = [(entry, reason) for entry, reason in refused if entry.name == name]
        broken = [entry for entry in failed if entry.name == name] or failed
        close = difflib.get_close_matches(name, installed, 1)
        misnamed = self._misnamed(name)
        if named:
            parts += [f"the plugin {entry.origin} that has it {reason}" for entry, reason in named]
        elif other:
            parts[0] += f": it is a component of kind {' and '.join(other)}"
        elif misnamed:
            parts.append(misnamed)
        elif close:
            parts[0] += f"; did you mean {close[0]}?"
        if broken:
            likely = sorted({f"{entry.origin} failed: {self._faults[entry.value]}" for entry in broken})
            parts += [f"likely because the plugin {text}" for text in likely]
        if refused and not named:
            left_out = sorted({f"{entry.origin.distribution} {reason}" for entry, reason in refused})
            parts.append(f"not looked into: {', '.join(left_out)}")
        parts.append(f"installed: {', '.join(installed) or 'none'}")
        if self._discover() and not (refused or other or misnamed or close or broken):
            parts.append("is its package installed here? see `quantmind plugins list`")
        return "; ".join(parts).replace("?;", "?")

    def _misnamed(self, name: str) -> str:
        """Say what the modules behind entry points of a name register instead; empty if they register nothing."""
        several = {
            entry: [component.name for component in self._components.get(entry.value, ())]
            for entry in self._discover()
            if entry.name == name
        }
        return "; ".join(
            f"the entry point {name} of {entry.origin.distribution} registers {', '.join(names)}: name them the same"
            for entry, names in several.items()
            if names
        )


def _entry(point: EntryPoint, names: dict[int, tuple[str, str]]) -> _Entry:
    dist: Distribution | None = point.dist
    if id(dist) not in names:
        # Each look at a distribution's name parses its METADATA again.
        meta = dist.metadata if dist else None
        names[id(dist)] = (str(meta["Name"]), str(meta["Version"])) if meta else ("", "")
    module = re.split(r"[:\[\s]", point.value.strip(), maxsplit=1)[0]
    return _Entry(point.name, point.value, Origin(*names[id(dist)], module), point)


def _why_not_loaded(error: BaseException, module: str) -> str:
    """Say what an import raised, and the innermost line of the plugin's own package that it came from."""
    if isinstance(error, PluginError):
        return str(error)
    said = told(error)
    if isinstance(error, pluggy.PluginValidationError):
        # It shows the module as Python would: what helps is the hook that was meant.
        hooks = ", ".join(name for name in vars(Hooks) if not name.startswith("_"))
        return f"{said.partition(' in plugin ')[0]}; known: {hooks}"
    return said if isinstance(error, SyntaxError) else said + place(error, module.partition(".")[0])


def _names(origin: Origin) -> frozenset[str]:
    """Return the names by which a plugin may be allowed."""
    return _normalised([origin.distribution, origin.module, origin.module.partition(".")[0]])


def _fields(origin: Origin) -> tuple[str, str, str]:
    return origin.distribution, origin.version, origin.module


def normalised(name: str) -> str:
    """Write a distribution's name as package indexes compare it: `My_Plugin` is `my-plugin`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _normalised(names: Collection[str]) -> frozenset[str]:
    return frozenset(normalised(name.strip()) for name in names if name.strip())

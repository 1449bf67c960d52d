"""Layout: what the operator of the units chose, and where things are."""

from __future__ import annotations

from pathlib import Path

import msgspec

from quantmind.systemd.escape import value
from quantmind.systemd.needs import Needs


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """The choices for the units of one recipe."""

    recipe: Path
    recipe_name: str
    folder: Path
    """The project's folder, in which the stages run."""
    name: str
    """What the names of all units begin with."""
    state: str = "quantmind"
    """The state folder, below the system's or the user's; all recipes share it, and with it locks and accounts."""
    user: bool = False
    """Units for the manager of a user, in place of the system's."""
    template: bool = False
    account: str | None = None
    """The user that runs the stages; None for one that exists while they run."""
    credentials: Path | None = None
    writable_code: bool = False
    flags: tuple[str, ...] = ()
    """Options of `quantmind` itself."""

    @property
    def target(self) -> str:
        """The unit that starts and stops all stages."""
        return f"{self.name}.target"

    @property
    def environment(self) -> str:
        """The file of variables that the stages read, as a unit names it."""
        return f"{self._configuration}/{self.recipe_name}.env"

    @property
    def runtime(self) -> str:
        """The folder of sockets that the stages share, below the system's or the user's."""
        return f"quantmind/{self.recipe_name}"

    def service(self, stage: str | None) -> str:
        """Return the unit of a stage, or of the whole recipe in one process."""
        if stage is None:
            return f"{self.name}.service"
        return f"{self.name}{'@' if self.template else '-'}{stage}.service"

    def source(self, name: str, need: Needs, stage: str | None) -> str:
        """Return the file of a credential, as a unit names it."""
        folder = f"{self._configuration}/credentials" if self.credentials is None else value(self.credentials)
        own = f"{stage}/" if stage is not None and name in need.own_credentials else ""
        return f"{folder}/{own}{name}"

    @property
    def _configuration(self) -> str:
        return "%E/quantmind" if self.user else "/etc/quantmind"

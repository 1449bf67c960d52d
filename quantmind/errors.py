"""What can go wrong, by who must mend it; each carries the exit code of the command that ends with it."""

from __future__ import annotations


class QuantMindError(Exception):
    """The work failed; the message says where, what and what to do, in one line."""

    exit_code = 1
    """What the command that ends with it exits with; each kind of error has its own."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The message as it is told: one line, or where it is a list of problems one for each, in order."""
        return (str(self),)


class UsageError(QuantMindError):
    """A command was called wrongly."""

    exit_code = 2


class RecipeError(QuantMindError):
    """A recipe cannot be run; a supervisor must not try again."""

    exit_code = 78


class ComponentError(QuantMindError):
    """A component raised, or gave what it must not; names it and the event it was given."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The message, and where in its author's file what it is raised from came up."""
        from quantmind.blame import place

        return (f"{self}{place(self.__cause__)}",)

"""What the generated parts of a Markdown file are made of, by the words of their markers."""

from __future__ import annotations

import difflib

from quantmind.cli.plugins.catalogue import COMMAND, Catalogue
from quantmind.errors import QuantMindError, UsageError
from quantmind.reference import markdown, tables
from quantmind.reference.command import CommandDescription
from quantmind.reference.marked import holds_marker

FORMS = {
    "component": "component KIND NAME",
    "components": "components DISTRIBUTION",
    "commands": "commands DISTRIBUTION",
    "hooks": "hooks",
}
"""The first word of a marker, and the whole of it."""


def made(words: tuple[str, ...], catalogue: Catalogue) -> str:
    """Make a generated part.

    Raises:
        QuantMindError: the words are none that there are, or what they name is not installed.
    """
    first, *rest = words
    form = FORMS.get(first)
    if form is None:
        close = difflib.get_close_matches(first, FORMS, 1)
        hint = f"did you mean {close[0]}? There are" if close else "there are"
        raise UsageError(f"nothing is made for {first}; {hint}: {', '.join(FORMS.values())}")
    if len(words) != len(form.split()):
        raise UsageError(f"{' '.join(words)} must be: {form}")
    text = _text(first, rest, catalogue)
    if holds_marker(text):
        raise QuantMindError(f"{' '.join(words)}: its own text has a line that is a marker: write that differently")
    return text


def _text(first: str, rest: list[str], catalogue: Catalogue) -> str:
    if first == "component":
        kind, name = rest
        described = catalogue.describe(kind, name)
        if isinstance(described, CommandDescription):
            return markdown.command(described)
        if described.fault:
            raise QuantMindError(described.fault)
        return markdown.component(described)
    if first == "components":
        return tables.components(catalogue.components_of(*rest))
    if first == f"{COMMAND}s":
        return tables.commands(catalogue.commands_of(*rest))
    return tables.hooks()
